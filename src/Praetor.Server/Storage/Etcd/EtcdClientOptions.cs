namespace Praetor.Server.Storage.Etcd;

/// <summary>How an etcd is reached.</summary>
public sealed record EtcdClientOptions
{
    private const string UnixScheme = "unix://";

    /// <summary>Where it is: <c>unix:///path/of/socket</c>, <c>http://host:port</c> or <c>https://host:port</c>. Of
    /// several, one is used until it fails.</summary>
    public required IReadOnlyList<string> Endpoints { get; init; }

    /// <summary>A PEM file with those who may have signed etcd's certificate. Null: those the machine trusts.</summary>
    public string? CaFile { get; init; }

    /// <summary>A PEM file with our certificate, and what is between it and its root. Null: we show none.</summary>
    public string? CertificateFile { get; init; }

    /// <summary>The PEM file with the certificate's key. Null when there is no certificate.</summary>
    public string? KeyFile { get; init; }

    /// <summary>How long a call may take. Default 5 s.</summary>
    /// <remarks>etcd itself gives up after 5 s and two election timeouts; a leader that waits longer for a commit has
    /// lost its quorum, or its disk stands still.</remarks>
    public TimeSpan CallLimit { get; init; } = TimeSpan.FromSeconds(5);

    /// <summary>How long <see cref="IEtcd.DefragmentAsync"/> may take.</summary>
    /// <remarks>It writes the whole file anew, 8 GiB at most as etcd advises: 5 min are 27 MiB a second.</remarks>
    public static readonly TimeSpan DefragmentLimit = TimeSpan.FromMinutes(5);

    /// <summary>How long compacting and taking alarms back may take. Default 60 s.</summary>
    public TimeSpan LongCallLimit { get; init; } = TimeSpan.FromSeconds(60);

    /// <summary>How long connecting to one endpoint may take. Default 2 s; below <see cref="CallLimit"/>, so that
    /// there is time for another.</summary>
    public TimeSpan ConnectLimit { get; init; } = TimeSpan.FromSeconds(2);

    /// <summary>The largest request that is sent. Default 8 MiB, what a supervised etcd is told to take.</summary>
    public int RequestBytesMax { get; init; } = 8 * 1024 * 1024;

    /// <summary>The largest answer that is taken. Default 64 MiB; it is in memory twice while it is read.</summary>
    public int AnswerBytesMax { get; init; } = 64 * 1024 * 1024;

    /// <summary>What is wrong with these options, each with a remedy; empty when nothing is.</summary>
    public IEnumerable<string> Problems()
    {
        if (Endpoints.Count == 0)
        {
            yield return "no endpoint of etcd: give at least one, as in etcd=https://10.0.0.1:2379";
        }

        foreach (var endpoint in Endpoints.Where(static endpoint => !IsEndpoint(endpoint)))
        {
            yield return $"'{endpoint}' is no endpoint of etcd: use http://host:port, https://host:port or "
                + "unix:///path";
        }

        if (CertificateFile is null != KeyFile is null)
        {
            yield return "etcd's client certificate needs its key, and the key its certificate: give both or none";
        }

        foreach (var file in new[] { CaFile, CertificateFile, KeyFile })
        {
            if (file is not null && !File.Exists(file))
            {
                yield return $"{file}: no such file; it was named for the connection to etcd";
            }
        }
    }

    /// <summary>The socket's path of a <c>unix</c> endpoint; null for others.</summary>
    internal static string? SocketOf(string endpoint) =>
        endpoint.StartsWith(UnixScheme, StringComparison.Ordinal) ? endpoint[UnixScheme.Length..] : null;

    private static bool IsEndpoint(string text) => SocketOf(text) is { } path
        ? path.Length > 1 && path[0] == '/'
        : Uri.TryCreate(text, UriKind.Absolute, out var uri)
            && (uri.Scheme == Uri.UriSchemeHttp || uri.Scheme == Uri.UriSchemeHttps)
            && uri.Host.Length > 0 && uri.PathAndQuery == "/";
}
