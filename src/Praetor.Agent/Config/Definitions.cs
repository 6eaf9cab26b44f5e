using Languages;

namespace Praetor.Agent.Config;

/// <summary>A service as a user defined it, in a file or a request body; defaults are not filled in.</summary>
public sealed record ServiceDefinition
{
    /// <summary>Where it was written.</summary>
    public Position At { get; init; }

    /// <summary>Empty for a typical service; connect-proxy, mesh-gateway, terminating-gateway, ingress-gateway,
    /// api-gateway.</summary>
    public string Kind { get; init; } = "";

    /// <summary>Unique on the agent. Empty: the name is the id.</summary>
    public string Id { get; init; } = "";

    /// <summary>The service's name.</summary>
    public string Name { get; init; } = "";

    /// <summary>The id, or the name where no id is given.</summary>
    public string EffectiveId => Id.Length > 0 ? Id : Name;

    /// <summary>Tags.</summary>
    public IReadOnlyList<string> Tags { get; init; } = [];

    /// <summary>Address of the service. Empty: the node's.</summary>
    public string Address { get; init; } = "";

    /// <summary>Path of a Unix socket instead of address and port.</summary>
    public string SocketPath { get; init; } = "";

    /// <summary>The port; 0 when it has none.</summary>
    public int Port { get; init; }

    /// <summary>Named ports instead of <see cref="Port"/>.</summary>
    public IReadOnlyList<PortDefinition> Ports { get; init; } = [];

    /// <summary>Further addresses by tag: lan, wan, …</summary>
    public IReadOnlyDictionary<string, AddressDefinition> TaggedAddresses { get; init; } =
        Empty.Map<AddressDefinition>();

    /// <summary>Up to 64 pairs.</summary>
    public IReadOnlyDictionary<string, string> Meta { get; init; } = Empty.Map<string>();

    /// <summary>What <c>check</c> and <c>checks</c> say together.</summary>
    public IReadOnlyList<CheckDefinition> Checks { get; init; } = [];

    /// <summary>Weights in DNS answers. Null: 1 and 1.</summary>
    public WeightsDefinition? Weights { get; init; }

    /// <summary>Token for its registration. A secret: never log it.</summary>
    public string Token { get; init; } = "";

    /// <summary>Others may change the tags in the catalog.</summary>
    public bool EnableTagOverride { get; init; }

    /// <summary>How it is a proxy; for kinds of proxies.</summary>
    public ConnectProxyDefinition? Proxy { get; init; }

    /// <summary>Its part in the mesh.</summary>
    public ConnectDefinition? Connect { get; init; }

    /// <summary>Region and zone.</summary>
    public LocalityDefinition? Locality { get; init; }

    /// <summary>Taken from newer clients; only empty and "default" exist here.</summary>
    public string Partition { get; init; } = "";

    /// <summary>Taken from newer clients; only empty and "default" exist here.</summary>
    public string Namespace { get; init; } = "";

    private bool PrintMembers(System.Text.StringBuilder text)
    {
        // The token must not reach a log by way of ToString.
        text.Append($"Name = {Name}, Id = {EffectiveId}, At = {At}");
        return true;
    }
}

/// <summary>A named port of a service.</summary>
public sealed record PortDefinition
{
    /// <summary>Unique in the service.</summary>
    public string Name { get; init; } = "";

    /// <summary>The number.</summary>
    public int Port { get; init; }

    /// <summary>The one that readers see who know one port only.</summary>
    public bool IsDefault { get; init; }
}

/// <summary>An address with a port.</summary>
public sealed record AddressDefinition
{
    /// <summary>IP address or host name.</summary>
    public string Address { get; init; } = "";

    /// <summary>The port; 0: the service's.</summary>
    public int Port { get; init; }
}

/// <summary>Weights of DNS SRV answers.</summary>
public sealed record WeightsDefinition
{
    /// <summary>While passing; at least 1.</summary>
    public int Passing { get; init; }

    /// <summary>While warning.</summary>
    public int Warning { get; init; }
}

/// <summary>Region and zone.</summary>
public sealed record LocalityDefinition
{
    /// <summary>The region.</summary>
    public string Region { get; init; } = "";

    /// <summary>The zone in the region.</summary>
    public string Zone { get; init; } = "";
}

/// <summary>A health check as a user defined it.</summary>
public sealed record CheckDefinition
{
    /// <summary>Where it was written.</summary>
    public Position At { get; init; }

    /// <summary>Unique on the agent. Empty: made from the service's id or the check's name.</summary>
    public string Id { get; init; } = "";

    /// <summary>The name.</summary>
    public string Name { get; init; } = "";

    /// <summary>A text for people.</summary>
    public string Notes { get; init; } = "";

    /// <summary>The service it belongs to. Empty: the node.</summary>
    public string ServiceId { get; init; } = "";

    /// <summary>Token for its registration. A secret: never log it.</summary>
    public string Token { get; init; } = "";

    /// <summary>Status at the beginning. Empty: critical.</summary>
    public string Status { get; init; } = "";

    /// <summary>Script: the command and its arguments.</summary>
    public IReadOnlyList<string> Args { get; init; } = [];

    /// <summary>HTTP: the URL.</summary>
    public string Http { get; init; } = "";

    /// <summary>HTTP: the method. Empty: GET.</summary>
    public string Method { get; init; } = "";

    /// <summary>HTTP: headers.</summary>
    public IReadOnlyDictionary<string, IReadOnlyList<string>> Header { get; init; } =
        Empty.Map<IReadOnlyList<string>>();

    /// <summary>HTTP: the body.</summary>
    public string Body { get; init; } = "";

    /// <summary>HTTP: answers that redirect are not followed.</summary>
    public bool DisableRedirects { get; init; }

    /// <summary>TCP: host:port.</summary>
    public string Tcp { get; init; } = "";

    /// <summary>TCP: with TLS.</summary>
    public bool TcpUseTls { get; init; }

    /// <summary>UDP: host:port.</summary>
    public string Udp { get; init; } = "";

    /// <summary>gRPC: host:port/service.</summary>
    public string Grpc { get; init; } = "";

    /// <summary>gRPC: with TLS.</summary>
    public bool GrpcUseTls { get; init; }

    /// <summary>HTTP/2 ping: host:port.</summary>
    public string H2Ping { get; init; } = "";

    /// <summary>HTTP/2 ping: with TLS. Null: yes.</summary>
    public bool? H2PingUseTls { get; init; }

    /// <summary>Name of a service of the operating system.</summary>
    public string OsService { get; init; } = "";

    /// <summary>Docker: the container in which the script runs.</summary>
    public string DockerContainerId { get; init; } = "";

    /// <summary>Docker: the shell that runs it.</summary>
    public string Shell { get; init; } = "";

    /// <summary>Alias: the node whose health is taken over. Empty: this one.</summary>
    public string AliasNode { get; init; } = "";

    /// <summary>Alias: the service whose health is taken over.</summary>
    public string AliasService { get; init; } = "";

    /// <summary>TTL: how long a reported status holds.</summary>
    public TimeSpan Ttl { get; init; }

    /// <summary>Time between two runs.</summary>
    public TimeSpan Interval { get; init; }

    /// <summary>Longest time of one run. Zero: 10 s, scripts 30 s.</summary>
    public TimeSpan Timeout { get; init; }

    /// <summary>Server name in TLS.</summary>
    public string TlsServerName { get; init; } = "";

    /// <summary>Certificates are not verified.</summary>
    public bool TlsSkipVerify { get; init; }

    /// <summary>Largest output kept, in bytes. Zero: 4096.</summary>
    public int OutputMaxSize { get; init; }

    /// <summary>Successes in a row before passing.</summary>
    public int SuccessBeforePassing { get; init; }

    /// <summary>Failures in a row before warning. Zero: as <see cref="FailuresBeforeCritical"/>.</summary>
    public int FailuresBeforeWarning { get; init; }

    /// <summary>Failures in a row before critical.</summary>
    public int FailuresBeforeCritical { get; init; }

    /// <summary>The service is removed when critical so long. Zero: never; at least one minute.</summary>
    public TimeSpan DeregisterCriticalServiceAfter { get; init; }

    /// <summary>It says nothing at all: an empty <c>check {}</c>, which is as good as none.</summary>
    public bool IsEmpty => this == new CheckDefinition { At = At, Args = Args, Header = Header } && Args.Count == 0;

    private bool PrintMembers(System.Text.StringBuilder text)
    {
        text.Append($"Name = {Name}, Id = {Id}, At = {At}");
        return true;
    }
}

/// <summary>A service's part in the mesh.</summary>
public sealed record ConnectDefinition
{
    /// <summary>The service speaks the mesh's TLS itself.</summary>
    public bool Native { get; init; }

    /// <summary>A sidecar to register beside the service. Null: none.</summary>
    public ServiceDefinition? SidecarService { get; init; }

    /// <summary>A proxy that the agent runs itself (<c>connect { proxy { } }</c>). Null: none.</summary>
    public ConnectProxyDefinition? ManagedProxy { get; init; }
}

/// <summary>How a service is a proxy.</summary>
public sealed record ConnectProxyDefinition
{
    /// <summary>The service it stands for.</summary>
    public string DestinationServiceName { get; init; } = "";

    /// <summary>The instance it stands for.</summary>
    public string DestinationServiceId { get; init; } = "";

    /// <summary>Where the local service listens. Empty: 127.0.0.1.</summary>
    public string LocalServiceAddress { get; init; } = "";

    /// <summary>Where the local service listens.</summary>
    public int LocalServicePort { get; init; }

    /// <summary>Unix socket of the local service.</summary>
    public string LocalServiceSocketPath { get; init; } = "";

    /// <summary>Named ports of the local service.</summary>
    public IReadOnlyList<PortDefinition> LocalServicePorts { get; init; } = [];

    /// <summary>Empty, direct or transparent.</summary>
    public string Mode { get; init; } = "";

    /// <summary>Settings of mode transparent, as written. Null: none.</summary>
    public ConfigNode? TransparentProxy { get; init; }

    /// <summary>Free settings of the proxy, as written. Null: none.</summary>
    public ConfigNode? Config { get; init; }

    /// <summary>Where local connections lead.</summary>
    public IReadOnlyList<UpstreamDefinition> Upstreams { get; init; } = [];

    /// <summary>Empty, none, local or remote.</summary>
    public string MeshGatewayMode { get; init; } = "";

    /// <summary>Paths open to plain HTTP, as health checks need.</summary>
    public ExposeDefinition Expose { get; init; } = new();

    /// <summary>Extensions for Envoy, as written.</summary>
    public IReadOnlyList<ConfigNode> EnvoyExtensions { get; init; } = [];

    /// <summary>Access log settings, as written. Null: none.</summary>
    public ConfigNode? AccessLogs { get; init; }
}

/// <summary>One destination of local connections.</summary>
public sealed record UpstreamDefinition
{
    /// <summary>Empty or service, or prepared_query.</summary>
    public string DestinationType { get; init; } = "";

    /// <summary>The service or query.</summary>
    public string DestinationName { get; init; } = "";

    /// <summary>Taken from newer clients.</summary>
    public string DestinationNamespace { get; init; } = "";

    /// <summary>Taken from newer clients.</summary>
    public string DestinationPartition { get; init; } = "";

    /// <summary>Taken from newer clients.</summary>
    public string DestinationPeer { get; init; } = "";

    /// <summary>Name of the destination's port, where it has several.</summary>
    public string DestinationPort { get; init; } = "";

    /// <summary>Empty: this one.</summary>
    public string Datacenter { get; init; } = "";

    /// <summary>Where the proxy listens. Empty: 127.0.0.1.</summary>
    public string LocalBindAddress { get; init; } = "";

    /// <summary>Where the proxy listens.</summary>
    public int LocalBindPort { get; init; }

    /// <summary>Unix socket on which the proxy listens instead.</summary>
    public string LocalBindSocketPath { get; init; } = "";

    /// <summary>Mode of that socket. Empty: 0644.</summary>
    public string LocalBindSocketMode { get; init; } = "";

    /// <summary>Free settings, as written. Null: none.</summary>
    public ConfigNode? Config { get; init; }

    /// <summary>Empty, none, local or remote.</summary>
    public string MeshGatewayMode { get; init; } = "";
}

/// <summary>Paths that a proxy opens to plain HTTP.</summary>
public sealed record ExposeDefinition
{
    /// <summary>All paths of the service's HTTP and gRPC checks.</summary>
    public bool Checks { get; init; }

    /// <summary>Single paths.</summary>
    public IReadOnlyList<ExposedPathDefinition> Paths { get; init; } = [];
}

/// <summary>One path that a proxy opens to plain HTTP.</summary>
public sealed record ExposedPathDefinition
{
    /// <summary>The path.</summary>
    public string Path { get; init; } = "";

    /// <summary>Where the service listens.</summary>
    public int LocalPathPort { get; init; }

    /// <summary>Where the proxy listens.</summary>
    public int ListenerPort { get; init; }

    /// <summary>Empty or http, or http2.</summary>
    public string Protocol { get; init; } = "";
}

internal static class Empty
{
    public static IReadOnlyDictionary<string, T> Map<T>() => System.Collections.Frozen.FrozenDictionary<string,
        T>.Empty;
}
