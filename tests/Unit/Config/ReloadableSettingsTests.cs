using Praetor.Agent.Config;
using Praetor.Agent.Dns;
using Praetor.Agent.Http;
using Praetor.Agent.Local;
using Praetor.Agent.Runtime;
using Shouldly;
using Xunit;

namespace Unit.Config;

public sealed class ReloadableSettingsTests
{
    /// <summary>For each key that a reload applies: a change, and what the running parts are handed because of
    /// it.</summary>
    private static readonly Dictionary<string, (string Change, Func<AgentConfig, object?> Handed)> Reloadable =
        new(StringComparer.Ordinal)
        {
            ["service"] = ("service { name = \"a\" }", static c => Local(c).Services.Count),
            ["services"] = ("services { name = \"a\" }", static c => Local(c).Services.Count),
            ["check"] = ("check { name = \"a\" ttl = \"1s\" }", static c => Local(c).Checks.Count),
            ["checks"] = ("checks { name = \"a\" ttl = \"1s\" }", static c => Local(c).Checks.Count),
            ["watches"] = ("watches { type = \"nodes\" handler_type = \"http\" }", static c => c.Watches.Count),
            ["discard_check_output"] = ("discard_check_output = true", static c => Local(c).DiscardCheckOutput),
            ["connect.managed_sidecars"] =
                ("connect { managed_sidecars = false }", static c => Local(c).ManagesSidecars),
            ["recursors"] = ("recursors = [\"1.1.1.1\"]", static c => c.Dns.Recursors.Count),
            ["dns_config.node_ttl"] = ("dns_config { node_ttl = \"5s\" }", static c => Dns(c).NodeTtl),
            ["dns_config.service_ttl"] =
                ("dns_config { service_ttl { \"*\" = \"5s\" } }", static c => Dns(c).ServiceTtl.Count),
            ["dns_config.enable_truncate"] =
                ("dns_config { enable_truncate = true }", static c => Dns(c).EnableTruncate),
            ["dns_config.only_passing"] = ("dns_config { only_passing = true }", static c => Dns(c).OnlyPassing),
            ["dns_config.recursor_timeout"] =
                ("dns_config { recursor_timeout = \"5s\" }", static c => Dns(c).RecursorTimeout),
            ["dns_config.recursor_strategy"] =
                ("dns_config { recursor_strategy = \"random\" }", static c => Dns(c).AsksAtRandom),
            ["telemetry.prefix_filter"] = (
                "telemetry { prefix_filter = [\"-consul.a\"] }", static c => ConfigMapping.MetricFilter(c).Shows("a")),
            ["telemetry.filter_default"] =
                ("telemetry { filter_default = false }", static c => ConfigMapping.MetricFilter(c).Shows("a")),
            ["dns_config.disable_compression"] =
                ("dns_config { disable_compression = true }", static c => Dns(c).DisableCompression),
            ["dns_config.udp_answer_limit"] =
                ("dns_config { udp_answer_limit = 5 }", static c => Dns(c).UdpAnswerLimit),
            ["dns_config.a_record_limit"] = ("dns_config { a_record_limit = 5 }", static c => Dns(c).ARecordLimit),
            ["dns_config.enable_additional_node_meta_txt"] =
                ("dns_config { enable_additional_node_meta_txt = false }", static c => Dns(c).NodeMetaTxt),
            ["dns_config.soa.expire"] = ("dns_config { soa { expire = 5 } }", static c => Dns(c).Soa),
            ["dns_config.soa.min_ttl"] = ("dns_config { soa { min_ttl = 5 } }", static c => Dns(c).Soa),
            ["dns_config.soa.refresh"] = ("dns_config { soa { refresh = 5 } }", static c => Dns(c).Soa),
            ["dns_config.soa.retry"] = ("dns_config { soa { retry = 5 } }", static c => Dns(c).Soa),
            ["http_config.block_endpoints"] =
                ("http_config { block_endpoints = [\"/v1/kv\"] }", static c => Guard(c).BlockedPrefixes.Count),
            ["http_config.allowed_hosts"] =
                ("http_config { allowed_hosts = [\"a.example\"] }", static c => Guard(c).HostNames.Count),
            ["http_config.allow_write_http_from"] =
                ("http_config { allow_write_http_from = [\"10.0.0.0/8\"] }", static c => Guard(c).WriteNetworks.Count),
            ["http_config.response_headers"] =
                ("http_config { response_headers { A = \"b\" } }", static c => c.Http.ResponseHeaders.Count),
            ["limits.http_max_conns_per_client"] =
                ("limits { http_max_conns_per_client = 5 }", static c => c.Limits.HttpConnectionsPerClient),
            ["limits.rpc_rate"] = ("limits { rpc_rate = 5 }", static c => c.Limits.Rpc),
            ["limits.rpc_max_burst"] = ("limits { rpc_max_burst = 5 }", static c => c.Limits.Rpc),
            ["limits.rpc_max_conns_per_client"] =
                ("limits { rpc_max_conns_per_client = 5 }", static c => c.Limits.Rpc.ConnectionsPerClient),
            ["node_meta"] = ("node_meta { a = \"b\" }", static c => c.NodeMeta.Count),
            ["config_entries.bootstrap"] =
                ("config_entries { bootstrap { kind = \"service-defaults\" name = \"a\" protocol = \"tcp\" } }",
                static c => c.ConfigEntries.Count),
            ["ca_file"] = ("ca_file = \"a\"", static c => c.Https.CaFile + c.Tls.CaFile),
            ["ca_path"] = ("ca_path = \"a\"", static c => c.Https.CaPath + c.Tls.CaPath),
            ["cert_file"] = ("cert_file = \"a\"", static c => c.Https.CertFile + c.Tls.CertFile),
            ["key_file"] = ("key_file = \"a\"", static c => c.Https.KeyFile + c.Tls.KeyFile),
            ["verify_incoming"] = ("verify_incoming = true", static c => c.Https.VerifyIncoming),
            ["verify_incoming_https"] = ("verify_incoming_https = true", static c => c.Https.VerifyIncoming),
            ["tls_min_version"] = ("tls_min_version = \"tls13\"", static c => c.Https.Versions),
            ["tls_cipher_suites"] =
                ("tls_cipher_suites = \"TLS_RSA_WITH_AES_128_CBC_SHA\"", static c => c.Https.CipherSuites.Count),
            ["enable_agent_tls_for_checks"] =
                ("enable_agent_tls_for_checks = true", static c => c.CheckSettings.UseAgentTls),
            ["tls.enable_agent_tls_for_checks"] =
                ("tls { enable_agent_tls_for_checks = true }", static c => c.CheckSettings.UseAgentTls),
            ["tls.defaults.ca_file"] = ("tls { defaults { ca_file = \"a\" } }", static c => c.Https.CaFile),
            ["tls.defaults.ca_path"] = ("tls { defaults { ca_path = \"a\" } }", static c => c.Https.CaPath),
            ["tls.defaults.cert_file"] = ("tls { defaults { cert_file = \"a\" } }", static c => c.Https.CertFile),
            ["tls.defaults.key_file"] = ("tls { defaults { key_file = \"a\" } }", static c => c.Https.KeyFile),
            ["tls.defaults.tls_min_version"] =
                ("tls { defaults { tls_min_version = \"TLSv1_3\" } }", static c => c.Https.Versions),
            ["tls.defaults.tls_cipher_suites"] = (
                "tls { defaults { tls_cipher_suites = \"TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256\" } }",
                static c => c.Https.CipherSuites.Count),
            ["tls.defaults.verify_incoming"] =
                ("tls { defaults { verify_incoming = true } }", static c => c.Https.VerifyIncoming),
            ["tls.https.ca_file"] = ("tls { https { ca_file = \"a\" } }", static c => c.Https.CaFile),
            ["tls.https.ca_path"] = ("tls { https { ca_path = \"a\" } }", static c => c.Https.CaPath),
            ["tls.https.cert_file"] = ("tls { https { cert_file = \"a\" } }", static c => c.Https.CertFile),
            ["tls.https.key_file"] = ("tls { https { key_file = \"a\" } }", static c => c.Https.KeyFile),
            ["tls.https.tls_min_version"] =
                ("tls { https { tls_min_version = \"TLSv1_3\" } }", static c => c.Https.Versions),
            ["tls.https.tls_cipher_suites"] = (
                "tls { https { tls_cipher_suites = \"TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256\" } }",
                static c => c.Https.CipherSuites.Count),
            ["tls.https.verify_incoming"] =
                ("tls { https { verify_incoming = true } }", static c => c.Https.VerifyIncoming),
            ["log_level"] = ("log_level = \"ERR\"", static c => ConfigMapping.Level(c.Log.Level)),
        };

    [Fact]
    public void Each_key_that_is_marked_as_reloadable_is_applied_by_a_reload() =>
        Settings.ByKey.Values.Where(static row => row is { IsReloadable: true, HasEffect: true })
            .Select(static row => row.Key).ShouldBe(Reloadable.Keys, ignoreOrder: true);

    [Fact]
    public void Each_reloadable_key_reaches_the_part_that_it_is_for()
    {
        var running = Load("");
        foreach (var (key, (change, handed)) in Reloadable)
        {
            var next = Load(change);
            handed(next).ShouldNotBe(handed(running), key);
            ConfigLoader.NotReloadable(running, next).ShouldBeEmpty(key);
        }
    }

    [Fact]
    public void A_change_of_a_port_needs_a_restart() =>
        ConfigLoader.NotReloadable(Load(""), Load("ports { http = 8555 }")).ShouldBe(["ports.http"]);

    private static DnsOptions Dns(AgentConfig config) => ConfigMapping.Dns(config, []);

    private static GuardRules Guard(AgentConfig config) => ClientInterfaces.Guards(config);

    private static LocalAgentOptions Local(AgentConfig config) =>
        ConfigMapping.Local(config, ConfigMapping.Node(config, "fd401027-cdd8-16c1-4393-64afbad16525"));

    private static AgentConfig Load(string hcl)
    {
        var surroundings = new ConfigSurroundings("host", static () => []);
        var result = ConfigLoader.Load(["-dev", "-hcl", hcl], surroundings);
        return result.Config.ShouldNotBeNull(result.ProblemText);
    }
}
