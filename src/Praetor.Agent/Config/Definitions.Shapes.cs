using Languages;

namespace Praetor.Agent.Config;

/// <summary>The rows by which definitions are read, from files and from request bodies alike.</summary>
internal static class DefinitionShapes
{
    private const int Unset = int.MinValue;
    private const string CheckListType = "structs.CheckTypes";
    private const string UpstreamListType = "structs.Upstreams";

    public static readonly Shape<PortDefinition> Port = new Shape<PortDefinition>(static _ => new())
        .Text("name", static (d, v) => d with { Name = v })
        .Whole("port", static (d, v) => d with { Port = v })
        .Flag("default", static (d, v) => d with { IsDefault = v });

    public static readonly Shape<AddressDefinition> Address = new Shape<AddressDefinition>(static _ => new())
        .Text("address", static (d, v) => d with { Address = v })
        .Whole("port", static (d, v) => d with { Port = v });

    public static readonly Shape<WeightsDefinition> Weights = new Shape<WeightsDefinition>(static _ =>
        new() { Passing = Unset, Warning = Unset })
        .Whole("passing", static (d, v) => d with { Passing = v })
        .Whole("warning", static (d, v) => d with { Warning = v })
        .Then(FillWeights);

    public static readonly Shape<LocalityDefinition> Locality = new Shape<LocalityDefinition>(static _ => new())
        .Text("region", static (d, v) => d with { Region = v })
        .Text("zone", static (d, v) => d with { Zone = v });

    public static readonly Shape<CheckDefinition> Check = new Shape<CheckDefinition>(static at => new() { At = at })
        .Text("id", static (d, v) => d with { Id = v }).Alias("check_id", "id")
        .Text("name", static (d, v) => d with { Name = v })
        .Text("notes", static (d, v) => d with { Notes = v })
        .Text("service_id", static (d, v) => d with { ServiceId = v })
        .Text("token", static (d, v) => d with { Token = v })
        .Text("status", static (d, v) => d with { Status = v })
        .Texts("args", static (d, v) => d with { Args = v }).Alias("script_args", "args")
        .Text("http", static (d, v) => d with { Http = v })
        .Text("method", static (d, v) => d with { Method = v })
        .TextsMap("header", static (d, v) => d with { Header = v })
        .Text("body", static (d, v) => d with { Body = v })
        .Flag("disable_redirects", static (d, v) => d with { DisableRedirects = v })
        .Text("tcp", static (d, v) => d with { Tcp = v })
        .Flag("tcp_use_tls", static (d, v) => d with { TcpUseTls = v })
        .Text("udp", static (d, v) => d with { Udp = v })
        .Text("grpc", static (d, v) => d with { Grpc = v })
        .Flag("grpc_use_tls", static (d, v) => d with { GrpcUseTls = v })
        .Text("h2ping", static (d, v) => d with { H2Ping = v })
        .Flag("h2ping_use_tls", static (d, v) => d with { H2PingUseTls = v })
        .Text("os_service", static (d, v) => d with { OsService = v })
        .Text("docker_container_id", static (d, v) => d with { DockerContainerId = v })
        .Text("shell", static (d, v) => d with { Shell = v })
        .Text("alias_node", static (d, v) => d with { AliasNode = v })
        .Text("alias_service", static (d, v) => d with { AliasService = v })
        .Duration("ttl", static (d, v) => d with { Ttl = v })
        .Duration("interval", static (d, v) => d with { Interval = v })
        .Duration("timeout", static (d, v) => d with { Timeout = v })
        .Text("tls_server_name", static (d, v) => d with { TlsServerName = v })
        .Flag("tls_skip_verify", static (d, v) => d with { TlsSkipVerify = v })
        .Whole("output_max_size", static (d, v) => d with { OutputMaxSize = v })
        .Whole("success_before_passing", static (d, v) => d with { SuccessBeforePassing = v })
        .Whole("failures_before_warning", static (d, v) => d with { FailuresBeforeWarning = v })
        .Whole("failures_before_critical", static (d, v) => d with { FailuresBeforeCritical = v })
        .Duration(
            "deregister_critical_service_after", static (d, v) => d with { DeregisterCriticalServiceAfter = v });

    public static readonly Shape<UpstreamDefinition> Upstream = new Shape<UpstreamDefinition>(static _ => new())
        .Text("destination_type", static (d, v) => d with { DestinationType = v })
        .Text("destination_name", static (d, v) => d with { DestinationName = v })
        .Text("destination_namespace", static (d, v) => d with { DestinationNamespace = v })
        .Text("destination_partition", static (d, v) => d with { DestinationPartition = v })
        .Text("destination_peer", static (d, v) => d with { DestinationPeer = v })
        .Text("destination_port", static (d, v) => d with { DestinationPort = v })
        .Text("datacenter", static (d, v) => d with { Datacenter = v })
        .Text("local_bind_address", static (d, v) => d with { LocalBindAddress = v })
        .Whole("local_bind_port", static (d, v) => d with { LocalBindPort = v })
        .Text("local_bind_socket_path", static (d, v) => d with { LocalBindSocketPath = v })
        .Text("local_bind_socket_mode", static (d, v) => d with { LocalBindSocketMode = v })
        .Opaque("config", static (d, v) => d with { Config = v })
        .Object("mesh_gateway", MeshGatewayShape, static (d, v) => d with { MeshGatewayMode = v.Mode })
        // Answers carry it, and what was read is often sent back.
        .Flag("centrally_configured", static (d, _) => d);

    public static readonly Shape<ConnectProxyDefinition> Proxy = ProxyRows();

    /// <summary>The managed form keeps its upstreams inside the free settings.</summary>
    public static readonly Shape<ConnectProxyDefinition> ManagedProxy = ProxyRows()
        .Text("exec_mode", static (d, _) => d)
        .Texts("command", static (d, _) => d)
        .Then(LiftUpstreams);

    public static readonly Shape<ServiceDefinition> Service = new Shape<ServiceDefinition>(static at => new() { At =
        at })
        .Text("kind", static (d, v) => d with { Kind = v })
        .Text("id", static (d, v) => d with { Id = v })
        .Text("name", static (d, v) => d with { Name = v })
        .Texts("tags", static (d, v) => d with { Tags = v })
        .Text("address", static (d, v) => d with { Address = v })
        .Text("socket_path", static (d, v) => d with { SocketPath = v })
        .Whole("port", static (d, v) => d with { Port = v })
        .Objects("ports", static () => Port, "structs.ServicePorts", static (d, v) => d with { Ports = v })
        .ObjectMap("tagged_addresses", static () => Address, static (d, v) => d with { TaggedAddresses = v })
        .TextMap("meta", static (d, v) => d with { Meta = v })
        .Object("check", static () => Check, static (d, v) => v.IsEmpty ? d : d with { Checks = [v, .. d.Checks] })
        .Objects("checks", static () => Check, CheckListType, static (d, v) => d with { Checks = [.. d.Checks, .. v] })
        .Object("weights", static () => Weights, static (d, v) => d with { Weights = v })
        .Text("token", static (d, v) => d with { Token = v })
        .Flag("enable_tag_override", static (d, v) => d with { EnableTagOverride = v })
        .Object("proxy", static () => Proxy, static (d, v) => d with { Proxy = v })
        .Object("connect", ConnectShape, static (d, v) => d with { Connect = v })
        .Object("locality", static () => Locality, static (d, v) => d with { Locality = v })
        .Text("partition", static (d, v) => d with { Partition = v })
        .Text("namespace", static (d, v) => d with { Namespace = v });

    /// <summary>What is not given counts as 1 in a file and as 0 in a request.</summary>
    private static WeightsDefinition FillWeights(WeightsDefinition weights, DecodeContext context, string path)
    {
        var other = context.Mode == DecodeMode.File ? 1 : 0;
        return new WeightsDefinition
        {
            Passing = weights.Passing == Unset ? other : weights.Passing,
            Warning = weights.Warning == Unset ? other : weights.Warning,
        };
    }

    private static Shape<MeshGatewayDefinition> MeshGatewayShape() => MeshGateway;

    private static Shape<ExposeDefinition> ExposeShape() => Expose;

    private static Shape<ConnectDefinition> ConnectShape() => Connect;

    private static ConnectProxyDefinition LiftUpstreams(ConnectProxyDefinition proxy, DecodeContext context,
        string path)
    {
        if (proxy.Config?["upstreams"] is not { } inner)
        {
            return proxy;
        }
        var upstreams = Upstream.DecodeAll(inner, context, $"{path}.config.upstreams", UpstreamListType);
        var rest = proxy.Config.Members.Where(static member => member.Name != "upstreams").ToList();
        return proxy with
        {
            Upstreams = [.. proxy.Upstreams, .. upstreams],
            Config = ConfigNode.OfObject(rest, proxy.Config.At),
        };
    }

    private sealed record MeshGatewayDefinition(string Mode);

    private static Shape<MeshGatewayDefinition> MeshGateway { get; } =
        new Shape<MeshGatewayDefinition>(static _ => new("")).Text("mode", static (_, v) => new(v));

    private static Shape<ExposedPathDefinition> ExposedPath { get; } =
        new Shape<ExposedPathDefinition>(static _ => new())
            .Text("path", static (d, v) => d with { Path = v })
            .Whole("local_path_port", static (d, v) => d with { LocalPathPort = v })
            .Whole("listener_port", static (d, v) => d with { ListenerPort = v })
            .Text("protocol", static (d, v) => d with { Protocol = v })
            .Flag("parsed_from_check", static (d, _) => d);

    private static Shape<ExposeDefinition> Expose { get; } = new Shape<ExposeDefinition>(static _ => new())
        .Flag("checks", static (d, v) => d with { Checks = v })
        .Objects("paths", static () => ExposedPath, "[]structs.ExposePath", static (d, v) => d with { Paths = v });

    private static Shape<ConnectDefinition> Connect { get; } = new Shape<ConnectDefinition>(static _ => new())
        .Flag("native", static (d, v) => d with { Native = v })
        .Object("sidecar_service", static () => Service, static (d, v) => d with { SidecarService = v })
        .Object("proxy", static () => ManagedProxy, static (d, v) => d with { ManagedProxy = v });

    private static Shape<ConnectProxyDefinition> ProxyRows() =>
        new Shape<ConnectProxyDefinition>(static _ => new())
            .Text("destination_service_name", static (d, v) => d with { DestinationServiceName = v })
            .Text("destination_service_id", static (d, v) => d with { DestinationServiceId = v })
            .Text("local_service_address", static (d, v) => d with { LocalServiceAddress = v })
            .Whole("local_service_port", static (d, v) => d with { LocalServicePort = v })
            .Text("local_service_socket_path", static (d, v) => d with { LocalServiceSocketPath = v })
            .Objects(
                "local_service_ports", static () => Port, "structs.ServicePorts", static (d, v) =>
                    d with { LocalServicePorts = v })
            .Text("mode", static (d, v) => d with { Mode = v })
            .Opaque("transparent_proxy", static (d, v) => d with { TransparentProxy = v })
            .Opaque("config", static (d, v) => d with { Config = v })
            .Objects("upstreams", static () => Upstream, UpstreamListType, static (d, v) => d with { Upstreams = v })
            .Object("mesh_gateway", MeshGatewayShape, static (d, v) => d with { MeshGatewayMode = v.Mode })
            .Object("expose", ExposeShape, static (d, v) => d with { Expose = v })
            .OpaqueList("envoy_extensions", static (d, v) => d with { EnvoyExtensions = v })
            .Opaque("access_logs", static (d, v) => d with { AccessLogs = v });
}
