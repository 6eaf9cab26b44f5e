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
            ["recursors"] = ("recursors = [\"1.1.1.1\"]", static c => Dns(c).Recursors.Count),
            ["dns_config.node_ttl"] = ("dns_config { node_ttl = \"5s\" }", static c => Dns(c).NodeTtl),
            ["dns_config.service_ttl"] =
                ("dns_config { service_ttl { \"*\" = \"5s\" } }", static c => Dns(c).ServiceTtl.Count),
            ["dns_config.enable_truncate"] =
                ("dns_config { enable_truncate = true }", static c => Dns(c).EnableTruncate),
            ["dns_config.only_passing"] = ("dns_config { only_passing = true }", static c => Dns(c).OnlyPassing),
            ["dns_config.recursor_timeout"] =
                ("dns_config { recursor_timeout = \"5s\" }", static c => Dns(c).RecursorTimeout),
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
    public void A_change_of_the_nodes_metadata_needs_a_restart() =>
        ConfigLoader.NotReloadable(Load(""), Load("node_meta { a = \"b\" }")).ShouldBe(["node_meta"]);

    private static DnsOptions Dns(AgentConfig config) => ConfigMapping.Dns(config);

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
