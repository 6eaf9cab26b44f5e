using System.Net;
using Praetor.Agent.Config;
using Shouldly;
using Xunit;

namespace Unit.Config;

public sealed class ConfigLoaderTests : IDisposable
{
    private static readonly ConfigSurroundings Machine = new("host", static () =>
    [
        new LocalAddress("lo", IPAddress.Loopback, 8, true, false),
        new LocalAddress("eth0", IPAddress.Parse("10.0.0.5"), 24, true, true),
    ]);

    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("praetor-config");

    public void Dispose() => _folder.Delete(recursive: true);

    [Fact]
    public void Dev_needs_nothing_else()
    {
        var config = Good("-dev");
        config.IsServer.ShouldBeTrue();
        config.IsBootstrap.ShouldBeTrue();
        config.DataDir.ShouldBeEmpty();
        config.Datacenter.ShouldBe("dc1");
        config.NodeName.ShouldBe("host");
        config.Addresses.Bind.ShouldBe(IPAddress.Loopback);
        config.Addresses.Advertise.ShouldBe(IPAddress.Loopback);
        config.Addresses.Http.Single().ToString().ShouldBe("127.0.0.1:8500");
        config.Addresses.Dns.Single().ToString().ShouldBe("127.0.0.1:8600");
        config.Addresses.Https.ShouldBeEmpty();
        config.Ports.ShouldBe(new PortConfig(8600, 8500, -1, 8502, 8503, 8301, 8302, 8300, 21000, 21255, 21500, 21755)
        {
            StorePeer = 8380,
        });
        config.Connect.IsEnabled.ShouldBeTrue();
        config.Ui.ShouldBe(new UiConfig(true, "", "/ui/"));
        config.Log.Level.ShouldBe("DEBUG");
        config.Dns.Domain.ShouldBe("consul.");
        config.Dns.UdpAnswerLimit.ShouldBe(3);
        config.Limits.KvValueBytesMax.ShouldBe(512 * 1024);
        config.Http.DefaultQueryTime.ShouldBe(TimeSpan.FromMinutes(5));
    }

    [Fact]
    public void A_client_is_the_default()
    {
        var config = Good("-data-dir=/x");
        config.IsServer.ShouldBeFalse();
        config.Ports.GrpcTls.ShouldBe(-1);
        config.LeaveOnTerminate.ShouldBeTrue();
        config.Addresses.Advertise.ToString().ShouldBe("10.0.0.5");
        config.Addresses.TaggedLan["lan_ipv4"].ShouldBe("10.0.0.5");
    }

    [Fact]
    public void The_last_source_wins_and_lists_grow()
    {
        var a = Write("a.hcl", """
            domain = "a." log_level = "WARN" retry_join = ["a"] recursors = ["1.1.1.1"] node_meta { x = "a" y = "a" }
            service { name = "one" }
            """);
        var b = Write("b.json", """
            {"domain":"b.","retry_join":["b"],"node_meta":{"x":"b"},"services":[{"name":"two"}],"node_name":"file"}
            """);
        var config = Good("-node", "flag", "-retry-join=f", "-dev", $"-config-file={a}", "-config-file", b,
            "--log-level=ERROR",
            "-hcl", "node_name = \"fragment\" retry_join = [\"h\"]");
        config.Dns.Domain.ShouldBe("b.");
        config.Log.Level.ShouldBe("ERROR");
        config.NodeName.ShouldBe("fragment");
        config.Join.Retry.ShouldBe(["f", "a", "b", "h"]);
        config.NodeMeta["x"].ShouldBe("b");
        config.NodeMeta["y"].ShouldBe("a");
        config.Dns.Recursors.Single().ShouldBe(new RecursorAddress("1.1.1.1", "1.1.1.1", 53));
        config.Services.Select(static s => s.Name).ShouldBe(["one", "two"]);
        config.Services[0].At.Line.ShouldBe(2);
    }

    [Fact]
    public void A_folder_is_read_in_the_order_of_names_and_other_files_are_left_out()
    {
        Write("20.hcl", "domain = \"second.\"");
        Write("10.json", """{"domain":"first.","node_name":"n"}""");
        Write("30.txt", "not read");
        Write("sub.hcl.bak", "not read");
        var config = Good("-dev", "-config-dir", _folder.FullName);
        config.Dns.Domain.ShouldBe("second.");
        config.NodeName.ShouldBe("n");
    }

    [Fact]
    public void A_format_given_by_hand_reads_any_name()
    {
        var file = Write("x.conf", """{"node_name":"n"}""");
        Good("-dev", "-config-format=json", $"-config-file={file}").NodeName.ShouldBe("n");
        ConfigLoader.Load(["-dev", $"-config-file={file}"], Machine).Warnings.ShouldContain(static w =>
            w.StartsWith("skipping file"));
    }

    [Fact]
    public void All_problems_are_told_together_with_place_and_remedy()
    {
        var file = Write("a.hcl", "data_dir = \"/x\"\nports { dns = 70000 }\nretry_intervall = \"5s\"\n"
            + "server = \"yes\"\ndns_config { node_ttl = \"5\" }\nservice { name = \"a\" prot = 80 }\n");
        var result = ConfigLoader.Load([$"-config-file={file}"], Machine);
        result.Config.ShouldBeNull();
        result.Problems.Select(static p => p.ToString()).ShouldBe(
        [
            $"{file}:2:15: ports.dns: invalid port: 70000; use 1 to 65535, or -1 to switch it off",
            $"{file}:3:1: retry_intervall: invalid config key retry_intervall; did you mean \"retry_interval\"?",
            $"{file}:4:10: server: expected type 'bool', got unconvertible type 'string'; "
                + "write true or false, without quotes",
            $"{file}:5:25: dns_config.node_ttl: invalid duration: \"5\": time: missing unit in duration \"5\"; "
                + "write a number with its unit: \"10s\", \"1h30m\", \"500ms\"",
            $"{file}:6:22: service.prot: invalid config key service.prot; did you mean \"port\"?",
        ]);
    }

    [Fact]
    public void Keys_without_effect_and_old_keys_are_named_once()
    {
        var warnings = ConfigLoader.Load(
            ["-dev", "-hcl", "start_join = [\"a\"] raft_protocol = 3 acl_datacenter = \"dc1\" raft_protocol = 3"],
                Machine).Warnings;
        warnings.Count(static w => w.StartsWith("key raft_protocol has no effect yet")).ShouldBe(1);
        warnings.ShouldContain("The 'acl_datacenter' field is deprecated. Use the 'primary_datacenter' field instead.");
    }

    [Fact]
    public void Flags_follow_Gos_rules()
    {
        Good("-dev", "--dns-port", "9000", "-http-port=-1", "-enable-script-checks=true", "-node-meta=a:b:c",
            "-server=false")
            .ShouldSatisfyAllConditions(
                static c => c.Ports.Dns.ShouldBe(9000),
                static c => c.Addresses.Http.ShouldBeEmpty(),
                static c => c.CheckSettings.AllowScripts.ShouldBeTrue(),
                static c => c.NodeMeta["a"].ShouldBe("b:c"),
                static c => c.IsServer.ShouldBeFalse());
    }

    [Theory]
    [InlineData("-nod=x", "flag provided but not defined: -nod; did you mean \"node\"?")]
    [InlineData("-node", "flag needs an argument: -node")]
    [InlineData("-dev=maybe", "invalid boolean value \"maybe\" for -dev")]
    [InlineData("-dns-port=x", "strconv.ParseInt: parsing \"x\": invalid syntax")]
    [InlineData("extra", "Unexpected extra arguments: [extra]")]
    [InlineData("-config-format=xml", "-config-format must be either 'hcl' or 'json'")]
    [InlineData("-config-file=/does/not/exist.hcl", "open /does/not/exist.hcl: no such file or directory")]
    [InlineData("-hcl=a = ", "Unknown token: EOF")]
    public void A_bad_command_line_is_refused(string word, string text) =>
        ConfigLoader.Load(["-dev", word], Machine).ProblemText.ShouldContain(text);

    [Fact]
    public void Every_flag_of_the_agent_is_known()
    {
        const string All = "advertise advertise-wan allow-write-http-from alt-domain bind bootstrap bootstrap-expect "
            + "check_output_max_size client config-dir config-file config-format data-dir datacenter "
            + "default-query-time dev disable-host-node-id disable-keyring-file dns-port domain "
            + "enable-local-script-checks enable-script-checks encrypt grpc-port hcl http-port https-port join "
            + "join-wan log-file log-json log-level log-rotate-bytes log-rotate-duration log-rotate-max-files "
            + "max-query-time node node-id node-meta non-voting-server pid-file primary-gateway protocol "
            + "raft-protocol recursor rejoin retry-interval retry-interval-wan retry-join retry-join-wan retry-max "
            + "retry-max-wan segment serf-lan-allowed-cidrs serf-lan-bind serf-lan-port serf-wan-allowed-cidrs "
            + "serf-wan-bind serf-wan-port server server-port syslog ui ui-content-path ui-dir auto-reload-config "
            + "grpc-tls-port";
        All.Split(' ').Except(AgentFlags.Names, StringComparer.Ordinal).ShouldBeEmpty();
    }

    [Fact]
    public void Templates_find_addresses()
    {
        var config = Good("-dev", "-client", "{{ GetInterfaceIP \"lo\" }} {{ GetPrivateIP }}",
            "-bind={{ GetPrivateIP }}");
        config.Addresses.Http.Select(static a => a.ToString()).ShouldBe(["127.0.0.1:8500", "10.0.0.5:8500"]);
        config.Addresses.Bind.ToString().ShouldBe("10.0.0.5");
    }

    [Fact]
    public void A_template_that_finds_nothing_is_refused_by_its_setting() =>
        ConfigLoader.Load(["-dev", "-client", "{{ GetInterfaceIP \"nope\" }}"], Machine)
            .ProblemText.ShouldContain("client_addr: gives no address");

    [Theory]
    [InlineData("{{ GetAllInterfaces | include \"name\" \"^eth\" | attr \"address\" }}", "10.0.0.5")]
    [InlineData("{{ GetAllInterfaces | exclude \"flags\" \"loopback\" | join \"address\" \",\" }}", "10.0.0.5")]
    [InlineData("{{ GetAllInterfaces | include \"network\" \"127.0.0.0/8\" | attr \"name\" }}", "lo")]
    [InlineData("{{ GetAllInterfaces | include \"rfc\" \"1918\" | include \"type\" \"IPv4\" | limit 1 | attr \"address\" }}", "10.0.0.5")]
    [InlineData("{{ GetDefaultInterfaces | sort \"address\" | attr \"address\" }}", "10.0.0.5")]
    [InlineData("{{ GetPrivateInterfaces | attr \"network\" }}", "10.0.0.5/24")]
    public void Address_templates_work_as_in_go_sockaddr(string template, string text) =>
        new AddressTemplate(Machine.Addresses()).Resolve(template).ShouldBe((text, null));

    [Theory]
    [InlineData("{{ GetPrivateIP }}", "192.168.9.1")]
    [InlineData("{{ GetPrivateInterfaces | join \"address\" \" \" }}", "192.168.9.1 10.78.0.1 10.77.0.1")]
    [InlineData("{{ GetPrivateInterfaces | include \"network\" \"10.77.0.0/24\" | attr \"address\" }}", "10.77.0.1")]
    [InlineData("{{ GetPublicIP }}", "8.8.4.4")]
    public void Of_several_networks_the_one_with_the_default_route_comes_first_and_then_the_largest(
        string template, string text) =>
        new AddressTemplate(
        [
            new LocalAddress("lo", IPAddress.Loopback, 8, IsUp: true, IsDefault: false),
            new LocalAddress("lan", IPAddress.Parse("10.77.0.1"), 24, IsUp: true, IsDefault: false),
            new LocalAddress("wan", IPAddress.Parse("10.78.0.1"), 16, IsUp: true, IsDefault: false),
            new LocalAddress("out", IPAddress.Parse("192.168.9.1"), 24, IsUp: true, IsDefault: true),
            new LocalAddress("net", IPAddress.Parse("8.8.4.4"), 24, IsUp: true, IsDefault: false),
            new LocalAddress("down", IPAddress.Parse("10.1.1.1"), 8, IsUp: false, IsDefault: false),
        ]).Resolve(template).ShouldBe((text, null));

    [Fact]
    public void Whom_to_join_may_be_a_template_that_gives_several()
    {
        var config = Good("-dev", "-retry-join={{ GetAllInterfaces | join \"address\" \" \" }}", "-retry-join=db:8301");

        config.Join.Retry.ShouldBe(["127.0.0.1", "10.0.0.5", "db:8301"], ignoreOrder: true);
    }

    [Theory]
    [InlineData("-retry-join={{ GetInterfaceIP \"nope\" }}", "retry_join: {{ GetInterfaceIP \"nope\" }} gives no address")]
    [InlineData("-serf-lan-port=-1", "ports.serf_lan cannot be switched off")]
    [InlineData("-protocol=4", "Protocol version '4' too high. Must be in range: [2, 3]")]
    [InlineData("-protocol=1", "Protocol version '1' too low. Must be in range: [2, 3]")]
    [InlineData("-hcl=advertise_reconnect_timeout=\"1h\"", "advertise_reconnect_timeout can only be used on a client")]
    public void What_gossip_cannot_do_is_refused(string word, string said) =>
        ConfigLoader.Load(["-dev", word], Machine).ProblemText.ShouldContain(said);

    [Fact]
    public void Who_asks_a_cloud_for_machines_is_told_what_to_do_instead()
    {
        var loaded = ConfigLoader.Load(["-dev", "-retry-join=provider=aws tag_key=consul tag_value=server"], Machine);

        loaded.Config.ShouldNotBeNull();
        loaded.Warnings.ShouldContain("retry_join: cloud auto-join (provider=…) is not supported: give addresses, or a "
            + "DNS name that has the address of each server");
    }

    [Theory]
    [InlineData("{{ Foo }}")]
    [InlineData("{{ GetAllInterfaces")]
    [InlineData("{{ }}")]
    [InlineData("{{ GetAllInterfaces | include \"name\" \"(\" }}")]
    [InlineData("{{ GetPrivateIP | attr \"x\" }}")]
    public void A_bad_template_is_refused(string template) =>
        new AddressTemplate(Machine.Addresses()).Resolve(template).Problem.ShouldNotBeNull();

    [Fact]
    public void Unix_sockets_are_taken_for_http()
    {
        var config = Good("-dev", "-hcl", "addresses { http = \"unix:///tmp/x.sock 127.0.0.1\" }");
        config.Addresses.Http.Select(static a => a.ToString()).ShouldBe(["unix:///tmp/x.sock", "127.0.0.1:8500"]);
    }

    [Fact]
    public void A_reload_says_which_changes_it_cannot_apply()
    {
        var running = Good("-dev");
        var next = Good("-dev", "-dns-port=9999", "-log-level=WARN", "-recursor=1.1.1.1");
        ConfigLoader.NotReloadable(running, next).ShouldBe(["ports.dns"]);
    }

    [Fact]
    public void Secrets_are_not_shown()
    {
        var config = Good("-dev", "-hcl",
            "acl { tokens { agent = \"s3cret\" } } service { name = \"a\" token = \"s3cret\" }");
        config.Values.Show("acl.tokens.agent").ShouldBe("hidden");
        config.Services[0].ToString().ShouldNotContain("s3cret");
    }

    [Fact]
    public void What_keeps_a_definition_from_being_registered_is_told_at_load()
    {
        var result = ConfigLoader.Load(["-dev", "-hcl", "check { name = \"a\" http = \"http://x\" }"], Machine);
        result.Problems.ShouldBeEmpty();
        result.StartProblems.Single().What.ShouldBe(
            "Invalid check: Interval must be > 0 for Script, HTTP, or TCP checks");
        result.Config.ShouldNotBeNull().Checks.ShouldBeEmpty();
        result.Warnings.Count(static text => text.StartsWith("will not be registered: ", StringComparison.Ordinal))
            .ShouldBe(1);
    }

    [Theory]
    [InlineData("service { port = 9 }", "Missing service name")]
    [InlineData("service { name = \"a\" check { http = \"http://x\" } }",
        "Invalid check: Interval must be > 0 for Script, HTTP, or TCP checks")]
    [InlineData("service { name = \"a\" connect { sidecar_service { check { http = \"http://x\" } } } }",
        "Invalid check: Interval must be > 0 for Script, HTTP, or TCP checks")]
    [InlineData("check { ttl = \"1s\" }", "Missing check name")]
    public void A_broken_definition_is_left_out_at_start_and_refuses_a_reload(string hcl, string what)
    {
        var result = ConfigLoader.Load(["-dev", "-hcl", hcl, "-hcl", "service { name = \"good\" }"], Machine);
        result.Config.ShouldNotBeNull().Services.Select(static s => s.Name).ShouldBe(["good"]);
        result.Config.Checks.ShouldBeEmpty();
        result.ReloadRefusal.ShouldNotBeNull().ShouldContain(what);
    }

    [Theory]
    [InlineData("check { id = \"x\" ttl = \"1s\" }")]
    [InlineData("service { name = \"a\" address = \"0.0.0.0\" }")]
    [InlineData("service { name = \"a\" check { ttl = \"1s\" status = \"maybe\" } }")]
    public void Files_may_say_what_requests_may_not(string hcl)
    {
        var result = ConfigLoader.Load(["-dev", "-hcl", hcl], Machine);
        result.ReloadRefusal.ShouldBeNull();
        (result.Config!.Services.Count + result.Config.Checks.Count).ShouldBe(1);
    }

    [Theory]
    [InlineData("log_level = \"loud\"", "Invalid log level: loud")]
    [InlineData("recursors = [\"foo:bar\"]", "Invalid recursor address: foo:bar")]
    [InlineData("connect { ca_provider = \"vault\" }", "this version does not have the CA provider vault")]
    [InlineData("connect { ca_provider = \"zz\" }", "zz is not a valid CA provider")]
    public void A_value_that_would_come_to_nothing_is_refused(string hcl, string said) =>
        ConfigLoader.Load(["-dev", "-hcl", hcl], Machine).Problems.Single().What.ShouldStartWith(said);

    [Theory]
    [InlineData("performance { raft_multiplier = 20 }",
        "performance.raft_multiplier cannot be 20. Must be between 1 and 10")]
    [InlineData("datacenter = \"a b\"",
        "datacenter cannot be \"a b\". Please use only [a-z0-9-_]")]
    [InlineData("service { name = \"x\" kind = \"connect-proxy\" port = 1 }",
        "service \"x\": Proxy.DestinationServiceName must be non-empty for Connect proxy services")]
    [InlineData("dns_config { udp_answer_limit = -1 }",
        "dns_config.udp_answer_limit cannot be -1. Must be greater than or equal to zero")]
    [InlineData("log_level = \"loud\"",
        "log_level: Invalid log level: loud. Valid log levels are: [TRACE DEBUG INFO WARN ERR ERROR]")]
    public void A_problem_says_each_thing_once(string hcl, string line)
    {
        var text = ConfigLoader.Load(["-dev", "-hcl", hcl], Machine).Problems.Single().ToString();
        text.ShouldStartWith("flag -hcl #1:1:");
        text[(text.IndexOf(": ", StringComparison.Ordinal) + 2)..].ShouldBe(line);
    }

    [Theory]
    [InlineData("1.1.1.1", "1.1.1.1", 53)]
    [InlineData("1.1.1.1:5353", "1.1.1.1", 5353)]
    [InlineData("::1", "::1", 53)]
    [InlineData("[::1]:5353", "::1", 5353)]
    [InlineData("ns.example", "ns.example", 53)]
    [InlineData("ns.example:5353", "ns.example", 5353)]
    public void A_recursor_is_asked_at_port_53_unless_it_says_another(string written, string host, int port) =>
        Good("-dev", "-recursor", written).Dns.Recursors.Single().ShouldBe(new RecursorAddress(written, host, port));

    [Theory]
    [InlineData("kind = \"service-resolver\" name = \"x\"", "this version does not act on it")]
    [InlineData("kind = \"service-default\" name = \"x\"", "did you mean \"service-defaults\"?")]
    [InlineData("kind = \"service-defaults\" name = \"x\" protocl = \"http\"", "protocl")]
    [InlineData("kind = \"service-defaults\"", "serviceName is required")]
    public void A_config_entry_that_could_not_be_written_is_refused_where_it_stands(string entry, string said)
    {
        var path = Write("entries.hcl", $"node_name = \"n\"\nconfig_entries {{ bootstrap = [{{ {entry} }}] }}");
        var problem = ConfigLoader.Load(["-dev", "-config-file", path], Machine).Problems.Single();
        (problem.At.File, problem.At.Line, problem.Key).ShouldBe((path, 2, "config_entries.bootstrap[0]"));
        problem.ToString().ShouldContain(said);
        problem.What.ShouldNotContain("Request");
    }

    [Fact]
    public void Todays_test_tools_can_start_an_agent() =>
        Good("-dev", "-config-file", Write("t.json", """
            {"node_name":"n","node_id":"x","node_meta":{},"performance":{"raft_multiplier":1},
             "bootstrap":true,"server":true,
             "partition":"","retry_join":null,"datacenter":"dc1","segments":null,"disable_update_check":true,
             "log_level":"debug","bind_addr":"127.0.0.1","addresses":{"http":"127.0.0.1"},
             "ports":{"dns":1,"http":2,"https":3,"serf_lan":4,"serf_wan":5,"server":6,"grpc":7,"grpc_tls":8,
                      "proxy_min_port":0,"proxy_max_port":0},
             "raft_protocol":3,"acl":{"enabled":false,"disabled_ttl":"1s","tokens":{"agent_master":"x"}},"encrypt":"",
             "connect":{"enabled":true,"ca_config":{"cluster_id":"x"}},"peering":{"enabled":true},"audit":null,
             "autopilot":{"server_stabilization_time":"1s"},"version":"1.22","experiments":[],"locality":{"region":"r"}}
            """)).Ports.Grpc.ShouldBe(7);

    [Theory]
    [InlineData("-dev", "memory")]
    [InlineData("-dev -data-dir=/x", "sqlite")]
    [InlineData("-dev -store=etcd=http://127.0.0.1:2379", "etcd=http://127.0.0.1:2379")]
    [InlineData("-server -bootstrap -data-dir=/x", "sqlite")]
    [InlineData("-server -bootstrap-expect=3 -data-dir=/x", "etcd")]
    [InlineData("-server -bootstrap-expect=1 -data-dir=/x -store=etcd", "etcd")]
    [InlineData("-server -bootstrap-expect=1 -data-dir=/x -store=memory", "memory")]
    [InlineData("-server -bootstrap-expect=3 -data-dir=/x -store etcd=https://a:2379,https://b:2379",
        "etcd=https://a:2379,https://b:2379")]
    public void The_state_is_kept_where_it_is_asked_or_where_it_is_usual(string line, string store) =>
        Good(line.Split(' ')).Store.Name.ShouldBe(store);

    [Theory]
    [InlineData("-dev -store=etcd=http://127.0.0.1:2379", 1_572_864)]
    [InlineData("-dev -store=etcd=http://127.0.0.1:2379 -hcl etcd_max_request_bytes=10485760", 10_485_760)]
    [InlineData("-server -bootstrap-expect=3 -data-dir=/x", 8_388_608)]
    [InlineData("-server -bootstrap-expect=3 -data-dir=/x -hcl etcd_max_request_bytes=16777216", 16_777_216)]
    public void The_largest_request_is_what_such_an_etcd_takes_or_what_is_asked(string line, int bytes) =>
        Good(line.Split(' ')).Store.RequestBytesMax.ShouldBe(bytes);

    [Theory]
    [InlineData("-dev -store=postgres", "store cannot be \"postgres\"")]
    [InlineData("-dev -store=etcd=a:2379", "store cannot be \"etcd=a:2379\"")]
    [InlineData("-dev -store=etcd=https://a:2379,", "store cannot be")]
    [InlineData("-dev -store=sqlite", "needs data_dir")]
    [InlineData("-server -bootstrap-expect=3 -data-dir=/x -store=sqlite", "cannot be shared")]
    [InlineData("-dev -hcl etcd_cert_file=\"/c\"", "go together")]
    [InlineData("-dev -hcl etcd_quota_bytes=1000", "etcd_quota_bytes is 1000")]
    [InlineData("-dev -hcl etcd_max_request_bytes=500000", "etcd_max_request_bytes is 500000")]
    public void A_store_that_cannot_be_is_refused(string line, string said) =>
        ConfigLoader.Load(line.Split(' '), Machine).ProblemText.ShouldContain(said);

    [Fact]
    public void The_reference_page_is_up_to_date()
    {
        var path = Path.Combine(Repository.Root, "docs/reference/configuration.md");
        // Set PRAETOR_WRITE_DOCS=1 to write the page anew.
        if (Environment.GetEnvironmentVariable("PRAETOR_WRITE_DOCS") == "1")
        {
            File.WriteAllText(path, ConfigReference.Write());
        }
        File.ReadAllText(path).ShouldBe(ConfigReference.Write());
    }

    [Fact]
    public void Every_row_has_a_help_line_and_a_default_of_its_kind()
    {
        foreach (var row in Settings.ByKey.Values)
        {
            row.Help.ShouldNotBeEmpty(row.Key);
            (row.ReplacedBy is null or "" || Settings.ByKey.ContainsKey(row.ReplacedBy)).ShouldBeTrue(row.Key);
        }
        SettingReader.Defaults().Count().ShouldBe(Settings.ByKey.Values.Count(static row => row.Default is not null));
    }

    private AgentConfig Good(params string[] args)
    {
        var result = ConfigLoader.Load(args, Machine);
        result.ProblemText.ShouldBeEmpty();
        return result.Config.ShouldNotBeNull();
    }

    private string Write(string name, string text)
    {
        var path = Path.Combine(_folder.FullName, name);
        File.WriteAllText(path, text);
        return path;
    }
}
