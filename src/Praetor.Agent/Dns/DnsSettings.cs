using System.Net;
using System.Net.NetworkInformation;
using Codecs.Dns;

namespace Praetor.Agent.Dns;

/// <summary>The options as the answering code wants them: checked, lowered, encoded. Replaced whole by a reload.
/// </summary>
internal sealed class DnsSettings
{
    /// <summary>More answers than this are never sent to who has not announced a larger datagram.</summary>
    private const int PlainAnswersMax = 8;
    private const char PrefixMark = '*';
    private readonly HashSet<IPAddress> _own;
    private readonly KeyValuePair<string, uint>[] _prefixTtls;
    private readonly Dictionary<string, uint> _exactTtls = new(StringComparer.Ordinal);

    public DnsSettings(DnsOptions options)
    {
        Options = options;
        Domain = WithDot(options.Domain);
        DomainLabels = Labels(Domain);
        AltDomainLabels = string.IsNullOrEmpty(options.AltDomain) ? null : Labels(WithDot(options.AltDomain));
        NodeTtl = Seconds(options.NodeTtl);
        UdpAnswers = Math.Clamp(options.UdpAnswerLimit, 0, PlainAnswersMax);
        UdpReplyBytes = Math.Clamp(options.UdpReplyBytesMax, DnsLimits.PlainUdpBytes, DnsLimits.MessageBytesMax);
        RemoteUdpReplyBytes = Math.Clamp(options.RemoteUdpReplyBytesMax, DnsLimits.PlainUdpBytes, UdpReplyBytes);
        _own = options.Recursors.Count == 0 ? [] : [.. NetworkInterface.GetAllNetworkInterfaces()
            .SelectMany(static card => card.GetIPProperties().UnicastAddresses)
            .Select(static at => new IPAddress(at.Address.GetAddressBytes()))];
        var prefixes = new List<KeyValuePair<string, uint>>();
        foreach ((string name, TimeSpan ttl) in options.ServiceTtl)
        {
            string key = name.ToLowerInvariant();
            if (key.EndsWith(PrefixMark))
            {
                prefixes.Add(new(key[..^1], Seconds(ttl)));
            }
            else
            {
                _exactTtls[key] = Seconds(ttl);
            }
        }
        _prefixTtls = [.. prefixes.OrderByDescending(p => p.Key.Length)];
        Soa = DnsResource.ForSoa(Domain, options.Soa);
    }

    public DnsOptions Options { get; }

    /// <summary>In small letters, with the final dot.</summary>
    public string Domain { get; }

    public string[] DomainLabels { get; }

    public string[]? AltDomainLabels { get; }

    public uint NodeTtl { get; }

    public int UdpAnswers { get; }

    public int UdpReplyBytes { get; }

    /// <summary>For askers that are not on this machine.</summary>
    public int RemoteUdpReplyBytes { get; }

    /// <summary>Whether who asks from there may have foreign names looked up.</summary>
    public bool MayRecurse(IPAddress asker) =>
        Options.RecursionNetworks.Any(network => network.Contains(asker)) || _own.Contains(asker);

    public bool CanRecurse => Options.Recursors.Count > 0;

    public DnsResource Soa { get; }

    /// <param name="service">In small letters.</param>
    public uint ServiceTtl(string service)
    {
        if (_exactTtls.TryGetValue(service, out uint ttl))
        {
            return ttl;
        }
        foreach ((string prefix, uint value) in _prefixTtls)
        {
            if (service.StartsWith(prefix, StringComparison.Ordinal))
            {
                return value;
            }
        }
        return 0;
    }

    private static string WithDot(string domain) => domain.Trim('.').ToLowerInvariant() + ".";

    private static string[] Labels(string domain) => domain.Split('.', StringSplitOptions.RemoveEmptyEntries);

    private static uint Seconds(TimeSpan ttl) => (uint)Math.Clamp(ttl.TotalSeconds, 0, int.MaxValue);
}
