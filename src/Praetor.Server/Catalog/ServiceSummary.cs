using Praetor.Server.Model;
using Praetor.Server.State;

namespace Praetor.Server.Catalog;

/// <summary>A service in one line: what a list of services shows of all its instances together.</summary>
public sealed record ServiceSummary
{
    /// <summary>The service's name, as its instances write it.</summary>
    public required string Name { get; init; }

    /// <summary>The kind of the last of its instances.</summary>
    public string Kind { get; init; } = "";

    /// <summary>The datacenter that its nodes are in.</summary>
    public string Datacenter { get; init; } = "";

    /// <summary>Every tag of any instance, in order.</summary>
    public IReadOnlyList<string> Tags { get; init; } = [];

    /// <summary>The node of each instance, in order; one that runs two stands there twice.</summary>
    public IReadOnlyList<string> Nodes { get; init; } = [];

    /// <summary>What its proxies stand for, in the order in which they are met.</summary>
    public IReadOnlyList<string> ProxyFor { get; init; } = [];

    /// <summary>Who else keeps its instances, such as kubernetes, in the order in which they are met.</summary>
    public IReadOnlyList<string> ExternalSources { get; init; } = [];

    /// <summary>The checks of each instance and, for each, of its node.</summary>
    public CheckTally Checks { get; init; }

    /// <summary>Whether a proxy stands for it.</summary>
    public bool HasProxy { get; init; }

    /// <summary>Whether all proxies that stand for it are transparent.</summary>
    public bool IsTransparent { get; init; }

    /// <summary>Whether an instance speaks the mesh's TLS itself.</summary>
    public bool IsConnectNative { get; init; }

    /// <summary>All services by name, of those instances that pass.</summary>
    public static IReadOnlyList<ServiceSummary> Of(ReadView view, Func<Instance, bool> passes)
    {
        view.NotePrefix(Tables.TouchByName, []);
        var builders = new Dictionary<string, ServiceSummaryBuilder>(StringComparer.Ordinal);
        foreach (var service in view.PeekScan(Tables.ServicesByName, []))
        {
            if (view.Peek(Tables.NodesByName, KeyBytes.Folded(service.Node)) is { } node
                && new Instance(node, service, CatalogQueries.ChecksFor(view, service)) is var instance
                && passes(instance))
            {
                ServiceSummaryBuilder.Of(service, builders).Add(node, service, CheckTally.Of(instance.Checks));
            }
        }

        return [.. builders.Values.Select(builder => builder.Build(view)).OrderBy(s => s.Name, StringComparer.Ordinal)];
    }
}

/// <summary>Puts a <see cref="ServiceSummary"/> together, instance by instance.</summary>
internal sealed class ServiceSummaryBuilder(string name)
{
    // By this word in an instance's metadata tools say that they keep it.
    private const string ExternalSource = "external-source";

    private readonly List<string> _nodes = [];
    private readonly OrderedDictionary<string, bool> _proxyFor = new(StringComparer.Ordinal);
    private readonly OrderedDictionary<string, bool> _sources = new(StringComparer.Ordinal);
    private SortedSet<string>? _tags;
    private CheckTally _checks;
    private string _kind = "";
    private string _datacenter = "";
    private bool _isConnectNative;

    /// <summary>The one of an instance's service, made when there is none.</summary>
    public static ServiceSummaryBuilder Of(ServiceRecord service, Dictionary<string, ServiceSummaryBuilder> builders)
    {
        if (!builders.TryGetValue(service.Name, out var builder))
        {
            builders.Add(service.Name, builder = new ServiceSummaryBuilder(service.Name));
        }

        return builder;
    }

    public void Add(NodeRecord node, ServiceRecord service, CheckTally checks)
    {
        _nodes.Add(node.Name);
        _kind = service.Kind;
        _datacenter = node.Datacenter;
        _checks += checks;
        _isConnectNative |= service.ConnectNative;
        foreach (var tag in service.Tags ?? [])
        {
            (_tags ??= new SortedSet<string>(StringComparer.Ordinal)).Add(tag);
        }

        if (service.Meta?.GetValueOrDefault(ExternalSource) is { Length: > 0 } source)
        {
            _sources.TryAdd(source, true);
        }

        if (service is { Kind: ServiceRecord.ConnectProxyKind, ConnectDestination: { } destination })
        {
            _proxyFor.TryAdd(destination, true);
        }
    }

    public ServiceSummary Build(ReadView view)
    {
        var proxies = view.PeekScan(Tables.ServicesByConnect, KeyBytes.Folded(name))
            .Where(static s => s.Kind == ServiceRecord.ConnectProxyKind).ToList();
        _nodes.Sort(StringComparer.Ordinal);
        return new ServiceSummary
        {
            Name = name,
            Kind = _kind,
            Datacenter = _datacenter,
            Tags = _tags is null ? [] : [.. _tags],
            Nodes = [.. _nodes],
            ProxyFor = [.. _proxyFor.Keys],
            ExternalSources = [.. _sources.Keys],
            Checks = _checks,
            HasProxy = proxies.Count > 0,
            IsTransparent = proxies.Count > 0 && proxies.TrueForAll(static s => s.Proxy?.Mode == "transparent"),
            IsConnectNative = _isConnectNative,
        };
    }
}
