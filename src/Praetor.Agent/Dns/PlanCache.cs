using System.Diagnostics.CodeAnalysis;

namespace Praetor.Agent.Dns;

/// <summary>
/// Plans by question, for one thread. A plan is handed out only while the catalog says that nothing changed for its
/// service; what is out of date is replaced by the next answer.
/// </summary>
internal sealed class PlanCache(IDnsCatalog catalog)
{
    /// <summary>Bounds memory together with <see cref="GroupsMax"/>: about 40 MB at the worst.</summary>
    public const int PlansMax = 4096;
    private const int GroupsMax = 50_000;
    private readonly Dictionary<byte[], AnswerPlan>.AlternateLookup<ReadOnlySpan<byte>> _plans =
        new Dictionary<byte[], AnswerPlan>(new KeyComparer()).GetAlternateLookup<ReadOnlySpan<byte>>();
    private DnsSettings? _settings;
    private int _groups;

    /// <summary>How many plans are kept.</summary>
    public int Count => _plans.Dictionary.Count;

    public AnswerPlan? Find(ReadOnlySpan<byte> key, DnsSettings settings)
    {
        if (!ReferenceEquals(settings, _settings))
        {
            Clear();
            _settings = settings;
            return null;
        }
        return _plans.TryGetValue(key, out AnswerPlan? plan) && IsCurrent(plan) ? plan : null;
    }

    /// <param name="catalogVersion">The catalog's version from before the plan was made.</param>
    /// <param name="serviceVersion">The service's version from before the plan was made.</param>
    public void Add(ReadOnlySpan<byte> key, AnswerPlan plan, ulong catalogVersion, ulong serviceVersion)
    {
        if (plan.Groups.Length > GroupsMax)
        {
            return;
        }
        // Starting over is rare, and cheaper than keeping account of what was used last.
        if (_plans.Dictionary.Count >= PlansMax || _groups + plan.Groups.Length > GroupsMax)
        {
            Clear();
        }
        plan.CatalogVersion = catalogVersion;
        plan.ServiceVersion = serviceVersion;
        _groups += plan.Groups.Length - (_plans.TryGetValue(key, out AnswerPlan? old) ? old.Groups.Length : 0);
        _plans[key] = plan;
    }

    private bool IsCurrent(AnswerPlan plan)
    {
        ulong version = catalog.Version;
        if (plan.CatalogVersion == version)
        {
            return true;
        }
        if (plan.Service is null || catalog.VersionOf(plan.Service) != plan.ServiceVersion)
        {
            return false;
        }
        // Something else changed: until the next change one comparison is enough again.
        plan.CatalogVersion = version;
        return true;
    }

    private void Clear()
    {
        _plans.Dictionary.Clear();
        _groups = 0;
    }

    /// <summary>Hashes with the process's random seed: nobody outside can aim at one bucket.</summary>
    private sealed class KeyComparer : IEqualityComparer<byte[]>, IAlternateEqualityComparer<ReadOnlySpan<byte>, byte[]>
    {
        public bool Equals(byte[]? x, byte[]? y) => x.AsSpan().SequenceEqual(y);

        public bool Equals(ReadOnlySpan<byte> alternate, byte[] other) => alternate.SequenceEqual(other);

        public int GetHashCode([DisallowNull] byte[] obj) => GetHashCode(obj.AsSpan());

        public int GetHashCode(ReadOnlySpan<byte> alternate)
        {
            var hash = default(HashCode);
            hash.AddBytes(alternate);
            return hash.ToHashCode();
        }

        public byte[] Create(ReadOnlySpan<byte> alternate) => alternate.ToArray();
    }
}
