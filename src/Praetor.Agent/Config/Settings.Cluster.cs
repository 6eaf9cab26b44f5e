namespace Praetor.Agent.Config;

public static partial class Settings
{
    /// <summary>Access control.</summary>
    private static Setting[] Acl =>
    [
        Flag("acl.enabled", "false", "Tokens are required.").Later(),
        Text("acl.default_policy", "allow", "allow or deny: what holds where no rule does.").Later().Policy(),
        Text("acl.down_policy", "extend-cache",
            "What holds while no server answers: allow, deny, extend-cache or async-cache.")
            .Later(),
        Duration("acl.policy_ttl", "30s", "How long policies are cached.").Later(),
        Duration("acl.role_ttl", "0s", "How long roles are cached.").Later(),
        Duration("acl.token_ttl", "30s", "How long tokens are cached.").Later(),
        Duration("acl.disabled_ttl", null, "Kept for old files.").Later().Old(""),
        Flag("acl.enable_key_list_policy", "false", "Listing keys needs the policy \"list\".").Later(),
        Flag("acl.enable_token_replication", "false", "Copy tokens from the primary datacenter.").Later(),
        Flag("acl.enable_token_persistence", "false", "Keep tokens set through the API on disk.").Later(),
        Text("acl.tokens.master", null,
            "Token with all rights, made at the first start.")
                .Later().Secret().Reloads().Old("acl.tokens.initial_management"),
        Text("acl.tokens.initial_management", null, "Token with all rights, made at the first start.")
            .Later().Secret().Reloads(),
        Text("acl.tokens.default", null, "Token for requests that bring none.").Later().Secret().Reloads(),
        Text("acl.tokens.agent", null, "Token for the agent's own calls.").Later().Secret().Reloads(),
        Text("acl.tokens.agent_master", null,
            "Token that opens this agent while no server answers.")
                .Later().Secret().Reloads().Old("acl.tokens.agent_recovery"),
        Text("acl.tokens.agent_recovery", null, "Token that opens this agent while no server answers.")
            .Later().Secret().Reloads(),
        Text("acl.tokens.replication", null, "Token for copying from the primary datacenter.")
            .Later().Secret().Reloads(),
        Text("acl.tokens.config_file_service_registration", null, "Token for services that files define.")
            .Later().Secret().Reloads(),
        Text("acl.tokens.dns", null, "Token for the DNS interface.").Later().Secret().Reloads(),
        Blocks("acl.tokens.managed_service_provider", null, "Enterprise; accepted.").Later(),
        Text("acl_datacenter", null, "Name of old releases.").Later().Old("primary_datacenter"),
        Text("acl_default_policy", null, "Name of old releases.").Later().Policy().Old("acl.default_policy"),
        Text("acl_down_policy", null, "Name of old releases.").Later().Old("acl.down_policy"),
        Text("acl_agent_master_token", null,
            "Name of old releases.").Later().Secret().Old("acl.tokens.agent_recovery"),
        Text("acl_agent_token", null, "Name of old releases.").Later().Secret().Old("acl.tokens.agent"),
        Flag("acl_enforce_version_8", null, "Kept for old files.").Later().Old(""),
        Text("acl_master_token", null, "Name of old releases.").Later().Secret().Old("acl.tokens.initial_management"),
        Text("acl_replication_token", null, "Name of old releases.").Later().Secret().Old("acl.tokens.replication"),
        Text("acl_token", null, "Name of old releases.").Later().Secret().Old("acl.tokens.default"),
        Duration("acl_ttl", null, "Name of old releases.").Later().Old("acl.token_ttl"),
        Flag("acl_enable_key_list_policy", null, "Name of old releases.").Later().Old("acl.enable_key_list_policy"),
        Flag("enable_acl_replication", null, "Name of old releases.").Later().Old("acl.enable_token_replication"),
    ];

    /// <summary>TLS.</summary>
    private static Setting[] Tls =>
    [
        Text("tls.defaults.ca_file", null, "File with the authority's certificates.").Reloads(),
        Text("tls.defaults.ca_path", null, "Directory with the authority's certificates.").Reloads(),
        Text("tls.defaults.cert_file", null, "File with the certificate.").Reloads(),
        Text("tls.defaults.key_file", null, "File with the private key.").Reloads(),
        Text("tls.defaults.tls_min_version", null, "Oldest TLS version: TLSv1_2 or TLSv1_3.").Reloads().OldestTls(),
        Text("tls.defaults.tls_cipher_suites", null, "Cipher suites, separated by commas.").Reloads().Suites(),
        Flag("tls.defaults.verify_incoming", null, "Incoming connections must show a certificate.").Reloads(),
        Flag("tls.defaults.verify_outgoing", null, "Outgoing connections use TLS and check it.").Later().Reloads(),
        Text("tls.internal_rpc.ca_file", null, "File with the authority's certificates.").Later().Reloads(),
        Text("tls.internal_rpc.ca_path", null, "Directory with the authority's certificates.").Later().Reloads(),
        Text("tls.internal_rpc.cert_file", null, "File with the certificate.").Later().Reloads(),
        Text("tls.internal_rpc.key_file", null, "File with the private key.").Later().Reloads(),
        Text("tls.internal_rpc.tls_min_version", null, "Oldest TLS version: TLSv1_2 or TLSv1_3.").Later(),
        Text("tls.internal_rpc.tls_cipher_suites", null, "Cipher suites, separated by commas.").Later(),
        Flag("tls.internal_rpc.verify_incoming", null, "Incoming connections must show a certificate.")
            .Later().Reloads(),
        Flag("tls.internal_rpc.verify_outgoing", null, "Outgoing connections use TLS and check it.")
            .Later().Reloads(),
        Text("tls.https.ca_file", null, "File with the authority's certificates.").Reloads(),
        Text("tls.https.ca_path", null, "Directory with the authority's certificates.").Reloads(),
        Text("tls.https.cert_file", null, "File with the certificate.").Reloads(),
        Text("tls.https.key_file", null, "File with the private key.").Reloads(),
        Text("tls.https.tls_min_version", null, "Oldest TLS version: TLSv1_2 or TLSv1_3.").Reloads().OldestTls(),
        Text("tls.https.tls_cipher_suites", null, "Cipher suites, separated by commas.").Reloads().Suites(),
        Flag("tls.https.verify_incoming", null, "Incoming connections must show a certificate.").Reloads(),
        Flag("tls.https.verify_outgoing", null, "Outgoing connections use TLS and check it.").Later().Reloads(),
        Text("tls.grpc.ca_file", null, "File with the authority's certificates.").Later().Reloads(),
        Text("tls.grpc.ca_path", null, "Directory with the authority's certificates.").Later().Reloads(),
        Text("tls.grpc.cert_file", null, "File with the certificate.").Later().Reloads(),
        Text("tls.grpc.key_file", null, "File with the private key.").Later().Reloads(),
        Text("tls.grpc.tls_min_version", null, "Oldest TLS version: TLSv1_2 or TLSv1_3.").Later(),
        Text("tls.grpc.tls_cipher_suites", null, "Cipher suites, separated by commas.").Later(),
        Flag("tls.grpc.verify_incoming", null, "Incoming connections must show a certificate.").Later().Reloads(),
        Flag("tls.grpc.verify_outgoing", null, "Outgoing connections use TLS and check it.").Later().Reloads(),
        Flag("tls.defaults.verify_server_hostname", null, "Check the host name in servers' certificates.").Later(),
        Flag("tls.internal_rpc.verify_server_hostname", null, "Check the host name in servers' certificates.")
            .Later(),
        Flag("tls.grpc.use_auto_cert", "false", "Use the certificate of auto_encrypt or auto_config.").Later(),
        Flag("tls.enable_agent_tls_for_checks", "false", "Checks use the agent's certificate.").Reloads(),
        Text("ca_file", null,
            "File with the authority's certificates.").Reloads().Old("tls.defaults.ca_file"),
        Text("ca_path", null,
            "Directory with the authority's certificates.").Reloads().Old("tls.defaults.ca_path"),
        Text("cert_file", null, "File with the certificate.").Reloads().Old("tls.defaults.cert_file"),
        Text("key_file", null, "File with the private key.").Reloads().Old("tls.defaults.key_file"),
        Flag("verify_incoming", "false",
            "Incoming connections must show a certificate.").Reloads().Old("tls.defaults.verify_incoming"),
        Flag("verify_incoming_rpc", "false",
            "Incoming calls between agents must show a certificate.")
                .Later().Reloads().Old("tls.internal_rpc.verify_incoming"),
        Flag("verify_incoming_https", "false",
            "Incoming HTTPS connections must show a certificate.").Reloads().Old("tls.https.verify_incoming"),
        Flag("verify_outgoing", "false",
            "Outgoing connections use TLS and check it.").Later().Reloads().Old("tls.defaults.verify_outgoing"),
        Flag("verify_server_hostname", "false",
            "Check the host name in servers' certificates.")
                .Later().Reloads().Old("tls.internal_rpc.verify_server_hostname"),
        Text("tls_min_version", null,
            "Oldest TLS version: tls12 or tls13.").Reloads().OldestTls().Old("tls.defaults.tls_min_version"),
        Text("tls_cipher_suites", null,
            "Cipher suites, separated by commas.").Reloads().Suites().Old("tls.defaults.tls_cipher_suites"),
        Flag("tls_prefer_server_cipher_suites", null, "Kept for old files.").Later().Old(""),
        Flag("enable_agent_tls_for_checks", "false",
            "Checks use the agent's certificate.").Reloads().Old("tls.enable_agent_tls_for_checks"),
        Flag("auto_encrypt.allow_tls", "false", "Servers give clients certificates.").Later(),
        Flag("auto_encrypt.tls", "false", "This client asks servers for a certificate.").Later(),
        Texts("auto_encrypt.dns_san", null, "Further DNS names in that certificate.").Later(),
        Texts("auto_encrypt.ip_san", null, "Further addresses in that certificate.").Later(),
        Flag("auto_config.enabled", "false", "This client asks servers for its configuration.").Later(),
        Text("auto_config.intro_token", null, "Token (JWT) that introduces it.").Later().Secret(),
        Text("auto_config.intro_token_file", null, "File with that token.").Later(),
        Texts("auto_config.server_addresses", null, "Servers to ask.").Later(),
        Texts("auto_config.dns_sans", null, "Further DNS names in the certificate.").Later(),
        Texts("auto_config.ip_sans", null, "Further addresses in the certificate.").Later(),
        Flag("auto_config.authorization.enabled", "false", "This server gives clients their configuration.").Later(),
        Blocks("auto_config.authorization.static", null, "How it judges their tokens.").Later(),
    ];

    /// <summary>Gossip.</summary>
    private static Setting[] Gossip =>
    [
        Text("encrypt", null, "Key for gossip: 16, 24 or 32 bytes in base64.").ByFlag("encrypt").Secret(),
        Flag("encrypt_verify_incoming", "true", "Take encrypted gossip only."),
        Flag("encrypt_verify_outgoing", "true", "Send encrypted gossip only."),
        Flag("disable_keyring_file", "false", "Do not keep the keys on disk.").ByFlag("disable-keyring-file"),
        Whole("gossip_lan.gossip_nodes", "3", "Nodes told in each round."),
        Duration("gossip_lan.gossip_interval", "200ms", "Time between two rounds."),
        Duration("gossip_lan.probe_interval", "1s", "Time between two probes."),
        Duration("gossip_lan.probe_timeout", "500ms", "How long a probe waits for its answer."),
        Whole("gossip_lan.retransmit_mult", "4", "Factor for how often news is told."),
        Whole("gossip_lan.suspicion_mult", "4", "Factor for how long a suspect may answer."),
        Whole("gossip_wan.gossip_nodes", "4", "Nodes told in each round."),
        Duration("gossip_wan.gossip_interval", "500ms", "Time between two rounds."),
        Duration("gossip_wan.probe_interval", "5s", "Time between two probes."),
        Duration("gossip_wan.probe_timeout", "3s", "How long a probe waits for its answer."),
        Whole("gossip_wan.retransmit_mult", "4", "Factor for how often news is told."),
        Whole("gossip_wan.suspicion_mult", "6", "Factor for how long a suspect may answer."),
    ];

    /// <summary>Consensus and its upkeep.</summary>
    private static Setting[] Consensus =>
    [
        Text("store", null,
            "Where servers keep the state: memory, sqlite, etcd (the agent runs one), or etcd=URL,URL,… (one that "
                + "somebody else runs). Default: etcd when several servers are expected, else sqlite; -dev: memory.")
            .ByFlag("store").Engine(),
        Text("etcd_path", null, "The etcd that the agent runs. Default: etcd on the PATH."),
        Whole("etcd_quota_bytes", "8589934592",
            "How large the file of an etcd that the agent runs may become; beyond it writes are refused.").Quota(),
        Whole("etcd_max_request_bytes", "0",
            "The largest request that etcd takes, its --max-request-bytes; a write that needs a larger one is "
                + "refused. 0: 8388608 (8 MiB) for an etcd that the agent runs, which is started with it, and 1572864 "
                + "(1.5 MiB), etcd's own default, for one at store = etcd=https://….").Request(),
        Text("etcd_ca_file", null,
            "File with the authorities of an etcd at store = etcd=https://…. Default: those that the machine trusts."),
        Text("etcd_cert_file", null, "File with the certificate that is shown to such an etcd."),
        Text("etcd_key_file", null, "File with that certificate's private key."),
        Whole("performance.raft_multiplier", "5",
            "Patience with other servers, 1 to 10; up to 5 the same, each above adds the usual times once more."),
        Duration("performance.leave_drain_time", "5s", "How long a leaving server still answers."),
        Duration("performance.rpc_hold_timeout", "7s", "How long a request looks for a server that answers."),
        Flag("performance.enable_xds_load_balancing", "true", "Spread xDS sessions over servers.").Later(),
        Whole("raft_snapshot_threshold", "16384", "Commits between two snapshots; kept for old files.").Later(),
        Duration("raft_snapshot_interval", "30s", "Time between two looks at it; kept for old files.").Later(),
        Whole("raft_trailing_logs", "10240", "Commits kept after a snapshot; kept for old files.").Later(),
        Flag("raft_prevote_disabled", "false", "Kept for old files.").Later(),
        Text("raft_logstore.backend", null, "Kept for old files.").Later(),
        Flag("raft_logstore.disable_log_cache", "false", "Kept for old files.").Later(),
        Flag("raft_logstore.verification.enabled", "false", "Kept for old files.").Later(),
        Duration("raft_logstore.verification.interval", null, "Kept for old files.").Later(),
        Flag("raft_logstore.boltdb.no_freelist_sync", "false", "Kept for old files.").Later(),
        Whole("raft_logstore.wal.segment_size_mb", "64", "Kept for old files.").Later(),
        Flag("raft_boltdb.NoFreelistSync", "false", "Kept for old files.").Later(),
        Flag("autopilot.cleanup_dead_servers", "true", "At first: remove dead servers when a new one comes."),
        Duration("autopilot.last_contact_threshold", "200ms", "At first: longest delay of a healthy server."),
        Whole("autopilot.max_trailing_logs", "250", "At first: largest lag of a healthy server."),
        Whole("autopilot.min_quorum", "0", "At first: fewest servers to keep when cleaning up."),
        Duration("autopilot.server_stabilization_time", "10s",
            "At first: how long a new server must be healthy before it votes."),
        Text("autopilot.redundancy_zone_tag", null, "Enterprise; accepted.").Later(),
        Flag("autopilot.disable_upgrade_migration", "false", "Enterprise; accepted.").Later(),
        Text("autopilot.upgrade_version_tag", null, "Enterprise; accepted.").Later(),
    ];
}
