namespace Praetor.Agent.Config;

public static partial class Settings
{
    /// <summary>Services, checks and watches.</summary>
    private static Setting[] Services =>
    [
        Blocks("service", null, "A service of this node.").Reloads(),
        Blocks("services", null, "Services of this node.").Reloads(),
        Blocks("check", null, "A check of this node.").Reloads(),
        Blocks("checks", null, "Checks of this node.").Reloads(),
        Blocks("watches", null, "Watches with their handlers: a program, or a URL.").Reloads(),
        Flag("enable_script_checks", "false",
            "Script checks may run, also those that come through the API.").ByFlag("enable-script-checks"),
        Flag("enable_local_script_checks", "false",
            "Script checks of files may run.").ByFlag("enable-local-script-checks"),
        Duration("check_update_interval", "5m", "How long a changed output of a check waits before it is sent."),
        Whole("check_output_max_size", "4096",
            "Largest output of a check that is kept, in bytes.").ByFlag("check_output_max_size")
            .Positive(),
        Flag("discard_check_output", "false", "Keep no output of checks.").Reloads(),
        Flag("enable_central_service_config", "true", "Services take defaults from config entries.").Later(),
        Duration("discovery_max_stale", "0s", "Oldest data for answers about services; 0: ask the leader.").Later()
            .Reloads(),
        Duration("session_ttl_min", "0s", "Shortest TTL of a session; 0: 10 s."),
    ];

    /// <summary>The mesh.</summary>
    private static Setting[] Connect =>
    [
        Flag("connect.enabled", "true", "The mesh is on."),
        Flag("connect.managed_sidecars", "true",
            "The agent runs each sidecar_service while no proxy outside does; proxy.config.managed overrides it.")
            .Reloads(),
        Flag("connect.enable_mesh_gateway_wan_federation", "false", "Datacenters talk through mesh gateways.")
            .Later(),
        Text("connect.ca_provider", null, "Who signs certificates; only consul, which is the agent itself, exists.")
            .Provider(),
        Free("connect.ca_config", null, "Settings of that provider.").Secret(),
        Flag("connect.test_ca_leaf_root_change_spread", null, "Kept for tests of old releases.").Later(),
        Blocks("config_entries.bootstrap", null, "Config entries written when there are none of their names.")
            .Reloads(),
        Flag("peering.enabled", "true", "Clusters may peer.").Later(),
        Flag("use_streaming_backend", "true", "Answers about health come from a stream.").Later(),
        Flag("rpc.enable_streaming", "true", "Servers offer that stream.").Later(),
        Free("xds", null, "Limits of xDS: update_max_per_second.").Later(),
    ];

    /// <summary>DNS.</summary>
    private static Setting[] Dns =>
    [
        Texts("recursors", null, "DNS servers for all other names: address or host name, with :port unless it is 53.")
            .ByFlag("recursor").Reloads(),
        Flag("dns_config.allow_stale", "true",
            "Answer from any server, not only from the leader, and from memory when none can be asked."),
        Duration("dns_config.max_stale", "87600h",
            "Oldest answer that a client gives when no server can be asked."),
        Duration("dns_config.node_ttl", "0s", "TTL of answers about nodes.").Reloads(),
        DurationMap("dns_config.service_ttl", null, "TTL of answers by service name; * for all others.").Reloads(),
        Flag("dns_config.enable_truncate", "false", "Cut UDP answers that do not fit and say so.").Reloads(),
        Flag("dns_config.only_passing", "false", "Leave out instances with warnings.").Reloads(),
        Duration("dns_config.recursor_timeout", "2s", "How long a recursor may take.").Reloads(),
        Text("dns_config.recursor_strategy", "sequential",
            "sequential or random: order in which recursors are asked.")
            .Reloads().Strategy(),
        Flag("dns_config.disable_compression", "false", "Do not compress names in answers.").Reloads(),
        Whole("dns_config.udp_answer_limit", "3", "Most answers in one UDP reply.").Reloads().NotNegative(),
        Whole("dns_config.a_record_limit", "0", "Most A or AAAA answers; 0: no limit.").Reloads().NotNegative(),
        Flag("dns_config.enable_additional_node_meta_txt", "true", "Add node metadata as TXT to answers about nodes.")
            .Reloads(),
        Whole("dns_config.soa.expire", "86400", "SOA: expire, in seconds.").Reloads().NotNegative(),
        Whole("dns_config.soa.min_ttl", "0", "SOA: TTL of \"no such name\", in seconds.").Reloads().NotNegative(),
        Whole("dns_config.soa.refresh", "3600", "SOA: refresh, in seconds.").Reloads().NotNegative(),
        Whole("dns_config.soa.retry", "600", "SOA: retry, in seconds.").Reloads().NotNegative(),
        Flag("dns_config.use_cache", "false", "Answer from the agent's cache.").Later().Reloads(),
        Duration("dns_config.cache_max_age", "0s", "Oldest cache entry to answer from; 0: any.").Later().Reloads(),
        Flag("dns_config.prefer_namespace", "false", "Enterprise; accepted.").Later(),
    ];

    /// <summary>HTTP and the web interface.</summary>
    private static Setting[] Http =>
    [
        Texts("http_config.block_endpoints", null, "Path prefixes that are refused.").Reloads(),
        Texts("http_config.allowed_hosts", null,
            "Further names by which loopback clients may call this agent; .example stands for all below it.").Reloads(),
        TextMap("http_config.response_headers", null, "Headers added to every answer.").Reloads(),
        Texts("http_config.allow_write_http_from", null,
            "Networks from which writes are taken. Default: all.").ByFlag("allow-write-http-from")
            .Reloads().Networks(),
        Flag("http_config.use_cache", "true", "Cached reads are allowed."),
        Whole("http_config.max_header_bytes", "0", "Largest header of a request, in bytes; 0: 64 KiB."),
        Flag("ui", "false", "The web interface is on.").ByFlag("ui").Old("ui_config.enabled"),
        Text("ui_dir", null, "Directory with another web interface.").ByFlag("ui-dir").Later().Old("ui_config.dir"),
        Text("ui_content_path", null,
            "Path of the web interface.").ByFlag("ui-content-path").Old("ui_config.content_path")
            .UiPath(),
        Flag("ui_config.enabled", "false", "The web interface is on."),
        Text("ui_config.dir", null, "Directory with another web interface.").Later(),
        Text("ui_config.content_path", "/ui/", "Path of the web interface.").UiPath(),
        Text("ui_config.metrics_provider", null, "Where the web interface gets metrics.").Later(),
        Texts("ui_config.metrics_provider_files", null, "Files of that provider.").Later(),
        Text("ui_config.metrics_provider_options_json", null, "Options of that provider, as JSON.").Later(),
        Text("ui_config.metrics_proxy.base_url", null, "Where requests for metrics are passed on to.").Later(),
        Blocks("ui_config.metrics_proxy.add_headers", null, "Headers added to them.").Later(),
        Texts("ui_config.metrics_proxy.path_allowlist", null, "Paths that may be asked for.").Later(),
        TextMap("ui_config.dashboard_url_templates", null, "Links to dashboards.").Later(),
        Duration("default_query_time", "5m",
            "How long a blocking query waits when it does not say.").ByFlag("default-query-time"),
        Duration("max_query_time", "10m", "How long a blocking query may wait at most.").ByFlag("max-query-time"),
        Flag("disable_http_unprintable_char_filter", "false", "Take paths with unprintable characters."),
    ];

    /// <summary>Limits and caches.</summary>
    private static Setting[] Limits =>
    [
        Whole("limits.http_max_conns_per_client", "200", "Connections from one address to the HTTP API.").Reloads(),
        Duration("limits.https_handshake_timeout", "5s", "How long a TLS handshake with the HTTP API may take."),
        Duration("limits.rpc_handshake_timeout", "5s", "How long a handshake between agents may take."),
        Duration("limits.rpc_client_timeout", "60s", "How long a call to a server may take."),
        Whole("limits.rpc_max_conns_per_client", "100", "Connections from one address to a server.").Reloads(),
        Real("limits.rpc_rate", "-1", "Calls a second to servers; -1: no limit.").Reloads(),
        Whole("limits.rpc_max_burst", "1000", "Calls at once above that.").Reloads(),
        Whole("limits.kv_max_value_size", "524288", "Largest value in the KV store, in bytes."),
        Whole("limits.txn_max_req_len", null,
            "Largest body of a transaction, in bytes. Default: limits.kv_max_value_size."),
        Text("limits.request_limits.mode", "disabled",
            "What happens above the rates: disabled, permissive or enforcing.")
            .Later().Reloads(),
        Real("limits.request_limits.read_rate", "-1", "Reads a second; -1: no limit.").Later().Reloads(),
        Real("limits.request_limits.write_rate", "-1", "Writes a second; -1: no limit.").Later().Reloads(),
        Whole("cache.entry_fetch_max_burst", "2", "Fetches at once for one cache entry.").Later().Reloads(),
        Real("cache.entry_fetch_rate", null, "Fetches a second for one cache entry. Default: no limit.")
            .Later().Reloads(),
    ];

    /// <summary>Logging.</summary>
    private static Setting[] Logging =>
    [
        Text("log_level", "INFO", "TRACE, DEBUG, INFO, WARN or ERROR.").ByFlag("log-level").Reloads().Level(),
        Flag("log_json", "false", "One JSON object a line.").ByFlag("log-json"),
        Text("log_file", null, "File for the log, beside the standard output.").ByFlag("log-file"),
        Whole("log_rotate_bytes", "0", "Largest log file, in bytes; 0: no limit.").ByFlag("log-rotate-bytes"),
        Duration("log_rotate_duration", "24h",
            "Time after which a new log file is begun.").ByFlag("log-rotate-duration"),
        Whole("log_rotate_max_files", "0", "Old log files kept; 0: all, -1: none.").ByFlag("log-rotate-max-files"),
        Flag("enable_syslog", "false", "Write to the system's log too.").ByFlag("syslog"),
        Text("syslog_facility", "LOCAL0", "Facility for that.").Facility(),
    ];

    /// <summary>Telemetry.</summary>
    private static Setting[] Telemetry =>
    [
        Duration("telemetry.prometheus_retention_time", "0s", "How long metrics are kept for Prometheus; 0: off.")
            .Later(),
        Text("telemetry.statsd_address", null, "host:port of statsd.").Later(),
        Text("telemetry.statsite_address", null, "host:port of statsite.").Later(),
        Text("telemetry.dogstatsd_addr", null, "host:port of DogStatsD.").Later(),
        Texts("telemetry.dogstatsd_tags", null, "Tags for it.").Later(),
        Flag("telemetry.disable_hostname", "false", "Leave the host's name out of gauges.").Later(),
        Text("telemetry.metrics_prefix", "consul", "First part of every metric's name."),
        Texts("telemetry.prefix_filter", null, "Prefixes to show (+) or leave out (-); the longest decides.").Reloads(),
        Flag("telemetry.filter_default", "true", "Show metrics that no prefix names.").Reloads(),
        Flag("telemetry.disable_compat_1.9", null, "Kept for old files.").Later().Old(""),
        Flag("telemetry.disable_per_tenancy_usage_metrics", "false", "Fewer usage metrics.").Later(),
        Flag("telemetry.enable_host_metrics", "false", "Metrics of the host too.").Later(),
        Flag("telemetry.retry_failed_connection", "true", "Try again when a sink does not answer.").Later(),
        Text("telemetry.circonus_api_token", null, "Circonus: token (secret).").Later().Secret(),
        Text("telemetry.circonus_api_app", null, "Circonus: name of the app.").Later(),
        Text("telemetry.circonus_api_url", null, "Circonus: url of the api.").Later(),
        Text("telemetry.circonus_submission_interval", null, "Circonus: time between two submissions.").Later(),
        Text("telemetry.circonus_submission_url", null, "Circonus: url for submissions.").Later(),
        Text("telemetry.circonus_check_id", null, "Circonus: id of the check.").Later(),
        Text("telemetry.circonus_check_force_metric_activation", null, "Circonus: activate new metrics.").Later(),
        Text("telemetry.circonus_check_instance_id", null, "Circonus: id of the instance.").Later(),
        Text("telemetry.circonus_check_search_tag", null, "Circonus: tag for the search.").Later(),
        Text("telemetry.circonus_check_display_name", null, "Circonus: display name.").Later(),
        Text("telemetry.circonus_check_tags", null, "Circonus: tags.").Later(),
        Text("telemetry.circonus_broker_id", null, "Circonus: id of the broker.").Later(),
        Text("telemetry.circonus_broker_select_tag", null, "Circonus: tag of the broker.").Later(),
    ];

    /// <summary>The rest.</summary>
    private static Setting[] Misc =>
    [
        Flag("enable_debug", "false", "Profiling endpoints are on.").Later(),
        Flag("reap", null, "Kept for old files.").Later().Old(""),
        Flag("disable_remote_exec", "true", "Do not run the commands of exec."),
        Flag("disable_update_check", "false", "Do not look for new versions; nothing does.").Later(),
        Flag("disable_anonymous_signature", "false", "Kept for old files.").Later(),
        Flag("disable_coordinates", "false", "Neither tell network coordinates nor serve them."),
        Blocks("audit", null, "Enterprise; accepted.").Later(),
        Text("license_path", null, "Enterprise; accepted.").Later(),
        Flag("reporting.license.enabled", null, "Enterprise; accepted.").Later(),
        Text("cloud.resource_id", null, "Accepted.").Later(),
        Text("cloud.client_id", null, "Accepted.").Later(),
        Text("cloud.client_secret", null, "Accepted.").Later().Secret(),
        Text("cloud.hostname", null, "Accepted.").Later(),
        Text("cloud.auth_url", null, "Accepted.").Later(),
        Text("cloud.scada_address", null, "Accepted.").Later(),
        Text("cloud.node_name", null, "Accepted.").Later(),
        Duration("ae_interval", "1m", "Kept for old files.").Later(),
        Duration("sync_coordinate_interval_min", "15s", "Shortest time between two updates of coordinates."),
        Real("sync_coordinate_rate_target", "64", "Updates of coordinates a second in the cluster."),
    ];
}
