using System.Net;
using Languages;

namespace Praetor.Agent.Config;

/// <summary>
/// The agent's configuration, resolved: defaults filled in, templates replaced, addresses joined with ports. Never
/// changes; a reload makes another one. Keys that no property shows are in <see cref="Values"/>.
/// </summary>
public sealed record AgentConfig
{
    /// <summary>All keys as the sources gave them.</summary>
    public required SettingValues Values { get; init; }

    /// <summary>Started by -dev: in memory, one server, on loopback.</summary>
    public required bool IsDev { get; init; }

    /// <summary>Datacenter, lower case.</summary>
    public required string Datacenter { get; init; }

    /// <summary>The datacenter that leads; this one when none is named.</summary>
    public required string PrimaryDatacenter { get; init; }

    /// <summary>Name of the node.</summary>
    public required string NodeName { get; init; }

    /// <summary>The node's id as configured. Empty: to be made or found in the data directory.</summary>
    public required string NodeId { get; init; }

    /// <summary>Metadata of the node.</summary>
    public required IReadOnlyDictionary<string, string> NodeMeta { get; init; }

    /// <summary>Directory for state. Empty: keep nothing (-dev).</summary>
    public required string DataDir { get; init; }

    /// <summary>It is a server.</summary>
    public required bool IsServer { get; init; }

    /// <summary>This server leads without asking others: bootstrap, or bootstrap_expect of 1.</summary>
    public required bool IsBootstrap { get; init; }

    /// <summary>Servers to wait for; 0: none.</summary>
    public required int BootstrapExpect { get; init; }

    /// <summary>Where a server keeps the state.</summary>
    public required StoreConfig Store { get; init; }

    /// <summary>On TERM it leaves the cluster.</summary>
    public required bool LeaveOnTerminate { get; init; }

    /// <summary>On INT it stays in the cluster.</summary>
    public required bool SkipLeaveOnInterrupt { get; init; }

    /// <summary>File for the process id. Empty: none.</summary>
    public required string PidFile { get; init; }

    /// <summary>Addresses.</summary>
    public required AddressConfig Addresses { get; init; }

    /// <summary>Nodes of other datacenters are shown by their WAN addresses.</summary>
    public bool TranslatesWan => Values.Flag("translate_wan_addrs");

    /// <summary>Ports.</summary>
    public required PortConfig Ports { get; init; }

    /// <summary>DNS.</summary>
    public required DnsConfig Dns { get; init; }

    /// <summary>HTTP.</summary>
    public required HttpConfig Http { get; init; }

    /// <summary>The web interface.</summary>
    public required UiConfig Ui { get; init; }

    /// <summary>TLS of what has no settings of its own.</summary>
    public required TlsConfig Tls { get; init; }

    /// <summary>TLS of the HTTPS listeners.</summary>
    public required TlsConfig Https { get; init; }

    /// <summary>TLS between agents; so far between the etcds of several servers only.</summary>
    public required TlsConfig InternalTls { get; init; }

    /// <summary>Whether TLS between agents is asked for.</summary>
    public bool AsksForInternalTls => Values.Text("tls.internal_rpc.cert_file").Length > 0
        || Values.Flag("verify_outgoing") || Values.Flag("tls.defaults.verify_outgoing")
        || Values.Flag("tls.internal_rpc.verify_outgoing");

    /// <summary>Whether a server's certificate must say that it is a server's.</summary>
    public bool VerifiesServerHostname => Values.Flag("verify_server_hostname")
        || Values.Flag("tls.defaults.verify_server_hostname") || Values.Flag("tls.internal_rpc.verify_server_hostname");

    /// <summary>Whom Unix sockets belong to.</summary>
    public required SocketFileConfig SocketFiles { get; init; }

    /// <summary>Limits.</summary>
    public required LimitConfig Limits { get; init; }

    /// <summary>Logging.</summary>
    public required LogConfig Log { get; init; }

    /// <summary>Telemetry.</summary>
    public required TelemetryConfig Telemetry { get; init; }

    /// <summary>How checks run.</summary>
    public required CheckConfig CheckSettings { get; init; }

    /// <summary>The mesh.</summary>
    public required ConnectConfig Connect { get; init; }

    /// <summary>Access control.</summary>
    public required AclConfig Acl { get; init; }

    /// <summary>Joining.</summary>
    public required JoinConfig Join { get; init; }

    /// <summary>Services that files define.</summary>
    public required IReadOnlyList<ServiceDefinition> Services { get; init; }

    /// <summary>Checks that files define.</summary>
    public required IReadOnlyList<CheckDefinition> Checks { get; init; }

    /// <summary>Watches as written.</summary>
    public required IReadOnlyList<ConfigNode> Watches { get; init; }

    /// <summary>Config entries to write at the first start, as written.</summary>
    public required IReadOnlyList<ConfigNode> ConfigEntries { get; init; }
}

/// <summary>Where a listener stands: an address with a port, or a Unix socket.</summary>
/// <param name="Address">The address. Null: a Unix socket.</param>
/// <param name="Port">The port.</param>
/// <param name="UnixPath">Path of the socket. Null: an address.</param>
public sealed record ListenAddress(IPAddress? Address, int Port, string? UnixPath = null)
{
    /// <summary>As Kestrel's and .NET's sockets take it.</summary>
    public EndPoint EndPoint => Address is null
        ? new System.Net.Sockets.UnixDomainSocketEndPoint(UnixPath!)
        : new IPEndPoint(Address, Port);

    /// <inheritdoc/>
    public override string ToString() =>
        Address is null ? $"unix://{UnixPath}" : new IPEndPoint(Address, Port).ToString();
}

/// <summary>Addresses, templates resolved. A list is empty when its port is off.</summary>
/// <param name="Bind">For traffic between agents.</param>
/// <param name="Advertise">What others use for this node.</param>
/// <param name="AdvertiseWan">What other datacenters use for this node.</param>
/// <param name="SerfLan">For gossip in the datacenter.</param>
/// <param name="SerfWan">For gossip between datacenters.</param>
/// <param name="Client">Addresses of the interfaces for clients.</param>
/// <param name="Dns">DNS listeners.</param>
/// <param name="Http">HTTP listeners.</param>
/// <param name="Https">HTTPS listeners.</param>
/// <param name="Grpc">gRPC listeners.</param>
/// <param name="GrpcTls">gRPC listeners with TLS.</param>
/// <param name="TaggedLan">lan, lan_ipv4, lan_ipv6, wan, wan_ipv4, wan_ipv6 with what is known of them.</param>
public sealed record AddressConfig(
    IPAddress Bind,
    IPAddress Advertise,
    IPAddress AdvertiseWan,
    IPAddress SerfLan,
    IPAddress SerfWan,
    IReadOnlyList<ListenAddress> Client,
    IReadOnlyList<ListenAddress> Dns,
    IReadOnlyList<ListenAddress> Http,
    IReadOnlyList<ListenAddress> Https,
    IReadOnlyList<ListenAddress> Grpc,
    IReadOnlyList<ListenAddress> GrpcTls,
    IReadOnlyDictionary<string, string> TaggedLan);

/// <summary>Ports; -1 is off.</summary>
public sealed record PortConfig(
    int Dns,
    int Http,
    int Https,
    int Grpc,
    int GrpcTls,
    int SerfLan,
    int SerfWan,
    int Server,
    int SidecarMin,
    int SidecarMax,
    int ExposeMin,
    int ExposeMax)
{
    /// <summary>Where other servers' etcd reach this one's, when several servers replicate.</summary>
    public int StorePeer { get; init; }
}

/// <summary>Where a recursor is.</summary>
/// <param name="Text">As it was written, templates resolved.</param>
/// <param name="Host">A name or an address.</param>
/// <param name="Port">The port.</param>
public sealed record RecursorAddress(string Text, string Host, int Port)
{
    /// <summary>The address. Null: it is a name, which is looked up at the start.</summary>
    public IPAddress? Address => IPAddress.TryParse(Host, out var address) ? address : null;
}

/// <summary>DNS.</summary>
public sealed record DnsConfig
{
    /// <summary>Domain, lower case, with a dot at its end.</summary>
    public required string Domain { get; init; }

    /// <summary>Second domain, with a dot at its end. Empty: none.</summary>
    public required string AltDomain { get; init; }

    /// <summary>Recursors, templates resolved.</summary>
    public required IReadOnlyList<RecursorAddress> Recursors { get; init; }

    /// <summary>sequential or random.</summary>
    public required string RecursorStrategy { get; init; }

    /// <summary>How long a recursor may take.</summary>
    public required TimeSpan RecursorTimeout { get; init; }

    /// <summary>Answers come from any server.</summary>
    public required bool AllowStale { get; init; }

    /// <summary>Oldest data for such an answer.</summary>
    public required TimeSpan MaxStale { get; init; }

    /// <summary>TTL of answers about nodes.</summary>
    public required TimeSpan NodeTtl { get; init; }

    /// <summary>TTL by service name; a name may end in * for all that begin so.</summary>
    public required IReadOnlyDictionary<string, TimeSpan> ServiceTtl { get; init; }

    /// <summary>Long UDP answers are cut and say so.</summary>
    public required bool EnableTruncate { get; init; }

    /// <summary>Instances with warnings are left out.</summary>
    public required bool OnlyPassing { get; init; }

    /// <summary>Names are not compressed.</summary>
    public required bool DisableCompression { get; init; }

    /// <summary>Most answers in one UDP reply.</summary>
    public required int UdpAnswerLimit { get; init; }

    /// <summary>Most A or AAAA answers; 0: no limit.</summary>
    public required int ARecordLimit { get; init; }

    /// <summary>Node metadata is added as TXT.</summary>
    public required bool NodeMetaTxt { get; init; }

    /// <summary>SOA: refresh, retry, expire, minimum TTL, in seconds.</summary>
    public required (uint Refresh, uint Retry, uint Expire, uint MinTtl) Soa { get; init; }

    /// <summary>Answers come from the agent's cache.</summary>
    public required bool UseCache { get; init; }

    /// <summary>Oldest entry to answer from; zero: any.</summary>
    public required TimeSpan CacheMaxAge { get; init; }
}

/// <summary>HTTP.</summary>
/// <param name="BlockEndpoints">Path prefixes that are refused.</param>
/// <param name="ResponseHeaders">Headers added to every answer.</param>
/// <param name="AllowedHosts">Further names that Host may carry on loopback; ".x" stands for all below x.</param>
/// <param name="AllowWriteFrom">Networks that may write. Empty: all.</param>
/// <param name="UseCache">?cached is obeyed.</param>
/// <param name="MaxHeaderBytes">Largest header; 0: the server's default.</param>
/// <param name="DefaultQueryTime">Wait of a blocking query that names none.</param>
/// <param name="MaxQueryTime">Longest wait.</param>
/// <param name="AllowUnprintable">Paths with unprintable characters are taken.</param>
public sealed record HttpConfig(
    IReadOnlyList<string> BlockEndpoints,
    IReadOnlyList<string> AllowedHosts,
    IReadOnlyDictionary<string, string> ResponseHeaders,
    IReadOnlyList<IPNetwork> AllowWriteFrom,
    bool UseCache,
    int MaxHeaderBytes,
    TimeSpan DefaultQueryTime,
    TimeSpan MaxQueryTime,
    bool AllowUnprintable);

/// <summary>The web interface.</summary>
/// <param name="IsEnabled">It is served.</param>
/// <param name="Dir">Another one's directory. Empty: the built-in one.</param>
/// <param name="ContentPath">Its path, with slashes at both ends.</param>
public sealed record UiConfig(bool IsEnabled, string Dir, string ContentPath);

/// <summary>Limits.</summary>
/// <param name="HttpConnectionsPerClient">Connections from one address; 0: no limit.</param>
/// <param name="HttpsHandshakeTimeout">Longest TLS handshake.</param>
/// <param name="KvValueBytesMax">Largest KV value.</param>
/// <param name="TxnBytesMax">Largest transaction body.</param>
/// <param name="Rpc">Calls between agents.</param>
public sealed record LimitConfig(
    int HttpConnectionsPerClient, TimeSpan HttpsHandshakeTimeout, long KvValueBytesMax, long TxnBytesMax,
    RpcLimitConfig Rpc);

/// <summary>Limits of calls between agents.</summary>
/// <param name="HandshakeTimeout">Longest handshake.</param>
/// <param name="ClientTimeout">Longest wait for an answer that waits for no change.</param>
/// <param name="HoldTimeout">How long to look for a server that answers.</param>
/// <param name="ConnectionsPerClient">Connections from one address to a server; 0: no limit.</param>
/// <param name="Rate">Calls a second; negative: no limit.</param>
/// <param name="Burst">Calls at once above that.</param>
public sealed record RpcLimitConfig(
    TimeSpan HandshakeTimeout, TimeSpan ClientTimeout, TimeSpan HoldTimeout, int ConnectionsPerClient, double Rate,
    int Burst);

/// <summary>Logging.</summary>
/// <param name="Level">TRACE, DEBUG, INFO, WARN or ERROR.</param>
/// <param name="IsJson">One JSON object a line.</param>
/// <param name="File">File beside the standard output. Empty: none.</param>
/// <param name="SyslogFacility">Facility of the lines that go to the system's log too. Null: none go there.</param>
public sealed record LogConfig(string Level, bool IsJson, string File, int? SyslogFacility);

/// <summary>Whom Unix sockets belong to.</summary>
/// <param name="User">Owner: a name or a number. Empty: who runs the agent.</param>
/// <param name="Group">Group: a name or a number. Empty: that of who runs the agent.</param>
/// <param name="Mode">Who may connect. Null: what the umask leaves.</param>
public sealed record SocketFileConfig(string User, string Group, UnixFileMode? Mode);

/// <summary>Telemetry.</summary>
/// <param name="MetricsPrefix">First part of names.</param>
/// <param name="PrometheusRetention">Zero: not for Prometheus.</param>
/// <param name="DisableHostname">The host's name is left out of gauges.</param>
public sealed record TelemetryConfig(string MetricsPrefix, TimeSpan PrometheusRetention, bool DisableHostname);

/// <summary>How checks run.</summary>
/// <param name="AllowScripts">Scripts may run, wherever they come from.</param>
/// <param name="AllowLocalScripts">Scripts of files may run (true also when <paramref name="AllowScripts"/>
/// is).</param>
/// <param name="UpdateInterval">How long a changed output waits.</param>
/// <param name="OutputBytesMax">Largest output kept.</param>
/// <param name="DiscardOutput">Outputs are not kept.</param>
/// <param name="UseAgentTls">Checks show the agent's certificate and trust its authority.</param>
public sealed record CheckConfig(
    bool AllowScripts, bool AllowLocalScripts, TimeSpan UpdateInterval, int OutputBytesMax, bool DiscardOutput,
    bool UseAgentTls);

/// <summary>The mesh.</summary>
/// <param name="IsEnabled">It is on.</param>
/// <param name="CaProvider">consul.</param>
/// <param name="CaConfig">The provider's settings as written. Null: none. Holds secrets.</param>
/// <param name="IsPeeringEnabled">Peering is on.</param>
public sealed record ConnectConfig(
    bool IsEnabled, bool ManagesSidecars, string CaProvider, ConfigNode? CaConfig, bool IsPeeringEnabled);

/// <summary>Access control.</summary>
/// <param name="IsEnabled">Tokens are required.</param>
/// <param name="DefaultPolicy">allow or deny.</param>
/// <param name="DownPolicy">allow, deny, extend-cache or async-cache.</param>
/// <param name="DefaultIntentionPolicy">allow or deny. Empty: as <paramref name="DefaultPolicy"/>.</param>
public sealed record AclConfig(bool IsEnabled, string DefaultPolicy, string DownPolicy, string DefaultIntentionPolicy);

/// <summary>Joining.</summary>
/// <param name="Retry">Addresses to join, start_join's among them.</param>
/// <param name="RetryWan">Addresses of other datacenters.</param>
public sealed record JoinConfig(IReadOnlyList<string> Retry, IReadOnlyList<string> RetryWan);
