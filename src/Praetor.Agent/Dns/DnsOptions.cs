using System.Net;

namespace Praetor.Agent.Dns;

/// <summary>How DNS is served: <c>addresses.dns</c>, <c>ports.dns</c>, <c>domain</c>, <c>dns_config</c> and
/// <c>recursors</c> of the configuration. All but addresses and port may change by reload.</summary>
public sealed record DnsOptions
{
    /// <summary>Where UDP and TCP listen. Default 127.0.0.1.</summary>
    public IReadOnlyList<IPAddress> Addresses { get; init; } = [IPAddress.Loopback];

    /// <summary>Default 8600; 0 takes any free port, the same for UDP and TCP of one address.</summary>
    public int Port { get; init; } = 8600;

    /// <summary>The zone that is answered. Default <c>consul.</c></summary>
    public string Domain { get; init; } = "consul.";

    /// <summary>A second zone with the same answers; null means none.</summary>
    public string? AltDomain { get; init; }

    /// <summary>This agent's datacenter, for names that do not say one. Default dc1.</summary>
    public string Datacenter { get; init; } = "dc1";

    /// <summary>Whether nodes of other datacenters are shown by their WAN addresses. Default false.</summary>
    public bool TranslatesWan { get; init; }

    /// <summary>TTL of answers about nodes. Default 0.</summary>
    public TimeSpan NodeTtl { get; init; }

    /// <summary>TTL by service name; a key ending in <c>*</c> is a prefix, the longest that fits counts.</summary>
    public IReadOnlyDictionary<string, TimeSpan> ServiceTtl { get; init; } = new Dictionary<string, TimeSpan>();

    /// <summary>Sets the TC bit on answers that were cut. Default false, as in Consul: nobody retries.</summary>
    public bool EnableTruncate { get; init; }

    /// <summary>Leaves out instances whose checks warn. Default false.</summary>
    public bool OnlyPassing { get; init; }

    /// <summary>Answers in a datagram to who announced no EDNS size above 512. Default 3, at most 8 count.</summary>
    public int UdpAnswerLimit { get; init; } = 3;

    /// <summary>Addresses in an A, AAAA or ANY answer, on any transport. Default 0: no limit.</summary>
    public int ARecordLimit { get; init; }

    public bool DisableCompression { get; init; }

    /// <summary>Adds a node's metadata as TXT records to answers that did not ask for them. Default true.</summary>
    public bool NodeMetaTxt { get; init; } = true;

    public DnsSoa Soa { get; init; } = new();

    /// <summary>Who is asked about names outside the domain, in this order. Default none: such names are REFUSED.
    /// </summary>
    public IReadOnlyList<IPEndPoint> Recursors { get; init; } = [];

    /// <summary>Asks them in an order drawn by chance instead. Default false.</summary>
    public bool AsksAtRandom { get; init; }

    /// <summary>How long one recursor may take. Default 2 s.</summary>
    public TimeSpan RecursorTimeout { get; init; } = TimeSpan.FromSeconds(2);

    /// <summary>No datagram is larger, whatever the asker announces. Default 65467, which is Consul's; 1232 avoids
    /// fragments and makes the server useless for amplification.</summary>
    public int UdpReplyBytesMax { get; init; } = 65467;

    /// <summary>The same for askers that are not on this machine. Default 1232: datagrams from forged addresses
    /// make no larger ones.</summary>
    public int RemoteUdpReplyBytesMax { get; init; } = 1232;

    /// <summary>From where, besides this machine, others are asked about foreign names; who is elsewhere is told
    /// REFUSED. Default: private and link-local networks.</summary>
    public IReadOnlyList<IPNetwork> RecursionNetworks { get; init; } = PrivateNetworks;

    private static readonly IReadOnlyList<IPNetwork> PrivateNetworks =
    [
        IPNetwork.Parse("10.0.0.0/8"), IPNetwork.Parse("172.16.0.0/12"), IPNetwork.Parse("192.168.0.0/16"),
        IPNetwork.Parse("169.254.0.0/16"), IPNetwork.Parse("fc00::/7"), IPNetwork.Parse("fe80::/10"),
    ];
}

/// <summary>The numbers of the domain's SOA record, in seconds.</summary>
public sealed record DnsSoa(uint Refresh = 3600, uint Retry = 600, uint Expire = 86400, uint MinTtl = 0);
