namespace Praetor.Agent.Config;

/// <summary>
/// What must hold of a definition before it is registered, in the order and in the words of the HTTP API. A file is
/// held to the same rules; of some of them Consul learns only when the agent starts, so they are kept apart.
/// </summary>
public static class DefinitionRules
{
    private const int MetaPairsMax = 64;
    private const int MetaKeyLengthMax = 128;
    private const int MetaValueLengthMax = 512;
    private const int DnsWeightMax = 65535;

    /// <summary>The first thing that is wrong with a service, as the HTTP API answers it. Null: nothing.</summary>
    public static string? FirstProblem(ServiceDefinition service)
    {
        if (service.Name.Length == 0)
        {
            return "Missing service name";
        }
        if (IsAnyAddress(service.Address))
        {
            return "Invalid service address";
        }
        if (WeightsProblem(service.Weights) is { } weights)
        {
            return $"Invalid Weights: {weights}";
        }
        if (MetaProblem(service.Meta) is { } meta)
        {
            return $"Invalid Service Meta: {meta}";
        }
        var structure = StructureProblems(service).ToList();
        if (structure.Count > 0)
        {
            return Listed(structure);
        }
        foreach (var check in service.Checks)
        {
            if (CheckProblem(check) is { } problem)
            {
                return $"Invalid check: {problem}";
            }
            if (!IsStatus(check.Status))
            {
                return "Status for checks must 'passing', 'warning', 'critical'";
            }
        }
        return PortsProblem(service)
            ?? (service.Connect?.SidecarService is { } sidecar ? SidecarProblem(service, sidecar) : null);
    }

    /// <summary>The first thing that is wrong with a check, as the HTTP API answers it. Null: nothing.</summary>
    public static string? FirstProblem(CheckDefinition check)
    {
        if (check.Name.Length == 0)
        {
            return "Missing check name";
        }
        if (!IsStatus(check.Status))
        {
            return "Bad check status";
        }
        return CheckProblem(check) is { } problem ? $"Invalid check: {problem}" : null;
    }

    /// <summary>What is wrong with metadata of a node or a service. Null: nothing.</summary>
    public static string? MetaProblem(IReadOnlyDictionary<string, string> meta, bool reservedAllowed = false)
    {
        if (meta.Count > MetaPairsMax)
        {
            return $"Node metadata cannot contain more than {MetaPairsMax} key/value pairs";
        }
        foreach (var (key, value) in meta)
        {
            if (MetaPairProblem(key, value, reservedAllowed) is { } problem)
            {
                return $"Couldn't load metadata pair ('{key}', '{value}'): {problem}";
            }
        }
        return null;
    }

    /// <summary>What is wrong with how a check is made up. Null: nothing.</summary>
    public static string? CheckProblem(CheckDefinition check)
    {
        var isAlias = check.AliasNode.Length > 0 || check.AliasService.Length > 0;
        var needsInterval = check.Args.Count > 0
            || (check.Http + check.Tcp + check.Grpc + check.Udp + check.H2Ping + check.OsService).Length > 0;
        return (check.Interval > TimeSpan.Zero, check.Ttl > TimeSpan.Zero) switch
        {
            (true, true) => "Interval and TTL cannot both be specified",
            (false, _) when needsInterval => "Interval must be > 0 for Script, HTTP, or TCP checks",
            _ when needsInterval && isAlias => "Interval cannot be set for Alias checks",
            (_, true) when isAlias => "TTL must be not be set for Alias checks",
            (_, false) when !needsInterval && !isAlias => "TTL must be > 0 for TTL checks",
            _ when check.OutputMaxSize < 0 => "MaxOutputMaxSize must be positive",
            _ when check.FailuresBeforeWarning > check.FailuresBeforeCritical =>
                "FailuresBeforeWarning can't be higher than FailuresBeforeCritical",
            _ => null,
        };
    }

    /// <summary>What is wrong with a service of a file, by <c>validate</c>'s judgement.</summary>
    internal static IEnumerable<string> FileProblems(ServiceDefinition service)
    {
        var name = service.Name;
        if (MetaProblem(service.Meta) is { } meta)
        {
            yield return $"invalid meta for service {name}: {meta}";
        }
        if (WeightsProblem(service.Weights) is { } weights)
        {
            yield return $"Invalid weight definition for service {name}: {weights}";
        }
        foreach (var mode in new[] { service.Proxy, service.Connect?.SidecarService?.Proxy }.SelectMany(ModesOf))
        {
            if (mode is not ("" or "none" or "local" or "remote"))
            {
                yield return $"Invalid Mesh Gateway Mode: \"{mode}\"";
            }
        }
        var structure = StructureProblems(service).ToList();
        if (structure.Count > 0)
        {
            yield return $"service \"{name}\": {string.Join("; ", structure)}";
        }
        if (PortsProblem(service) is { } ports)
        {
            yield return $"service \"{name}\": {ports}";
        }
    }

    /// <summary>Why a service of a file is not registered although <c>validate</c> of Consul is content.</summary>
    /// <remarks>Consul asks less of files than of requests: any address and any first status will do.</remarks>
    internal static IEnumerable<string> StartProblems(ServiceDefinition service)
    {
        if (service.Name.Length == 0)
        {
            yield return "Missing service name";
        }
        foreach (var check in service.Checks)
        {
            if (CheckProblem(check) is { } problem)
            {
                yield return $"Invalid check: {problem}";
            }
        }
        if (service.Connect?.SidecarService is { } sidecar && sidecar.Connect?.SidecarService is null)
        {
            var full = SidecarOf(service, sidecar);
            foreach (var problem in FileProblems(full).Concat(StartProblems(full)))
            {
                yield return problem;
            }
        }
    }

    /// <summary>Why a check of a file is not registered although <c>validate</c> of Consul is content. Null: it
    /// is.</summary>
    internal static string? StartProblem(CheckDefinition check) =>
        check.Id.Length == 0 && check.Name.Length == 0 ? "Missing check name"
        : CheckProblem(check) is { } problem ? $"Invalid check: {problem}" : null;

    private static IEnumerable<string> ModesOf(ConnectProxyDefinition? proxy) =>
        proxy is null ? [] : [proxy.MeshGatewayMode, .. proxy.Upstreams.Select(static u => u.MeshGatewayMode)];

    private static bool IsStatus(string status) =>
        status is "" or "passing" or "warning" or "critical" or "maintenance";

    private static bool IsAnyAddress(string address) => address is "0.0.0.0" or "::" or "[::]";

    private static string Listed(List<string> problems)
    {
        var head = problems.Count == 1 ? "1 error occurred:" : $"{problems.Count} errors occurred:";
        return $"{head}\n\t* {string.Join("\n\t* ", problems)}\n\n";
    }

    private static string? WeightsProblem(WeightsDefinition? weights) => weights switch
    {
        null => null,
        { Passing: < 1 } => "Passing must be greater than 0",
        { Warning: < 0 } => "Warning must be greater or equal than 0",
        { Passing: > DnsWeightMax } or { Warning: > DnsWeightMax } => "DNS Weight must be between 0 and 65535",
        _ => null,
    };

    private static string? MetaPairProblem(string key, string value, bool reservedAllowed)
    {
        if (key.Length == 0)
        {
            return "Key cannot be blank";
        }
        if (!key.All(static c => char.IsAsciiLetterOrDigit(c) || c is '-' or '_'))
        {
            return "Key contains invalid characters";
        }
        if (key.Length > MetaKeyLengthMax)
        {
            return $"Key is too long (limit: {MetaKeyLengthMax} characters)";
        }
        if (!reservedAllowed && key.StartsWith("consul-", StringComparison.Ordinal))
        {
            return "Key prefix 'consul-' is reserved for internal use";
        }
        return value.Length > MetaValueLengthMax
            ? $"Value is too long (limit: {MetaValueLengthMax} characters)"
            : null;
    }

    private static string? PortsProblem(ServiceDefinition service)
    {
        if (service.Ports.Count == 0)
        {
            return null;
        }
        if (service.Port != 0)
        {
            return "Cannot set both Port and Ports";
        }
        if (service.Kind == "connect-proxy")
        {
            return "Ports cannot be set for a connect-proxy";
        }
        if (service.Connect?.SidecarService is not null)
        {
            return "MultiPort cannot be used with Consul Connect.";
        }
        if (service.Ports.Any(static port => port.Name.Length == 0))
        {
            return "Ports.Name cannot be empty";
        }
        if (service.Ports.Any(static port => port.Port <= 0))
        {
            return "Ports.Port must be non-zero";
        }
        if (service.Ports.DistinctBy(static port => port.Name, StringComparer.Ordinal).Count() < service.Ports.Count)
        {
            return "Ports.Name must be unique";
        }
        return service.Ports.Count(static port => port.IsDefault) == 1
            ? null
            : "Ports must have exactly one default port";
    }

    private static string? SidecarProblem(ServiceDefinition parent, ServiceDefinition sidecar) =>
        sidecar.Connect?.SidecarService is null ? FirstProblem(SidecarOf(parent, sidecar)) : null;

    /// <summary>A sidecar is judged as the proxy it becomes: with the parent's destination and a port of its
    /// own.</summary>
    private static ServiceDefinition SidecarOf(ServiceDefinition parent, ServiceDefinition sidecar) => sidecar with
    {
        Kind = "connect-proxy",
        Name = $"{parent.Name}-sidecar-proxy",
        Port = sidecar.Port == 0 ? 1 : sidecar.Port,
        Proxy = (sidecar.Proxy ?? new()) with { DestinationServiceName = parent.Name },
    };

    private static IEnumerable<string> StructureProblems(ServiceDefinition service)
    {
        var problems = service.Kind switch
        {
            "connect-proxy" => ProxyProblems(service),
            "mesh-gateway" or "terminating-gateway" or "ingress-gateway" => GatewayProblems(service),
            _ => [],
        };
        return problems.Concat(NestedSidecarProblems(service));
    }

    private static IEnumerable<string> NestedSidecarProblems(ServiceDefinition service)
    {
        if (service.Connect?.SidecarService is not { } sidecar)
        {
            yield break;
        }
        if (sidecar.Id.Length > 0)
        {
            yield return "A SidecarService cannot specify an ID as this is managed by the agent";
        }
        if (sidecar.Connect?.SidecarService is not null)
        {
            yield return "A SidecarService cannot have a nested SidecarService";
        }
    }

    private static IEnumerable<string> ProxyProblems(ServiceDefinition service)
    {
        var proxy = service.Proxy ?? new ConnectProxyDefinition();
        if (proxy.DestinationServiceName.Length == 0)
        {
            yield return "Proxy.DestinationServiceName must be non-empty for Connect proxy services";
        }
        if (service.Port == 0 && service.SocketPath.Length == 0)
        {
            yield return "Port must be set for a Connect proxy";
        }
        if (service.Connect?.Native == true)
        {
            yield return "A Proxy cannot also be Connect Native, only typical services";
        }
        foreach (var problem in UpstreamProblems(proxy.Upstreams).Concat(ExposeProblems(proxy.Expose)))
        {
            yield return problem;
        }
    }

    private static IEnumerable<string> UpstreamProblems(IReadOnlyList<UpstreamDefinition> upstreams)
    {
        var binds = new HashSet<string>(StringComparer.Ordinal);
        var targets = new HashSet<string>(StringComparer.Ordinal);
        foreach (var upstream in upstreams)
        {
            if (UpstreamProblem(upstream) is { } problem)
            {
                yield return problem;
                continue;
            }
            var address = upstream.LocalBindAddress.Length == 0 ? "127.0.0.1" : upstream.LocalBindAddress;
            var bind = upstream.LocalBindSocketPath.Length > 0
                ? upstream.LocalBindSocketPath
                : $"{address}:{upstream.LocalBindPort}";
            if (!binds.Add(bind))
            {
                yield return "upstreams cannot contain duplicates by local bind address and port; "
                    + $"\"{bind}\" is specified twice";
                continue;
            }
            var type = upstream.DestinationType.Length == 0 ? "service" : upstream.DestinationType;
            var target = $"type=\"{type}\", name=\"{upstream.DestinationName}\", "
                + $"namespace=\"{upstream.DestinationNamespace}\", datacenter=\"{upstream.Datacenter}\"";
            // A port or a peer of its own makes another target of the same name.
            if (!targets.Add($"{target} {upstream.DestinationPeer} {upstream.DestinationPort}"))
            {
                yield return $"upstreams cannot contain duplicates of [{target}]";
            }
        }
    }

    private static string? UpstreamProblem(UpstreamDefinition upstream) => upstream switch
    {
        { DestinationType: not ("" or "service" or "prepared_query") } =>
            $"unknown upstream destination type: \"{upstream.DestinationType}\"",
        { DestinationName: "" } => "upstream destination name cannot be empty",
        { DestinationName: "*" } => null,
        { LocalBindPort: 0, LocalBindSocketPath: "" } => "upstream local bind port cannot be zero",
        _ => null,
    };

    private static IEnumerable<string> ExposeProblems(ExposeDefinition expose)
    {
        var ports = new HashSet<int>();
        foreach (var path in expose.Paths)
        {
            if (path.ListenerPort is <= 0 or > ushort.MaxValue)
            {
                yield return $"expose.paths: invalid listener port: {path.ListenerPort}";
            }
            else if (!ports.Add(path.ListenerPort))
            {
                yield return $"duplicate expose paths listener port: {path.ListenerPort}";
            }
            if (path.Path.Length == 0)
            {
                yield return "expose.paths: empty path exposed";
            }
            if (path.Protocol is not ("" or "http" or "http2"))
            {
                yield return $"protocol '{path.Protocol}' not supported for path: {path.Path}, must be http or http2";
            }
        }
    }

    private static IEnumerable<string> GatewayProblems(ServiceDefinition service)
    {
        var proxy = service.Proxy ?? new ConnectProxyDefinition();
        if (service.Port == 0 && service.Kind != "ingress-gateway")
        {
            yield return $"Port must be non-zero for a {service.Kind}";
        }
        var set = new (string Name, bool IsSet)[]
        {
            ("DestinationServiceName", proxy.DestinationServiceName.Length > 0),
            ("DestinationServiceID", proxy.DestinationServiceId.Length > 0),
            ("LocalServiceAddress", proxy.LocalServiceAddress.Length > 0),
            ("LocalServicePort", proxy.LocalServicePort != 0),
            ("Upstreams", proxy.Upstreams.Count > 0),
        };
        foreach (var (name, _) in set.Where(static field => field.IsSet))
        {
            yield return $"The Proxy.{name} configuration is invalid for a {service.Kind}";
        }
        if (service.Connect?.SidecarService is not null)
        {
            yield return $"A {service.Kind} cannot have a sidecar service defined";
        }
        if (service.Connect?.Native == true)
        {
            yield return $"A {service.Kind} cannot be Connect Native";
        }
    }
}
