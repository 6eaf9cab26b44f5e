using System.Net;
using System.Net.Sockets;
using System.Text.Json;
using Languages;
using Praetor.Agent.Checks;
using Praetor.Agent.Config;
using Praetor.Server.Model;

namespace Praetor.Agent.Local;

/// <summary>Turns definitions, of files and of requests alike, into what is registered: defaults filled in.</summary>
/// <param name="node">This agent.</param>
/// <param name="origin">Where the definitions come from.</param>
/// <param name="outputMax">Bytes kept of outputs of checks that do not say (<c>check_output_max_size</c>).</param>
public sealed class DefinitionPlanner(NodeIdentity node, LocalOrigin origin, int outputMax = 0)
{
    private const string Loopback = "127.0.0.1";

    /// <summary>A service with its checks and its sidecar.</summary>
    /// <param name="definition">Checked by <see cref="DefinitionRules"/> before.</param>
    /// <param name="token">The token of definitions that carry none.</param>
    /// <param name="replacesChecks">Whether checks that it had and does not name any more go.</param>
    public ServicePlan Plan(ServiceDefinition definition, string token = "", bool replacesChecks = false)
    {
        var own = definition.Token.Length > 0 ? definition.Token : token;
        var service = new LocalService { Record = Record(definition), Token = own, Origin = origin };
        return new ServicePlan
        {
            Service = service,
            Checks = [.. definition.Checks.Select(check => Plan(check, own))],
            Sidecar = SidecarOf(definition, service),
            ReplacesChecks = replacesChecks,
        };
    }

    /// <summary>A check by itself: of the node, or of the service that it names.</summary>
    public CheckPlan PlanAlone(CheckDefinition definition, string token = "")
    {
        var plan = Plan(definition, token);
        return definition.Id.Length > 0 ? plan : plan with { Spec = plan.Spec with { Id = definition.Name } };
    }

    private CheckPlan Plan(CheckDefinition definition, string token) => new(
        Spec(definition),
        definition.Notes,
        definition.Status,
        definition.Token.Length > 0 ? definition.Token : token);

    private CheckSpec Spec(CheckDefinition d) => new()
    {
        Id = d.Id,
        Name = d.Name,
        ServiceId = d.ServiceId,
        Interval = d.Interval,
        Timeout = d.Timeout,
        Ttl = d.Ttl,
        Http = d.Http,
        Method = d.Method,
        Headers = d.Header,
        Body = d.Body,
        DisableRedirects = d.DisableRedirects,
        TlsSkipVerify = d.TlsSkipVerify,
        TlsServerName = d.TlsServerName,
        Tcp = d.Tcp,
        TcpUseTls = d.TcpUseTls,
        Udp = d.Udp,
        Grpc = d.Grpc,
        GrpcUseTls = d.GrpcUseTls,
        H2Ping = d.H2Ping,
        H2PingUseTls = d.H2PingUseTls ?? true,
        AliasNode = d.AliasNode,
        AliasService = d.AliasService,
        ScriptArgs = d.Args,
        DockerContainerId = d.DockerContainerId,
        Shell = d.Shell,
        OsService = d.OsService,
        SuccessBeforePassing = d.SuccessBeforePassing,
        FailuresBeforeWarning = d.FailuresBeforeWarning,
        FailuresBeforeCritical = d.FailuresBeforeCritical,
        OutputMaxSize = d.OutputMaxSize > 0 ? d.OutputMaxSize : outputMax,
        DeregisterCriticalServiceAfter = d.DeregisterCriticalServiceAfter,
    };

    private ServicePlan? SidecarOf(ServiceDefinition parent, LocalService service)
    {
        if (parent.Connect?.SidecarService is { } asked)
        {
            return asked.Proxy?.Config?["managed"]?.Flag is { } isManaged
                ? Sidecar(asked, service, isManaged)
                : ManagedProxyRules.ByDefault(Sidecar(asked, service, isManaged: true), service, node);
        }

        // The form of Consul 1.2 to 1.5: the agent runs the proxy.
        return parent.Connect?.ManagedProxy is { } managed && parent.Kind.Length == 0
            ? Sidecar(new ServiceDefinition { Proxy = managed, Port = (int)(managed.Config?["bind_port"]?.Whole ?? 0) },
                service, isManaged: true)
            : null;
    }

    private ServicePlan Sidecar(ServiceDefinition asked, LocalService parent, bool isManaged)
    {
        var proxy = asked.Proxy ?? new ConnectProxyDefinition();
        var full = asked with
        {
            Kind = ServiceRecord.ConnectProxyKind,
            Id = Local.Sidecar.IdOf(parent.Record.Id),
            Name = asked.Name.Length > 0 ? asked.Name : parent.Record.Name + "-sidecar-proxy",
            Tags = asked.Tags.Count > 0 ? asked.Tags : parent.Record.Tags ?? [],
            Meta = asked.Meta.Count > 0
                ? asked.Meta
                : parent.Record.Meta ?? new Dictionary<string, string>(StringComparer.Ordinal),
            Proxy = proxy with
            {
                DestinationServiceName = parent.Record.Name,
                DestinationServiceId = parent.Record.Id,
                LocalServiceAddress = proxy.LocalServiceAddress.Length > 0 || proxy.LocalServiceSocketPath.Length > 0
                    ? proxy.LocalServiceAddress
                    : Loopback,
                LocalServicePort = proxy.LocalServicePort > 0 || proxy.LocalServiceSocketPath.Length > 0
                    ? proxy.LocalServicePort
                    : parent.Record.Port,
            },
        };
        var token = asked.Token.Length > 0 ? asked.Token : parent.Token;
        return new ServicePlan
        {
            Service = new LocalService
            {
                Record = Record(full),
                Token = token,
                Origin = origin,
                SidecarOf = parent.Record.Id,
                IsManaged = isManaged,
            },
            Checks = asked.Checks.Count > 0 ? [.. asked.Checks.Select(check => Plan(check, token))] : null,
        };
    }

    private ServiceRecord Record(ServiceDefinition d) => new()
    {
        Node = node.Name,
        Id = d.EffectiveId,
        Name = d.Name,
        Kind = d.Kind,
        Tags = d.Tags.Count > 0 ? d.Tags : null,
        Address = d.Address,
        TaggedAddresses = TaggedAddresses(d),
        Meta = d.Meta.Count > 0 ? d.Meta : null,
        Port = d.Ports.FirstOrDefault(static p => p.IsDefault)?.Port ?? d.Port,
        Ports = Ports(d.Ports),
        SocketPath = d.SocketPath,
        Weights = d.Weights is { } weights
            ? new ServiceWeights(weights.Passing, weights.Warning)
            : ServiceWeights.Default,
        EnableTagOverride = d.EnableTagOverride,
        Proxy = d.Proxy is { } proxy ? Proxy(proxy) : null,
        ConnectNative = d.Connect?.Native ?? false,
        Locality = (d.Locality ?? NodeLocality()) is { } place ? new Locality(place.Region, place.Zone) : null,
    };

    private LocalityDefinition? NodeLocality() => node.Locality is { } place
        ? new LocalityDefinition { Region = place.Region, Zone = place.Zone }
        : null;

    private static List<ServicePort>? Ports(IReadOnlyList<PortDefinition> ports) =>
        ports.Count == 0 ? null : [.. ports.Select(static p => new ServicePort(p.Name, p.Port, p.IsDefault))];

    // An address is also the answer to who asks for one of its family, unless that one is given.
    private static SortedDictionary<string, ServiceAddress>? TaggedAddresses(ServiceDefinition d)
    {
        var tagged = new SortedDictionary<string, ServiceAddress>(StringComparer.Ordinal);
        foreach (var (tag, address) in d.TaggedAddresses)
        {
            tagged[tag] = new ServiceAddress(address.Address, address.Port);
        }

        if (IPAddress.TryParse(d.Address, out var ip))
        {
            var family = ip.AddressFamily == AddressFamily.InterNetwork ? "ipv4" : "ipv6";
            tagged.TryAdd("lan_" + family, new ServiceAddress(d.Address, d.Port));
            tagged.TryAdd("wan_" + family, new ServiceAddress(d.Address, d.Port));
        }

        return tagged.Count > 0 ? tagged : null;
    }

    private static ServiceProxy Proxy(ConnectProxyDefinition d) => new()
    {
        DestinationServiceName = d.DestinationServiceName,
        DestinationServiceId = d.DestinationServiceId,
        LocalServiceAddress = d.LocalServiceAddress,
        LocalServicePort = d.LocalServicePort,
        LocalServiceSocketPath = d.LocalServiceSocketPath,
        Mode = d.Mode,
        Config = Json(d.Config),
        Upstreams = d.Upstreams.Count > 0 ? [.. d.Upstreams.Select(Upstream)] : null,
        MeshGatewayMode = d.MeshGatewayMode,
        ExposeChecks = d.Expose.Checks,
        ExposePaths = d.Expose.Paths.Count == 0 ? null : [.. d.Expose.Paths.Select(static p => new ExposedPath(
            p.Path, p.LocalPathPort, p.ListenerPort, p.Protocol.Length > 0 ? p.Protocol : "http", false))],
        Further = Further(
            ("TransparentProxy", d.TransparentProxy),
            ("LocalServicePorts", PortList(d.LocalServicePorts)),
            ("EnvoyExtensions", ListOf(d.EnvoyExtensions)),
            ("AccessLogs", d.AccessLogs)),
    };

    private static ServiceUpstream Upstream(UpstreamDefinition d) => new()
    {
        DestinationType = d.DestinationType.Length > 0 ? d.DestinationType : "service",
        DestinationName = d.DestinationName,
        Datacenter = d.Datacenter,
        LocalBindAddress = d.LocalBindAddress,
        LocalBindPort = d.LocalBindPort,
        LocalBindSocketPath = d.LocalBindSocketPath,
        LocalBindSocketMode = d.LocalBindSocketMode,
        Config = Json(d.Config),
        MeshGatewayMode = d.MeshGatewayMode,
        Further = Further(
            ("DestinationNamespace", TextOf(d.DestinationNamespace)),
            ("DestinationPartition", TextOf(d.DestinationPartition)),
            ("DestinationPeer", TextOf(d.DestinationPeer)),
            ("DestinationPort", TextOf(d.DestinationPort))),
    };

    private static ConfigNode? TextOf(string text) => text.Length > 0 ? ConfigNode.OfString(text, default) : null;

    private static ConfigNode? ListOf(IReadOnlyList<ConfigNode> items) =>
        items.Count > 0 ? ConfigNode.OfList(items, default) : null;

    private static ConfigNode? PortList(IReadOnlyList<PortDefinition> ports) => ListOf([.. ports.Select(static p =>
        ConfigNode.OfObject(
            [
                new ConfigMember("Name", default, ConfigNode.OfString(p.Name, default)),
                new ConfigMember("Port", default, ConfigNode.OfWhole(p.Port, default)),
            ],
            default))]);

    private static JsonElement? Json(ConfigNode? node) => node is null ? null : JsonElement.Parse(node.ToJson());

    private static Dictionary<string, JsonElement>? Further(
        params ReadOnlySpan<(string Name, ConfigNode? Value)> members)
    {
        Dictionary<string, JsonElement>? further = null;
        foreach (var (name, value) in members)
        {
            if (Json(value) is { } element)
            {
                (further ??= new Dictionary<string, JsonElement>(StringComparer.Ordinal))[name] = element;
            }
        }

        return further;
    }
}
