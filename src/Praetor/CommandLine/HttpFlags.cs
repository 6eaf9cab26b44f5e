using Praetor.Client;

namespace Praetor.CommandLine;

/// <summary>Which of the flags for talking to an agent a command has.</summary>
[Flags]
internal enum HttpGroups
{
    /// <summary>Address, token, TLS.</summary>
    Client = 0,

    /// <summary>Datacenter and staleness.</summary>
    Server = 1,

    /// <summary>Namespace and partition.</summary>
    Scope = 2,

    /// <summary>All of them.</summary>
    All = Server | Scope,
}

/// <summary>The flags for talking to an agent, with the environment behind them.</summary>
internal sealed class HttpFlags
{
    private const string DefaultAddress = "127.0.0.1:8500";

    private readonly Flag<string> _address;
    private readonly Flag<string> _token;
    private readonly Flag<string> _tokenFile;
    private readonly TlsFlags _tls;
    private readonly Flag<string>? _datacenter;
    private readonly Flag<bool>? _stale;
    private readonly Flag<string>? _namespace;
    private readonly Flag<string>? _partition;

    public HttpFlags(FlagSet flags, HttpGroups groups)
    {
        _address = flags.String(
            "http-addr",
            "Address of the agent: host:port, http://…, https://… or unix:///path. "
            + "Also CONSUL_HTTP_ADDR. Default 127.0.0.1:8500.",
            value: "address");
        _token = flags.String(
            "token",
            "Secret of the ACL token to use. Also CONSUL_HTTP_TOKEN. Default: the agent's own.",
            value: "value");
        _tokenFile = flags.String(
            "token-file", "File that holds the token; comes before -token. Also CONSUL_HTTP_TOKEN_FILE.",
            value: "value", offer: Candidates.Files);
        _tls = new TlsFlags(flags);
        if (groups.HasFlag(HttpGroups.Server))
        {
            _datacenter = flags.String(
                "datacenter", "Datacenter to ask. Default: the agent's own.",
                value: "value", offer: Candidates.Datacenters);
            _stale = flags.Bool("stale", "Let any server answer, even if what it knows is older than the leader's.");
        }

        if (groups.HasFlag(HttpGroups.Scope))
        {
            _namespace = flags.String("namespace", "Namespace to use. Also CONSUL_NAMESPACE.", value: "default");
            _partition = flags.String("partition", "Admin partition to use. Also CONSUL_PARTITION.", value: "default");
        }
    }

    /// <summary>The names of the flags that this group can hold; help lists them apart.</summary>
    public static IReadOnlySet<string> Names { get; } = new HashSet<string>(StringComparer.Ordinal)
    {
        "http-addr", "token", "token-file", "ca-file", "ca-path", "client-cert", "client-key", "tls-server-name",
        "datacenter", "stale", "namespace", "partition",
    };

    /// <summary>Whether <c>-stale</c> was given.</summary>
    public bool Stale => _stale?.Value ?? false;

    /// <summary>What a read asks for by these flags.</summary>
    public QueryOptions Query => new() { Stale = Stale };

    /// <summary>A client for the agent that flags and environment name.</summary>
    /// <exception cref="CommandException">They name something that cannot be used.</exception>
    /// <param name="shell">Where the environment is.</param>
    /// <param name="userAgent">What the command calls itself to the agent. Null: nothing.</param>
    /// <param name="answerTime">How long an answer may take. Null: as usual.</param>
    public PraetorClient Connect(Shell shell, string? userAgent = null, TimeSpan? answerTime = null)
    {
        try
        {
            var options = Options(shell) with { UserAgent = userAgent };
            return new PraetorClient(
                options with { AnswerTimeout = answerTime ?? options.AnswerTimeout }, shell.Time);
        }
        catch (Exception wrong) when (wrong is IOException or UriFormatException or UnauthorizedAccessException
            or InvalidDataException or System.Security.Cryptography.CryptographicException)
        {
            throw new CommandException($"Error connecting to Consul agent: {wrong.Message}");
        }
    }

    /// <summary>What flags and environment say about the agent.</summary>
    public ClientOptions Options(Shell shell)
    {
        var address = NonEmpty(_address) ?? shell.Setting("HTTP_ADDR") ?? DefaultAddress;
        var secure = IsOn(shell, "HTTP_SSL", otherwise: false);
        return new ClientOptions
        {
            Address = Complete(address, secure),
            Token = Token(shell),
            Datacenter = NonEmpty(_datacenter),
            Namespace = NonEmpty(_namespace) ?? (_namespace is null ? null : shell.Setting("NAMESPACE")),
            Partition = NonEmpty(_partition) ?? (_partition is null ? null : shell.Setting("PARTITION")),
            BasicAuth = shell.Setting("HTTP_AUTH"),
            KeepsThread = true,
            Tls = secure || address.StartsWith("https://", StringComparison.Ordinal)
                ? _tls.Options(shell)
                : _tls.Check(shell),
        };
    }

    internal static bool IsOn(Shell shell, string setting, bool otherwise)
    {
        var text = shell.Setting(setting);
        if (text is null)
        {
            return otherwise;
        }

        if (FlagSet.TryReadBool(text, out var value))
        {
            return value;
        }

        shell.Error.WriteLine(
            $"{shell.Time.GetUtcNow():yyyy-MM-dd'T'HH:mm:ss.fff'Z'} [WARN]  consul-api: "
            + $"could not parse CONSUL_{setting}: "
            + $"error=\"strconv.ParseBool: parsing \"{text}\": invalid syntax\"");
        return otherwise;
    }

    internal static string? NonEmpty(Flag<string>? flag) => flag is { Value.Length: > 0 } ? flag.Value : null;

    private static string Complete(string address, bool secure)
    {
        var end = address.IndexOf("://", StringComparison.Ordinal);
        if (end < 0)
        {
            return (secure ? "https://" : "http://") + address;
        }

        return address[..end] switch
        {
            "http" => secure ? "https" + address[end..] : address,
            "https" or "unix" => address,
            "tcp" => "http" + address[end..],
            _ => throw new UriFormatException($"Unknown protocol scheme: {address[..end]}"),
        };
    }

    // In this order also today's client looks: what the command line says comes before the environment, and a file
    // before a token in the open.
    private string? Token(Shell shell)
    {
        if (NonEmpty(_tokenFile) is { } file)
        {
            return ReadToken(file);
        }

        if (NonEmpty(_token) is { } token)
        {
            return token;
        }

        return shell.Setting("HTTP_TOKEN_FILE") is { } named ? ReadToken(named) : shell.Setting("HTTP_TOKEN");
    }

    private static string ReadToken(string file)
    {
        try
        {
            var token = File.ReadAllText(file).Trim();
            return token.Length > 0 ? token : throw new InvalidDataException(
                $"Error loading token file: {file} is empty");
        }
        catch (IOException missing)
        {
            throw new IOException($"Error loading token file: {GoErrors.Open(file, missing)}", missing);
        }
    }
}
