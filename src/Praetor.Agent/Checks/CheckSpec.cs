namespace Praetor.Agent.Checks;

/// <summary>What a check does, by the words of the API's Type field.</summary>
public enum CheckKind
{
    None = 0,
    Script = 1,
    Http = 2,
    Tcp = 3,
    Udp = 4,
    Ttl = 5,
    Grpc = 6,
    H2Ping = 7,
    Alias = 8,
    Docker = 9,
    OsService = 10,
}

/// <summary>All that is needed to run one check. Plain data; empty text and zero mean "not set".</summary>
public sealed record CheckSpec
{
    /// <summary>Unique on the agent.</summary>
    public required string Id { get; init; }

    public string Name { get; init; } = "";

    /// <summary>The service whose health this is; empty for a check of the node.</summary>
    public string ServiceId { get; init; } = "";

    /// <summary>From the end of a run to the start of the next; raised to 1 s when shorter.</summary>
    public TimeSpan Interval { get; init; }

    /// <summary>Runs at once, and more often than at the interval, until it passes.</summary>
    /// <remarks>For what is about to come up and is waited for: a sidecar whose service is started now.</remarks>
    public bool IsEager { get; init; }

    /// <summary>Limit of one run. Zero: 10 s, or 30 s for a check that starts a process.</summary>
    public TimeSpan Timeout { get; init; }

    /// <summary>How long a report of a TTL check stays valid.</summary>
    public TimeSpan Ttl { get; init; }

    /// <summary>URL of an HTTP check; http and https only.</summary>
    public string Http { get; init; } = "";

    /// <summary>Empty: GET.</summary>
    public string Method { get; init; } = "";

    public IReadOnlyDictionary<string, IReadOnlyList<string>> Headers { get; init; } = NoHeaders;

    public string Body { get; init; } = "";

    public bool DisableRedirects { get; init; }

    /// <summary>Applies to every check that speaks TLS.</summary>
    public bool TlsSkipVerify { get; init; }

    /// <summary>Name that the certificate must carry. Empty: the host of the target.</summary>
    public string TlsServerName { get; init; } = "";

    /// <summary><c>host:port</c></summary>
    public string Tcp { get; init; } = "";

    public bool TcpUseTls { get; init; }

    /// <summary><c>host:port</c></summary>
    public string Udp { get; init; } = "";

    /// <summary><c>host:port</c> or <c>host:port/service</c></summary>
    public string Grpc { get; init; } = "";

    public bool GrpcUseTls { get; init; }

    /// <summary><c>host:port</c></summary>
    public string H2Ping { get; init; } = "";

    public bool H2PingUseTls { get; init; } = true;

    public string AliasNode { get; init; } = "";

    public string AliasService { get; init; } = "";

    /// <summary>Program and arguments of a script or docker check.</summary>
    public IReadOnlyList<string> ScriptArgs { get; init; } = [];

    public string DockerContainerId { get; init; } = "";

    public string Shell { get; init; } = "";

    /// <summary>Unit whose state systemd is asked for.</summary>
    public string OsService { get; init; } = "";

    public int SuccessBeforePassing { get; init; }

    /// <summary>
    /// Zero: the same as <see cref="FailuresBeforeCritical"/>, so that there is no warning on the way.
    /// </summary>
    public int FailuresBeforeWarning { get; init; }

    public int FailuresBeforeCritical { get; init; }

    /// <summary>Bytes of output kept. Zero: 4096.</summary>
    public int OutputMaxSize { get; init; }

    /// <summary>Zero: never. Raised to one minute when shorter.</summary>
    public TimeSpan DeregisterCriticalServiceAfter { get; init; }

    public CheckStatus InitialStatus { get; init; } = CheckStatus.Critical;

    private static readonly IReadOnlyDictionary<string, IReadOnlyList<string>> NoHeaders =
        new Dictionary<string, IReadOnlyList<string>>(StringComparer.Ordinal);

    /// <summary>Which of the fields decides what is done.</summary>
    public CheckKind Kind => this switch
    {
        { AliasNode.Length: > 0 } or { AliasService.Length: > 0 } => CheckKind.Alias,
        { Ttl.Ticks: > 0 } => CheckKind.Ttl,
        { Http.Length: > 0 } => CheckKind.Http,
        { Tcp.Length: > 0 } => CheckKind.Tcp,
        { Udp.Length: > 0 } => CheckKind.Udp,
        { Grpc.Length: > 0 } => CheckKind.Grpc,
        { H2Ping.Length: > 0 } => CheckKind.H2Ping,
        { DockerContainerId.Length: > 0, ScriptArgs.Count: > 0 } => CheckKind.Docker,
        { ScriptArgs.Count: > 0 } => CheckKind.Script,
        { OsService.Length: > 0 } => CheckKind.OsService,
        _ => CheckKind.None,
    };

    /// <summary>The word of the API's Type field.</summary>
    public string TypeText => Kind switch
    {
        CheckKind.H2Ping => "h2ping",
        CheckKind.OsService => "os_service",
        CheckKind.None => "",
        var kind => kind.ToString().ToLowerInvariant(),
    };

    internal bool StartsProcess => Kind is CheckKind.Script or CheckKind.Docker or CheckKind.OsService;

    internal TimeSpan EffectiveInterval =>
        Interval < CheckLimits.ShortestInterval ? CheckLimits.ShortestInterval : Interval;

    internal TimeSpan EffectiveTimeout => Timeout > TimeSpan.Zero
        ? Timeout
        : StartsProcess ? CheckLimits.DefaultScriptTimeout : CheckLimits.DefaultTimeout;

    internal int EffectiveOutputMax => OutputMaxSize > 0
        ? Math.Min(OutputMaxSize, CheckLimits.OutputBytesMax)
        : CheckLimits.DefaultOutputBytes;

    internal TimeSpan? EffectiveDeregisterAfter => DeregisterCriticalServiceAfter switch
    {
        var after when after <= TimeSpan.Zero => null,
        var after when after < CheckLimits.ShortestDeregister => CheckLimits.ShortestDeregister,
        var after => after,
    };

    /// <summary>
    /// Why this check cannot be run, in the words that Consul's API uses after "Invalid check: "; else null.
    /// </summary>
    public string? Problem()
    {
        if (OutputMaxSize < 0)
        {
            return "MaxOutputMaxSize must be positive";
        }

        if (Interval > TimeSpan.Zero && Ttl > TimeSpan.Zero)
        {
            return "Interval and TTL cannot both be specified";
        }

        if (FailuresBeforeWarning > 0 && FailuresBeforeWarning > FailuresBeforeCritical)
        {
            return "FailuresBeforeWarning can't be higher than FailuresBeforeCritical";
        }

        return Kind switch
        {
            CheckKind.Alias or CheckKind.Ttl => null,
            CheckKind.None => "TTL must be > 0 for TTL checks",
            _ when Interval <= TimeSpan.Zero => "Interval must be > 0 for Script, HTTP, or TCP checks",
            _ => null,
        };
    }
}
