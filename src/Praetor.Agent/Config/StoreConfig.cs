namespace Praetor.Agent.Config;

/// <summary>Where a server keeps the state.</summary>
public enum StoreKind
{
    /// <summary>In the process alone.</summary>
    Memory,

    /// <summary>In a file of the data directory.</summary>
    Sqlite,

    /// <summary>In an etcd, which several servers share.</summary>
    Etcd,
}

/// <summary>Where a server keeps the state.</summary>
/// <param name="Kind">What it is.</param>
/// <param name="IsAsked">Whether somebody has said so, and it does not just follow from the rest.</param>
/// <param name="Endpoints">Of an etcd that somebody else runs. Empty: the agent runs one.</param>
public sealed record StoreConfig(StoreKind Kind, bool IsAsked, IReadOnlyList<string> Endpoints)
{
    // etcd's own default, and what the one that the agent runs is told.
    private const int OutsideRequestBytes = 1536 * 1024;
    private const int OwnRequestBytes = 8 * 1024 * 1024;

    /// <summary>What stands before the addresses of an etcd that somebody else runs.</summary>
    public const string OutsidePrefix = "etcd=";

    /// <summary>Whether it is an etcd that somebody else runs.</summary>
    public bool IsOutside => Endpoints.Count > 0;

    /// <summary>The etcd to run. Empty: the one on the PATH.</summary>
    public string EtcdPath { get; init; } = "";

    /// <summary>Authorities of an outside etcd. Empty: those the machine trusts.</summary>
    public string CaFile { get; init; } = "";

    /// <summary>What is shown to an outside etcd. Empty: nothing.</summary>
    public string CertFile { get; init; } = "";

    /// <summary>Its key.</summary>
    public string KeyFile { get; init; } = "";

    /// <summary>How large the file of an etcd that the agent runs may be.</summary>
    public long QuotaBytes { get; init; }

    /// <summary>The largest request that etcd takes, as it was configured; 0: what is usual.</summary>
    public int RequestBytesAsked { get; init; }

    /// <summary>The largest request that etcd takes.</summary>
    public int RequestBytesMax => RequestBytesAsked > 0 ? RequestBytesAsked
        : IsOutside ? OutsideRequestBytes : OwnRequestBytes;

    /// <summary>As the option spells it.</summary>
    public string Name => Kind switch
    {
        StoreKind.Memory => "memory",
        StoreKind.Sqlite => "sqlite",
        _ => IsOutside ? OutsidePrefix + string.Join(',', Endpoints) : "etcd",
    };

    /// <summary>Reads the option. Null: it is none.</summary>
    public static StoreConfig? Parse(string text) => text switch
    {
        "memory" => new StoreConfig(StoreKind.Memory, IsAsked: true, []),
        "sqlite" => new StoreConfig(StoreKind.Sqlite, IsAsked: true, []),
        "etcd" => new StoreConfig(StoreKind.Etcd, IsAsked: true, []),
        _ when text.StartsWith(OutsidePrefix, StringComparison.Ordinal) => Outside(text[OutsidePrefix.Length..]),
        _ => null,
    };

    private static StoreConfig? Outside(string list)
    {
        var endpoints = list.Split(',', StringSplitOptions.TrimEntries);
        return endpoints.All(IsEndpoint) ? new StoreConfig(StoreKind.Etcd, IsAsked: true, endpoints) : null;
    }

    private static bool IsEndpoint(string text) => Uri.TryCreate(text, UriKind.Absolute, out var uri)
        && (uri.Scheme == Uri.UriSchemeHttp || uri.Scheme == Uri.UriSchemeHttps)
        && uri.Host.Length > 0 && uri.PathAndQuery == "/" && uri.UserInfo.Length == 0;
}
