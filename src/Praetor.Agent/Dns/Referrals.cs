using Codecs.Dns;

namespace Praetor.Agent.Dns;

/// <summary>Keeps account of names outside the domain that an answer refers to.</summary>
internal sealed class Referrals(
    DnsSettings settings,
    bool hasEdns,
    IReadOnlyDictionary<string, DnsResource[]>? resolved)
{
    /// <summary>Records taken over from a referral when the asker did not announce a larger datagram.</summary>
    private const int PlainRecordsMax = 5;

    /// <summary>Names that one question makes us ask about; more are left without addresses.</summary>
    private const int NamesMax = 8;
    private readonly HashSet<string> _unresolved = new(StringComparer.OrdinalIgnoreCase);

    public IReadOnlyCollection<string> Unresolved => _unresolved;

    public List<DnsResource> FromOutside(string name)
    {
        string key = name.TrimEnd('.');
        if (resolved is not null)
        {
            return resolved.TryGetValue(key, out DnsResource[]? records) ? [.. records] : [];
        }
        if (settings.CanRecurse && _unresolved.Count < NamesMax)
        {
            _unresolved.Add(key);
        }
        return [];
    }

    /// <param name="ttl">Replaces the records' own; null keeps it.</param>
    public List<DnsResource> Limit(List<DnsResource> records, uint? ttl)
    {
        int limit = hasEdns ? int.MaxValue : PlainRecordsMax;
        return [.. records.Where(r => r.Type is DnsType.Cname or DnsType.A or DnsType.Aaaa).Take(limit)
            .Select(r => ttl is { } seconds ? r with { Ttl = seconds } : r)];
    }
}
