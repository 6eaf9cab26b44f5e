namespace Praetor.Client.Watches;

/// <summary>What to watch.</summary>
public sealed record WatchQuery
{
    private const string Any = "any";
    private const string No = "false";

    // The parameters that a type takes, beside those that are about the request.
    private static readonly Dictionary<string, string[]> Takes = new(StringComparer.Ordinal)
    {
        ["key"] = ["key", "stale"],
        ["keyprefix"] = ["prefix", "stale"],
        ["services"] = ["stale", "filter"],
        ["nodes"] = ["stale", "filter"],
        ["service"] = ["service", "tag", "passingonly", "stale", "filter"],
        ["checks"] = ["service", "state", "stale", "filter"],
        ["event"] = ["name"],
        ["connect_roots"] = [],
        ["connect_leaf"] = ["service"],
        ["agent_service"] = ["service_id"],
    };

    /// <summary>key, keyprefix, services, nodes, service, checks, event, connect_roots, connect_leaf or
    /// agent_service.</summary>
    public required string Type { get; init; }

    /// <summary>Type key: the key.</summary>
    public string Key { get; init; } = "";

    /// <summary>Type keyprefix: how the keys begin.</summary>
    public string Prefix { get; init; } = "";

    /// <summary>Types service and connect_leaf: the service. Type checks: its checks only; empty: all.</summary>
    public string Service { get; init; } = "";

    /// <summary>Type agent_service: the instance's id on the agent.</summary>
    public string ServiceId { get; init; } = "";

    /// <summary>Type service: instances that have all these tags.</summary>
    public IReadOnlyList<string> Tags { get; init; } = [];

    /// <summary>Type service: instances only whose checks all pass.</summary>
    public bool PassingOnly { get; init; }

    /// <summary>Type checks: those with this status only. Empty: all.</summary>
    public string State { get; init; } = "";

    /// <summary>Type event: events of this name only. Empty: all.</summary>
    public string Name { get; init; } = "";

    /// <summary>Types services, nodes, service and checks: what fits this expression. Empty: all.</summary>
    public string Filter { get; init; } = "";

    /// <summary>Let any server answer, even if what it knows is older than the leader's.</summary>
    public bool Stale { get; init; }

    /// <summary>Reads parameters by name, as configuration files and command lines give them.</summary>
    /// <param name="parameters">Names with their values; only <c>tag</c> may have several.</param>
    /// <param name="problem">What is wrong, in Consul's words.</param>
    /// <returns>Null: something is wrong.</returns>
    public static WatchQuery? Parse(
        IReadOnlyDictionary<string, IReadOnlyList<string>> parameters, out string problem)
    {
        string One(string name) => parameters.TryGetValue(name, out var values) && values.Count > 0 ? values[0] : "";
        var query = new WatchQuery
        {
            Type = One("type"),
            Key = One("key"),
            Prefix = One("prefix"),
            Service = One("service"),
            ServiceId = One("service_id"),
            Tags = parameters.GetValueOrDefault("tag") ?? [],
            PassingOnly = One("passingonly") is not ("" or No),
            State = One("state"),
            Name = One("name"),
            Filter = One("filter"),
            Stale = One("stale") is not ("" or No),
        };
        if (query.Type.Length == 0)
        {
            problem = "Watch type must be specified";
            return null;
        }

        if (!Takes.TryGetValue(query.Type, out var takes))
        {
            problem = $"Unsupported watch type: {query.Type}";
            return null;
        }

        var foreign = parameters.Keys.Where(name => name != "type" && !takes.Contains(name, StringComparer.Ordinal))
            .Order(StringComparer.Ordinal).ToList();
        problem = query.Missing()
            ?? (foreign.Count > 0 ? $"Invalid parameters: [{string.Join(' ', foreign)}]" : "");
        return problem.Length == 0 ? query : null;
    }

    internal (string Path, QueryOptions Query, WatchShape Shape) Request()
    {
        var read = new QueryOptions { Stale = Stale, Filter = Filter };
        return Type switch
        {
            "key" => (PraetorClient.KvPath(Key), read, WatchShapes.Key),
            "keyprefix" => (PraetorClient.KvPath(Prefix), read.With("recurse", ""), WatchShapes.Keys),
            "services" => ("/v1/catalog/services", read, WatchShapes.Services),
            "nodes" => ("/v1/catalog/nodes", read, WatchShapes.Nodes),
            "service" => ("/v1/health/service/" + Escaped(Service), Selected(read), WatchShapes.Service),
            "checks" => (ChecksPath(), read, WatchShapes.Checks),
            "event" => ("/v1/event/list", Name.Length > 0 ? read.With("name", Name) : read, WatchShapes.Events),
            "connect_roots" => ("/v1/agent/connect/ca/roots", read, WatchShapes.Roots),
            "connect_leaf" => ("/v1/agent/connect/ca/leaf/" + Escaped(Service), read, WatchShapes.Leaf),
            _ => ("/v1/agent/service/" + Escaped(ServiceId), read, WatchShapes.AgentService),
        };
    }

    private static string Escaped(string text) => Uri.EscapeDataString(text);

    private QueryOptions Selected(QueryOptions read)
    {
        foreach (var tag in Tags)
        {
            read = read.With("tag", tag);
        }

        return PassingOnly ? read.With("passing", "1") : read;
    }

    private string ChecksPath() => Service.Length > 0
        ? "/v1/health/checks/" + Escaped(Service)
        : "/v1/health/state/" + Escaped(State.Length > 0 ? State : Any);

    private string? Missing() => Type switch
    {
        "key" when Key.Length == 0 => "Must specify a single key to watch",
        "keyprefix" when Prefix.Length == 0 => "Must specify a single prefix to watch",
        "service" when Service.Length == 0 => "Must specify a single service to watch",
        "checks" when Service.Length > 0 && State.Length > 0 => "Cannot specify service and state",
        _ => null,
    };
}
