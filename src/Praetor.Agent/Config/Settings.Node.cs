namespace Praetor.Agent.Config;

public static partial class Settings
{
    /// <summary>Identity of the node and of the datacenter.</summary>
    private static Setting[] Node =>
    [
        Text("datacenter", "dc1",
            "Name of the datacenter: lower case letters, digits, - and _.").ByFlag("datacenter"),
        Text("primary_datacenter", null,
            "Datacenter that holds ACLs, the root certificate and intentions for all others."),
        Text("node_name", null, "Name of this node, unique in the cluster. Default: the host's name.").ByFlag("node"),
        Text("node_id", null,
            "Unique id of this node (a UUID). Default: made once and kept in the data directory.").ByFlag("node-id"),
        TextMap("node_meta", null, "Up to 64 names with values that describe this node.").ByFlag("node-meta")
            .Reloads(),
        Text("data_dir", null, "Directory for the agent's state. Needed unless -dev.").ByFlag("data-dir"),
        Text("domain", "consul.", "Domain of the DNS interface.").ByFlag("domain"),
        Text("alt_domain", null, "Second domain of the DNS interface.").ByFlag("alt-domain"),
        Flag("server", "false", "This agent is a server.").ByFlag("server"),
        Flag("bootstrap", "false", "This server may elect itself; for one server only.").ByFlag("bootstrap"),
        Whole("bootstrap_expect", "0",
            "Number of servers to wait for before the first election.").ByFlag("bootstrap-expect"),
        Flag("leave_on_terminate", null,
            "Leave the cluster when ended by TERM. Default: true on clients, false on servers."),
        Flag("skip_leave_on_interrupt", null,
            "Stay in the cluster when ended by INT. Default: false on clients, true on servers."),
        Flag("disable_host_node_id", "true",
            "Do not make the node id from the host's own id.").ByFlag("disable-host-node-id"),
        Text("pid_file", null, "File for the process id.").ByFlag("pid-file"),
        Whole("protocol", "2", "Version of Consul's protocol that members are told of: 2 or 3.").ByFlag("protocol"),
        Whole("raft_protocol", "3",
            "Version of the consensus protocol to speak; kept for old files.").ByFlag("raft-protocol")
            .Later(),
        Text("server_name", null, "Name that others may expect in this node's certificate instead of the node name.")
            .Later(),
        Flag("non_voting_server", null,
            "Server that holds data but does not vote.").Later().Old("read_replica").ByFlag("non-voting-server"),
        Flag("read_replica", "false", "Server that holds data but does not vote.").Later().ByFlag("read-replica"),
        Text("segment", null, "Network segment; only the empty one exists.").ByFlag("segment").Later(),
        Blocks("segments", null, "Network segments.").Later(),
        Whole("segment_limit", "0", "Number of network segments allowed.").Later(),
        Text("partition", null, "Admin partition; only \"default\" exists.").ByFlag("partition").Later(),
        Text("version", null, "Accepted from tools that write it; the real version wins."),
        Texts("experiments", null, "Experiments to switch on.").Later(),
        Text("locality.region", null, "Region in which this node runs."),
        Text("locality.zone", null, "Zone in which this node runs."),
        Text("default_intention_policy", null,
            "allow or deny: what holds between services that no intention names. Default: the ACL default policy."),
        Flag("disable_kv_key_validation", "false", "Take KV keys with characters that are refused otherwise.").Later(),
        Flag("auto_reload_config", "false", "Reload within a second when a configuration file or one of TLS changes.")
            .ByFlag("auto-reload-config"),
    ];

    /// <summary>Addresses and ports.</summary>
    private static Setting[] Addresses =>
    [
        Text("bind_addr", "0.0.0.0",
            "Address for traffic between agents. May be a template such as {{ GetPrivateIP }}.").ByFlag("bind"),
        Text("client_addr", "127.0.0.1",
            "Addresses for HTTP, DNS and gRPC, separated by spaces. May be a template.").ByFlag("client"),
        Text("advertise_addr", null,
            "Address that others use for this node. Default: the bind address or the private one.")
                .ByFlag("advertise"),
        Text("advertise_addr_ipv4", null, "IPv4 address that others use for this node."),
        Text("advertise_addr_ipv6", null, "IPv6 address that others use for this node."),
        Text("advertise_addr_wan", null, "Address that other datacenters use for this node.").ByFlag("advertise-wan"),
        Text("advertise_addr_wan_ipv4", null, "IPv4 address that other datacenters use for this node."),
        Text("advertise_addr_wan_ipv6", null, "IPv6 address that other datacenters use for this node."),
        Flag("translate_wan_addrs", "false", "Answer with WAN addresses for nodes of other datacenters."),
        Text("serf_lan", null, "Address for gossip in the datacenter. Default: bind_addr.").ByFlag("serf-lan-bind"),
        Text("serf_wan", null, "Address for gossip between datacenters. Default: bind_addr.").ByFlag("serf-wan-bind"),
        Texts("serf_lan_allowed_cidrs", null,
            "Networks from which gossip in the datacenter is taken.").ByFlag("serf-lan-allowed-cidrs").Networks(),
        Texts("serf_wan_allowed_cidrs", null,
            "Networks from which gossip between datacenters is taken.").ByFlag("serf-wan-allowed-cidrs").Networks(),
        Text("addresses.dns", null, "Addresses of the DNS server. Default: client_addr."),
        Text("addresses.http", null, "Addresses of the HTTP server, also unix://path. Default: client_addr."),
        Text("addresses.https", null, "Addresses of the HTTPS server, also unix://path. Default: client_addr."),
        Text("addresses.grpc", null, "Addresses of the gRPC server. Default: client_addr.").Later(),
        Text("addresses.grpc_tls", null, "Addresses of the gRPC server with TLS. Default: client_addr.").Later(),
        Whole("ports.dns", "8600", "DNS, UDP and TCP; -1 switches it off.").ByFlag("dns-port").Port(),
        Whole("ports.http", "8500", "HTTP API; -1 switches it off.").ByFlag("http-port").Port(),
        Whole("ports.https", "-1", "HTTP API with TLS; -1 switches it off.").ByFlag("https-port").Port(),
        Whole("ports.grpc", "-1", "gRPC (xDS); -1 switches it off.").Later().ByFlag("grpc-port").Port(),
        Whole("ports.grpc_tls", null,
            "gRPC with TLS; -1 switches it off. Default: 8503 on servers, -1 on clients.").Later()
            .ByFlag("grpc-tls-port")
            .Port(),
        Whole("ports.serf_lan", "8301", "Gossip in the datacenter; it cannot be switched off.")
            .ByFlag("serf-lan-port")
            .Port(),
        Whole("ports.serf_wan", "8302", "Gossip between datacenters; -1 switches it off.")
            .ByFlag("serf-wan-port")
            .Port(),
        Whole("ports.server", "8300", "Calls between agents and servers.").ByFlag("server-port").Port(),
        Whole("ports.store_peer", null,
            "Between the etcds of several servers. Default: ports.server + 80.").Port(),
        Whole("ports.sidecar_min_port", "21000", "First port given to sidecars.").Port(),
        Whole("ports.sidecar_max_port", "21255", "Last port given to sidecars.").Port(),
        Whole("ports.expose_min_port", "21500", "First port given to exposed check paths.").Later().Port(),
        Whole("ports.expose_max_port", "21755", "Last port given to exposed check paths.").Later().Port(),
        Whole("ports.proxy_min_port", null, "Name of old releases.").Port().Old("ports.sidecar_min_port"),
        Whole("ports.proxy_max_port", null, "Name of old releases.").Port().Old("ports.sidecar_max_port"),
        Text("unix_sockets.user", null, "Owner of Unix sockets: a name or a number."),
        Text("unix_sockets.group", null, "Group of Unix sockets: a name or a number."),
        Text("unix_sockets.mode", null, "Mode of Unix sockets, octal.").Mode(),
    ];

    /// <summary>Joining other agents.</summary>
    private static Setting[] Joining =>
    [
        Texts("start_join", null, "Addresses to join at start, tried once.").ByFlag("join").Old("retry_join"),
        Texts("start_join_wan", null,
            "Addresses of other datacenters to join at start, tried once.").ByFlag("join-wan").Old("retry_join_wan"),
        Texts("retry_join", null,
            "Addresses to join, tried until one answers: host or host:port. A DNS name stands for all its addresses, "
                + "so it can name machines that come and go; provider=… (cloud auto-join) finds nobody.")
            .ByFlag("retry-join"),
        Texts("retry_join_wan", null,
            "Addresses of other datacenters to join, tried until one answers.").ByFlag("retry-join-wan"),
        Duration("retry_interval", "30s", "Time between two tries to join.").ByFlag("retry-interval"),
        Duration("retry_interval_wan", "30s",
            "Time between two tries to join other datacenters.").ByFlag("retry-interval-wan"),
        Whole("retry_max", "0",
            "How often joining is tried again before the agent ends; 0: for ever.").ByFlag("retry-max"),
        Whole("retry_max_wan", "0", "How often joining other datacenters is tried again before the agent ends; 0: for "
            + "ever.").ByFlag("retry-max-wan"),
        Flag("rejoin_after_leave", "false", "Join again at start although the node left.").ByFlag("rejoin"),
        Duration("reconnect_timeout", null, "Time after which a failed node is forgotten. Default 72h."),
        Duration("reconnect_timeout_wan", null, "The same for other datacenters."),
        Texts("primary_gateways", null, "Mesh gateways of the primary datacenter.").ByFlag("primary-gateway").Later(),
        Duration("primary_gateways_interval", "30s", "Time between two tries to reach them.").Later(),
        Duration("server_rejoin_age_max", "168h", "A server that was away longer does not rejoin with its old data.")
            .Later(),
        Duration("advertise_reconnect_timeout", null,
            "Time after which others forget this client when it failed, instead of their reconnect_timeout."),
    ];
}
