using System.Text.Json;
using System.Text.Json.Serialization;

namespace Praetor.Client.Connect;

/// <summary>A service's leaf certificate, from <c>/v1/agent/connect/ca/leaf/:service</c>.</summary>
public sealed record LeafCertificate
{
    /// <summary>The certificate's serial number.</summary>
    public string SerialNumber { get; init; } = "";

    /// <summary>The certificate, followed by intermediates.</summary>
    public string CertPEM { get; init; } = "";

    /// <summary>The private key. Never log it.</summary>
    public string PrivateKeyPEM { get; init; } = "";

    /// <summary>The service's name.</summary>
    public string Service { get; init; } = "";

    /// <summary>The service's identity.</summary>
    public string ServiceURI { get; init; } = "";

    /// <summary>When the certificate begins to be valid.</summary>
    public DateTimeOffset ValidAfter { get; init; }

    /// <summary>When the certificate ends to be valid.</summary>
    public DateTimeOffset ValidBefore { get; init; }

    /// <summary>Never the key.</summary>
    public override string ToString() => $"leaf {SerialNumber} of {ServiceURI}";
}

/// <summary>The mesh's roots, from <c>/v1/agent/connect/ca/roots</c>.</summary>
public sealed record TrustBundle
{
    /// <summary>The root that signs now.</summary>
    public string ActiveRootID { get; init; } = "";

    /// <summary>The trust domain of all identities.</summary>
    public string TrustDomain { get; init; } = "";

    /// <summary>All roots, those still trusted during a rotation too.</summary>
    public IReadOnlyList<TrustRoot>? Roots { get; init; }
}

/// <summary>One root of the mesh.</summary>
public sealed record TrustRoot
{
    /// <summary>The root's id.</summary>
    public string ID { get; init; } = "";

    /// <summary>The root's name.</summary>
    public string Name { get; init; } = "";

    /// <summary>The certificate.</summary>
    public string RootCert { get; init; } = "";

    /// <summary>Intermediates that lead to it.</summary>
    public IReadOnlyList<string>? IntermediateCerts { get; init; }

    /// <summary>Whether it signs now.</summary>
    public bool Active { get; init; }
}

/// <summary>An intention, as <c>/v1/connect/intentions/match</c> gives it.</summary>
public sealed record MatchedIntention
{
    /// <summary>The intention's id; empty for one that is a config entry.</summary>
    public string? ID { get; init; }

    /// <summary>The source's namespace.</summary>
    public string? SourceNS { get; init; }

    /// <summary>The source service, or <c>*</c>.</summary>
    public string SourceName { get; init; } = "";

    /// <summary>The destination service, or <c>*</c>.</summary>
    public string DestinationName { get; init; } = "";

    /// <summary>The peer the source is of; null or empty: this cluster.</summary>
    public string? SourcePeer { get; init; }

    /// <summary>The group of clusters the source is of; null or empty: this cluster.</summary>
    public string? SourceSamenessGroup { get; init; }

    /// <summary><c>allow</c> or <c>deny</c>; empty for an intention on requests.</summary>
    public string? Action { get; init; }

    /// <summary>The state's index at its last change.</summary>
    public ulong ModifyIndex { get; init; }
}

/// <summary>A question to <c>/v1/agent/connect/authorize</c>.</summary>
public sealed record AuthorizeQuestion
{
    /// <summary>The destination service.</summary>
    public string Target { get; init; } = "";

    /// <summary>The client's identity.</summary>
    public string ClientCertURI { get; init; } = "";

    /// <summary>The client certificate's serial number.</summary>
    public string ClientCertSerial { get; init; } = "";
}

/// <summary>The agent's answer.</summary>
public sealed record AuthorizeAnswer
{
    /// <summary>Whether the client may connect.</summary>
    public bool Authorized { get; init; }

    /// <summary>Why.</summary>
    public string Reason { get; init; } = "";
}

/// <summary>A proxy's registration, from <c>/v1/agent/service/:id</c>.</summary>
public sealed record ProxyRegistration
{
    /// <summary><c>connect-proxy</c> for a sidecar.</summary>
    public string? Kind { get; init; }

    /// <summary>The registration's id.</summary>
    public string ID { get; init; } = "";

    /// <summary>The registration's service name.</summary>
    public string Service { get; init; } = "";

    /// <summary>The address others reach it at; empty: the node's.</summary>
    public string? Address { get; init; }

    /// <summary>The port others reach it at.</summary>
    public int Port { get; init; }

    /// <summary>What it proxies.</summary>
    public ProxyDefinition? Proxy { get; init; }
}

/// <summary>What a proxy is for.</summary>
public sealed record ProxyDefinition
{
    /// <summary>The service it stands for.</summary>
    public string DestinationServiceName { get; init; } = "";

    /// <summary>The instance of it.</summary>
    public string? DestinationServiceID { get; init; }

    /// <summary>Where that instance listens.</summary>
    public string? LocalServiceAddress { get; init; }

    /// <summary>Where that instance listens.</summary>
    public int LocalServicePort { get; init; }

    /// <summary>The proxy's own settings.</summary>
    public Dictionary<string, JsonElement>? Config { get; init; }

    /// <summary>The services it reaches.</summary>
    public IReadOnlyList<UpstreamDefinition>? Upstreams { get; init; }
}

/// <summary>A service that a proxy reaches.</summary>
public sealed record UpstreamDefinition
{
    /// <summary><c>service</c> or <c>prepared_query</c>.</summary>
    public string? DestinationType { get; init; }

    /// <summary>The service's or query's name.</summary>
    public string DestinationName { get; init; } = "";

    /// <summary>The datacenter; empty: the agent's.</summary>
    public string? Datacenter { get; init; }

    /// <summary>Where the proxy listens for it; empty: 127.0.0.1.</summary>
    public string? LocalBindAddress { get; init; }

    /// <summary>Where the proxy listens for it.</summary>
    public int LocalBindPort { get; init; }

    /// <summary>Settings of this upstream.</summary>
    public Dictionary<string, JsonElement>? Config { get; init; }
}

/// <summary>An instance that speaks for a service in the mesh, from <c>/v1/health/connect/:service</c>.</summary>
public sealed record MeshInstance
{
    /// <summary>The node it is on.</summary>
    public MeshNode Node { get; init; } = new();

    /// <summary>The instance.</summary>
    public ProxyRegistration Service { get; init; } = new();
}

/// <summary>The node of an instance.</summary>
public sealed record MeshNode
{
    /// <summary>The node's name.</summary>
    public string Node { get; init; } = "";

    /// <summary>The node's address.</summary>
    public string Address { get; init; } = "";

    /// <summary>The node's datacenter.</summary>
    public string Datacenter { get; init; } = "";
}

/// <summary>The answer of a prepared query.</summary>
public sealed record MeshQueryAnswer
{
    /// <summary>The service that was found.</summary>
    public string Service { get; init; } = "";

    /// <summary>Its instances.</summary>
    public IReadOnlyList<MeshInstance>? Nodes { get; init; }

    /// <summary>The datacenter that answered.</summary>
    public string Datacenter { get; init; } = "";
}

/// <summary>How a proxy registers itself.</summary>
public sealed record SelfRegistration
{
    /// <summary>Always <c>connect-proxy</c>.</summary>
    public string Kind { get; init; } = "connect-proxy";

    /// <summary>The registration's id.</summary>
    public string ID { get; init; } = "";

    /// <summary>The registration's service name.</summary>
    public string Name { get; init; } = "";

    /// <summary>Where the proxy listens.</summary>
    public string Address { get; init; } = "";

    /// <summary>Where the proxy listens.</summary>
    public int Port { get; init; }

    /// <summary>What it is for.</summary>
    public SelfProxy Proxy { get; init; } = new();

    /// <summary>The check it keeps up.</summary>
    public SelfCheck Check { get; init; } = new();
}

/// <summary>What a proxy that registers itself is for.</summary>
public sealed record SelfProxy
{
    /// <summary>The service it stands for.</summary>
    public string DestinationServiceName { get; init; } = "";
}

/// <summary>The check of a proxy that registers itself.</summary>
public sealed record SelfCheck
{
    /// <summary>The check's id.</summary>
    public string CheckID { get; init; } = "";

    /// <summary>The check's name.</summary>
    public string Name { get; init; } = "";

    /// <summary>How long a heartbeat holds, like <c>10s</c>.</summary>
    public string TTL { get; init; } = "";

    /// <summary>A note for people.</summary>
    public string Notes { get; init; } = "";

    /// <summary>The check's state to begin with.</summary>
    public string Status { get; init; } = "passing";
}

[JsonSourceGenerationOptions(PropertyNameCaseInsensitive = true)]
[JsonSerializable(typeof(LeafCertificate))]
[JsonSerializable(typeof(TrustBundle))]
[JsonSerializable(typeof(Dictionary<string, List<MatchedIntention>>))]
[JsonSerializable(typeof(List<MatchedIntention>))]
[JsonSerializable(typeof(AuthorizeQuestion))]
[JsonSerializable(typeof(AuthorizeAnswer))]
[JsonSerializable(typeof(ProxyRegistration))]
[JsonSerializable(typeof(Dictionary<string, ProxyRegistration>))]
[JsonSerializable(typeof(List<MeshInstance>))]
[JsonSerializable(typeof(MeshQueryAnswer))]
[JsonSerializable(typeof(SelfRegistration))]
internal sealed partial class ConnectJson : JsonSerializerContext;
