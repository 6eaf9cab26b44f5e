using System.Globalization;
using System.Text.Json;
using Praetor.Agent.Checks;
using Praetor.Agent.Cluster;
using Praetor.Agent.Local;
using Praetor.Agent.Membership;

namespace Praetor.Agent.Http.Endpoints;

/// <summary>What an agent says of itself beyond its services and checks.</summary>
internal sealed record AgentFacts
{
    public required NodeIdentity Node { get; init; }

    /// <summary>The product's own version, beside the one that clients of Consul look for.</summary>
    public required string ProductVersion { get; init; }

    /// <summary>When it was built, RFC 3339.</summary>
    public string BuildDate { get; init; } = "1970-01-01T00:00:00Z";

    public string Revision { get; init; } = "";

    public string PrimaryDatacenter { get; init; } = "";

    public string BindAddress { get; init; } = "";

    public bool IsDev { get; init; }

    /// <summary>Where gossip between agents goes.</summary>
    public int GossipPort { get; init; } = 8301;

    public int WanPort { get; init; } = 8302;

    /// <summary>Whether ACLs are on.</summary>
    public bool HasAcls { get; init; }

    /// <summary>Writes the settings as they are in effect, by name as Consul shows them; none is a secret.</summary>
    public Action<Utf8JsonWriter>? DebugConfig { get; init; }

    /// <summary>Numbers about the state by group, such as raft; all are texts.</summary>
    public Func<IReadOnlyDictionary<string, IReadOnlyDictionary<string, string>>> Stats { get; init; } =
        static () => new Dictionary<string, IReadOnlyDictionary<string, string>>(StringComparer.Ordinal);

    /// <summary>How many servers this agent can ask; a client's only.</summary>
    public Func<int> KnownServers { get; init; } = static () => 0;

    /// <summary>How many datacenters are known, the own one among them.</summary>
    public Func<int> KnownDatacenters { get; init; } = static () => 1;

    /// <summary>The version of Consul's protocol that members are told of.</summary>
    public int Protocol { get; init; } = 2;

    /// <summary>After how long others are to forget this agent when it failed. Zero: they decide.</summary>
    public TimeSpan ReconnectTimeout { get; init; }

    /// <summary>How many servers this one waits for; 0: none.</summary>
    public int Expect { get; init; }

    /// <summary>Where its etcd is reached by those of other servers.</summary>
    public int StorePeerPort { get; init; }

    public bool HasStoreTls { get; init; }

    /// <summary>This agent as a member.</summary>
    public AgentMember Member() => new(Node.Name, Node.Address, GossipPort, Tags(isWan: false), MemberStatus.Alive);

    /// <summary>This server as a member among datacenters.</summary>
    public AgentMember WanMember() => new(
        $"{Node.Name}.{Node.Datacenter}", Node.FullTaggedAddresses.GetValueOrDefault("wan", Node.Address), WanPort,
        Tags(isWan: true), MemberStatus.Alive);

    private SortedDictionary<string, string> Tags(bool isWan)
    {
        var tags = new SortedDictionary<string, string>(StringComparer.Ordinal)
        {
            ["acls"] = HasAcls ? "1" : "0",
            ["build"] = NodeIdentity.CompatibleVersion + ":",
            ["dc"] = Node.Datacenter,
            ["id"] = Node.Id,
            ["role"] = Node.IsServer ? "consul" : "node",
            ["segment"] = "",
            ["vsn"] = Text(Protocol),
            ["vsn_max"] = "3",
            ["vsn_min"] = "2",
        };
        if (Node.IsServer)
        {
            tags["ft_fs"] = "1";
            tags["ft_si"] = "1";
            tags["port"] = Text(Node.ServerPort);
            tags["raft_vsn"] = "3";
            if (Expect > 1 && !isWan)
            {
                tags[Founding.ExpectTag] = Text(Expect);
                tags[Founding.PeerPortTag] = Text(StorePeerPort);
                if (HasStoreTls)
                {
                    tags[Founding.PeerTlsTag] = Founding.Yes;
                }
            }

            if (!isWan)
            {
                tags["wan_join_port"] = Text(WanPort);
            }
        }

        if (ReconnectTimeout > TimeSpan.Zero)
        {
            tags[GossipSettings.ReconnectTag] = GoText.Duration(ReconnectTimeout);
        }

        if (Node.GrpcPort > 0)
        {
            tags["grpc_port"] = Text(Node.GrpcPort);
        }

        if (Node.GrpcTlsPort > 0)
        {
            tags["grpc_tls_port"] = Text(Node.GrpcTlsPort);
        }

        return tags;
    }

    private static string Text(int number) => number.ToString(CultureInfo.InvariantCulture);
}
