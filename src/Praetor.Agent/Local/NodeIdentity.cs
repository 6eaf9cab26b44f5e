using System.Globalization;
using Praetor.Server.Catalog;
using Praetor.Server.Model;

namespace Praetor.Agent.Local;

/// <summary>Who this agent is, as the catalog shows it.</summary>
public sealed record NodeIdentity
{
    /// <summary>The version that clients of Consul see; what they may expect depends on it.</summary>
    public const string CompatibleVersion = "1.22.0";

    /// <summary>The service under which servers stand; no agent deregisters it.</summary>
    public const string ServerServiceId = "consul";

    /// <summary>The check that says whether a node's agent is alive; no agent deregisters it.</summary>
    public const string AliveCheckId = "serfHealth";

    private volatile IReadOnlyDictionary<string, string> _meta = Config.Empty.Map<string>();

    public required string Id { get; init; }

    public required string Name { get; init; }

    /// <summary>The address that others reach this agent at.</summary>
    public required string Address { get; init; }

    public required string Datacenter { get; init; }

    /// <summary>Addresses by purpose. Null: made from <see cref="Address"/>.</summary>
    public IReadOnlyDictionary<string, string>? TaggedAddresses { get; init; }

    /// <summary>What the configuration says about the node (<c>node_meta</c>); a reload says it anew.</summary>
    public IReadOnlyDictionary<string, string> Meta { get => _meta; init => _meta = value; }

    public Locality? Locality { get; init; }

    public bool IsServer { get; init; }

    /// <summary>Where servers talk to each other.</summary>
    public int ServerPort { get; init; } = 8300;

    /// <summary>-1: off.</summary>
    public int GrpcPort { get; init; } = -1;

    /// <summary>-1: off.</summary>
    public int GrpcTlsPort { get; init; } = -1;

    /// <summary>The node's own metadata with what every agent adds.</summary>
    public IReadOnlyDictionary<string, string> FullMeta => new SortedDictionary<string, string>(
        Meta.ToDictionary(StringComparer.Ordinal), StringComparer.Ordinal)
    {
        ["consul-network-segment"] = "",
        ["consul-version"] = CompatibleVersion,
    };

    public IReadOnlyDictionary<string, string> FullTaggedAddresses => TaggedAddresses ?? Tagged(Address);

    /// <summary>The node's metadata is another one from now on.</summary>
    internal void Reload(IReadOnlyDictionary<string, string> meta) => _meta = meta;

    public NodeRecord Record() => new()
    {
        Id = Id,
        Name = Name,
        Address = Address,
        Datacenter = Datacenter,
        TaggedAddresses = FullTaggedAddresses,
        Meta = FullMeta,
        Locality = Locality,
    };

    /// <summary>What a server says of itself: its node, its service, and that it is alive.</summary>
    public Registration ServerRegistration() => new()
    {
        Node = Record(),
        Service = new ServiceRecord
        {
            Node = Name, Id = ServerServiceId, Name = ServerServiceId, Port = ServerPort, Meta = ServerMeta(),
        },
        Checks =
        [
            new CheckRecord
            {
                Node = Name,
                Id = AliveCheckId,
                Name = "Serf Health Status",
                Status = CheckStatuses.Passing,
                Output = "Agent alive and reachable",
            },
        ],
    };

    private static Dictionary<string, string> Tagged(string address)
    {
        var family = address.Contains(':') ? "ipv6" : "ipv4";
        return new Dictionary<string, string>(StringComparer.Ordinal)
        {
            ["lan"] = address,
            ["lan_" + family] = address,
            ["wan"] = address,
            ["wan_" + family] = address,
        };
    }

    private Dictionary<string, string> ServerMeta()
    {
        var meta = new Dictionary<string, string>(StringComparer.Ordinal)
        {
            ["non_voter"] = "false",
            ["raft_version"] = "3",
            ["read_replica"] = "false",
            ["serf_protocol_current"] = "2",
            ["serf_protocol_max"] = "5",
            ["serf_protocol_min"] = "1",
            ["version"] = CompatibleVersion,
        };
        AddPort(meta, "grpc_port", GrpcPort);
        AddPort(meta, "grpc_tls_port", GrpcTlsPort);
        return meta;
    }

    private static void AddPort(Dictionary<string, string> meta, string key, int port)
    {
        if (port > 0)
        {
            meta[key] = port.ToString(CultureInfo.InvariantCulture);
        }
    }
}
