using System.Text.Json;
using Praetor.Server.State;

namespace Praetor.Server.Model;

/// <summary>One instance of a service on one node.</summary>
public sealed record ServiceRecord : StoredRecord
{
    /// <summary>The kinds that carry traffic for others.</summary>
    public const string ConnectProxyKind = "connect-proxy";

    /// <summary>The name of the node it runs on.</summary>
    public string Node { get; init; } = "";

    /// <summary>The instance's id, unique on its node.</summary>
    public required string Id { get; init; }

    /// <summary>The service's name.</summary>
    public required string Name { get; init; }

    /// <summary>Empty for an ordinary service, else connect-proxy, mesh-gateway …</summary>
    public string Kind { get; init; } = "";

    /// <summary>Tags. Null: none were given.</summary>
    public IReadOnlyList<string>? Tags { get; init; }

    /// <summary>Its own address. Empty: its node's.</summary>
    public string Address { get; init; } = "";

    /// <summary>Addresses by purpose. Null: none were given.</summary>
    public IReadOnlyDictionary<string, ServiceAddress>? TaggedAddresses { get; init; }

    /// <summary>Free metadata. Null: none was given.</summary>
    public IReadOnlyDictionary<string, string>? Meta { get; init; }

    /// <summary>The port; with <see cref="Ports"/>, that of the default port.</summary>
    public int Port { get; init; }

    /// <summary>Named ports. Null: only <see cref="Port"/>.</summary>
    public IReadOnlyList<ServicePort>? Ports { get; init; }

    /// <summary>A unix socket in place of a port. Empty: none.</summary>
    public string SocketPath { get; init; } = "";

    /// <summary>Shares of traffic by health.</summary>
    public ServiceWeights Weights { get; init; } = ServiceWeights.Default;

    /// <summary>Whether tags changed in the catalog stay, although the agent knows others.</summary>
    public bool EnableTagOverride { get; init; }

    /// <summary>What a proxy stands for. Null: not a proxy.</summary>
    public ServiceProxy? Proxy { get; init; }

    /// <summary>Whether the service speaks the mesh's TLS itself.</summary>
    public bool ConnectNative { get; init; }

    /// <summary>Where it is. Null: where its node is.</summary>
    public Locality? Locality { get; init; }

    /// <summary>The service that mesh connections to this instance reach. Null: it takes none.</summary>
    public string? ConnectDestination => Kind == ConnectProxyKind
        ? Proxy?.DestinationServiceName
        : ConnectNative ? Name : null;
}

/// <summary>An address and a port.</summary>
public sealed record ServiceAddress(string Address, int Port);

/// <summary>A named port of a service that has several.</summary>
public sealed record ServicePort(string Name, int Port, bool Default);

/// <summary>Shares of traffic that an instance gets by its health, as in DNS SRV.</summary>
public sealed record ServiceWeights(int Passing, int Warning)
{
    /// <summary>One and one.</summary>
    public static ServiceWeights Default { get; } = new(1, 1);
}

/// <summary>What a proxy service stands for and how it is configured.</summary>
public sealed record ServiceProxy
{
    /// <summary>The service that it takes traffic for.</summary>
    public string DestinationServiceName { get; init; } = "";

    /// <summary>The instance that it takes traffic for. Empty: any.</summary>
    public string DestinationServiceId { get; init; } = "";

    /// <summary>Where that instance listens. Empty: 127.0.0.1.</summary>
    public string LocalServiceAddress { get; init; } = "";

    /// <summary>Its port. 0: the destination's own.</summary>
    public int LocalServicePort { get; init; }

    /// <summary>Its unix socket in place of a port. Empty: none.</summary>
    public string LocalServiceSocketPath { get; init; } = "";

    /// <summary>direct, transparent, or empty.</summary>
    public string Mode { get; init; } = "";

    /// <summary>Settings for the proxy, as they were given. Null: none.</summary>
    public JsonElement? Config { get; init; }

    /// <summary>Services that it opens the way to. Null: none.</summary>
    public IReadOnlyList<ServiceUpstream>? Upstreams { get; init; }

    /// <summary>Mode of the mesh gateway, or empty.</summary>
    public string MeshGatewayMode { get; init; } = "";

    /// <summary>Whether the checks' paths are exposed without TLS.</summary>
    public bool ExposeChecks { get; init; }

    /// <summary>Paths exposed without TLS. Null: none.</summary>
    public IReadOnlyList<ExposedPath>? ExposePaths { get; init; }

    /// <summary>Further members that today's clients send, by name, as they came. Null: none.</summary>
    public IReadOnlyDictionary<string, JsonElement>? Further { get; init; }
}

/// <summary>A way from a proxy to another service.</summary>
public sealed record ServiceUpstream
{
    /// <summary>service or prepared_query.</summary>
    public string DestinationType { get; init; } = "service";

    /// <summary>The name of the service or the query.</summary>
    public string DestinationName { get; init; } = "";

    /// <summary>Empty: the agent's own datacenter.</summary>
    public string Datacenter { get; init; } = "";

    /// <summary>Where the proxy listens for it. Empty: 127.0.0.1.</summary>
    public string LocalBindAddress { get; init; } = "";

    /// <summary>The port there.</summary>
    public int LocalBindPort { get; init; }

    /// <summary>A unix socket in place of address and port. Empty: none.</summary>
    public string LocalBindSocketPath { get; init; } = "";

    /// <summary>Mode of that socket, in octal. Empty: 0644.</summary>
    public string LocalBindSocketMode { get; init; } = "";

    /// <summary>Settings, as they were given. Null: none.</summary>
    public JsonElement? Config { get; init; }

    /// <summary>Mode of the mesh gateway, or empty.</summary>
    public string MeshGatewayMode { get; init; } = "";

    /// <summary>Further members that today's clients send, by name, as they came. Null: none.</summary>
    public IReadOnlyDictionary<string, JsonElement>? Further { get; init; }
}

/// <summary>A path that is reachable without TLS.</summary>
public sealed record ExposedPath(
    string Path, int LocalPathPort, int ListenerPort, string Protocol, bool ParsedFromCheck);
