using System.Net;
using Languages;
using Praetor.Agent.Logging;

namespace Praetor.Agent.Config;

/// <summary>Makes the resolved configuration out of merged values and judges what no single row can.</summary>
internal sealed class AgentConfigBuilder(SettingValues values, bool isDev, ConfigSurroundings surroundings)
{
    private const int GrpcTlsPort = 8503;
    private const int DnsPort = 53;

    private readonly List<ConfigProblem> _problems = [];
    private readonly List<ConfigProblem> _startProblems = [];
    private readonly DecodeContext _context = new(DecodeMode.File);
    private IReadOnlyList<LocalAddress>? _machine;

    public IEnumerable<ConfigProblem> Problems => _context.Problems.Concat(_problems);

    public IReadOnlyList<ConfigProblem> StartProblems => _startProblems;

    // 8380 beside 8300, as etcd's own 2380 stands beside its 2379.
    private const int StorePeerAbove = 80;

    public List<string> Warnings { get; } = [];

    private IReadOnlyList<LocalAddress> Machine => _machine ??= surroundings.Addresses();

    public AgentConfig Build()
    {
        var ports = BuildPorts();
        var services = DefinitionShapesOf("service", "services", DefinitionShapes.Service);
        var checks = DefinitionShapesOf("check", "checks", DefinitionShapes.Check);
        services = Registrable(services);
        checks = Registrable(checks);
        var datacenter = values.Text("datacenter").ToLowerInvariant();
        var primary = FirstText("primary_datacenter", "acl_datacenter").ToLowerInvariant();
        var isServer = values.Flag("server");
        var expect = values.Count("bootstrap_expect");
        var config = new AgentConfig
        {
            Values = values,
            IsDev = isDev,
            Datacenter = datacenter,
            PrimaryDatacenter = primary.Length == 0 ? datacenter : primary,
            NodeName = values.Text("node_name") is { Length: > 0 } name ? name : surroundings.HostName,
            NodeId = values.Text("node_id"),
            NodeMeta = values.TextMap("node_meta"),
            DataDir = values.Text("data_dir"),
            IsServer = isServer,
            IsBootstrap = values.Flag("bootstrap") || expect == 1 || isDev,
            BootstrapExpect = expect == 1 ? 0 : expect,
            Store = BuildStore(expect),
            LeaveOnTerminate = values.Has("leave_on_terminate") ? values.Flag("leave_on_terminate") : !isServer,
            SkipLeaveOnInterrupt =
                values.Has("skip_leave_on_interrupt") ? values.Flag("skip_leave_on_interrupt") : isServer,
            PidFile = values.Text("pid_file"),
            Ports = ports,
            Addresses = BuildAddresses(ports),
            Dns = BuildDns(),
            Http = BuildHttp(),
            Ui = BuildUi(),
            Tls = BuildTls("tls.defaults", values.Flag("verify_incoming")),
            Https = BuildTls("tls.https", values.Flag("verify_incoming") || values.Flag("verify_incoming_https")),
            InternalTls = BuildTls("tls.internal_rpc", values.Flag("verify_incoming")),
            SocketFiles = BuildSocketFiles(),
            Limits = BuildLimits(),
            Log = new LogConfig(values.Text("log_level").ToUpperInvariant(), values.Flag("log_json"),
                values.Text("log_file"),
                values.Flag("enable_syslog") ? Syslog.FacilityOf(values.Text("syslog_facility")) : null),
            Telemetry = new TelemetryConfig(
                values.Text("telemetry.metrics_prefix"),
                values.Duration("telemetry.prometheus_retention_time"),
                values.Flag("telemetry.disable_hostname")),
            CheckSettings = BuildChecks(),
            Connect = new ConnectConfig(
                values.Flag("connect.enabled"),
                values.Flag("connect.enabled") && values.Flag("connect.managed_sidecars"),
                values.Text("connect.ca_provider") is { Length: > 0 } provider ? provider : "consul",
                values.Free("connect.ca_config"),
                values.Flag("peering.enabled")),
            Acl = BuildAcl(),
            Join = new JoinConfig(
                [.. Seeds("start_join"), .. Seeds("retry_join")],
                [.. Seeds("start_join_wan"), .. Seeds("retry_join_wan")]),
            Services = services,
            Checks = checks,
            Watches = values.Blocks("watches"),
            ConfigEntries = values.Blocks("config_entries.bootstrap"),
        };
        var rules = new ConfigRules(config, _problems, Warnings);
        rules.Judge();
        return config;
    }

    private StoreConfig BuildStore(int expect)
    {
        var usual = expect > 1 ? StoreKind.Etcd : values.Text("data_dir").Length > 0 ? StoreKind.Sqlite
            : StoreKind.Memory;
        var store = StoreConfig.Parse(values.Text("store")) ?? new StoreConfig(usual, IsAsked: expect > 1, []);
        return store with
        {
            EtcdPath = values.Text("etcd_path"),
            CaFile = values.Text("etcd_ca_file"),
            CertFile = values.Text("etcd_cert_file"),
            KeyFile = values.Text("etcd_key_file"),
            QuotaBytes = values.Whole("etcd_quota_bytes"),
            RequestBytesAsked = (int)values.Whole("etcd_max_request_bytes"),
        };
    }

    private string FirstText(params string[] keys) =>
        keys.Select(values.Text).FirstOrDefault(static text => text.Length > 0) ?? "";

    private PortConfig BuildPorts()
    {
        var grpcTls = values.Has("ports.grpc_tls") ? Port("ports.grpc_tls") : values.Flag("server") ? GrpcTlsPort : -1;
        return new PortConfig(
            Port("ports.dns"),
            Port("ports.http"),
            Port("ports.https"),
            Port("ports.grpc"),
            grpcTls,
            Port("ports.serf_lan"),
            Port("ports.serf_wan"),
            Port("ports.server"),
            values.Count(values.Has("ports.proxy_min_port") ? "ports.proxy_min_port" : "ports.sidecar_min_port"),
            values.Count(values.Has("ports.proxy_max_port") ? "ports.proxy_max_port" : "ports.sidecar_max_port"),
            values.Count("ports.expose_min_port"),
            values.Count("ports.expose_max_port"))
        {
            StorePeer = values.Has("ports.store_peer")
                ? Port("ports.store_peer") : Port("ports.server") + StorePeerAbove,
        };
    }

    // Zero and every negative number switch a port off.
    private int Port(string key) => values.Count(key) is > 0 and var port ? port : -1;

    private AddressConfig BuildAddresses(PortConfig ports)
    {
        var bind = SingleAddress("bind_addr") ?? IPAddress.Any;
        var isAny = bind.Equals(IPAddress.Any) || bind.Equals(IPAddress.IPv6Any);
        var advertise = SingleAddress("advertise_addr")
            ?? SingleAddress("advertise_addr_ipv4")
            ?? SingleAddress("advertise_addr_ipv6")
            ?? (isAny ? PrivateAddress(bind) : bind);
        var wan = SingleAddress("advertise_addr_wan")
            ?? SingleAddress("advertise_addr_wan_ipv4")
            ?? SingleAddress("advertise_addr_wan_ipv6")
            ?? advertise;
        var client = Listeners("client_addr", 0, []);
        var tagged = new Dictionary<string, string>(StringComparer.Ordinal);
        Tag(tagged, "lan", advertise, "advertise_addr");
        Tag(tagged, "wan", wan, "advertise_addr_wan");
        return new AddressConfig(
            bind,
            advertise,
            wan,
            SingleAddress("serf_lan") ?? bind,
            SingleAddress("serf_wan") ?? bind,
            client,
            Listeners("addresses.dns", ports.Dns, client),
            Listeners("addresses.http", ports.Http, client),
            Listeners("addresses.https", ports.Https, client),
            Listeners("addresses.grpc", ports.Grpc, client),
            Listeners("addresses.grpc_tls", ports.GrpcTls, client),
            tagged);
    }

    private void Tag(Dictionary<string, string> tagged, string name, IPAddress address, string key)
    {
        var isIpv4 = address.AddressFamily == System.Net.Sockets.AddressFamily.InterNetwork;
        tagged[name] = address.ToString();
        var v4 = SingleAddress($"{key}_ipv4") ?? (isIpv4 ? address : null);
        var v6 = SingleAddress($"{key}_ipv6") ?? (isIpv4 ? null : address);
        if (v4 is not null)
        {
            tagged[$"{name}_ipv4"] = v4.ToString();
        }
        if (v6 is not null)
        {
            tagged[$"{name}_ipv6"] = v6.ToString();
        }
    }

    private string Resolve(string key)
    {
        var (text, problem) = new AddressTemplate(Machine).Resolve(values.Text(key));
        if (problem is not null)
        {
            Refuse(key, problem, "see the list of templates in the reference");
        }
        return text.Trim();
    }

    /// <summary>Addresses to join: a template may give several, separated by spaces.</summary>
    private IEnumerable<string> Seeds(string key)
    {
        foreach (var written in values.Texts(key))
        {
            if (!written.Contains("{{", StringComparison.Ordinal))
            {
                yield return written;
                continue;
            }

            var (text, problem) = new AddressTemplate(Machine).Resolve(written);
            var found = text.Split(' ', StringSplitOptions.RemoveEmptyEntries);
            if (problem is not null || found.Length == 0)
            {
                Refuse(
                    key, problem ?? $"{written} gives no address", "see what the template finds on this machine");
            }

            foreach (var seed in found)
            {
                yield return seed;
            }
        }
    }

    private IPAddress? SingleAddress(string key)
    {
        if (values.Text(key).Length == 0)
        {
            return null;
        }
        var text = Resolve(key);
        var bare = text.StartsWith('[') && text.EndsWith(']') ? text[1..^1] : text;
        if (IPAddress.TryParse(bare, out var address))
        {
            return address;
        }
        Refuse(key, text.Length == 0 ? $"{key} cannot be empty" : $"invalid ip address: {text}", "use one IP address");
        return null;
    }

    private IPAddress PrivateAddress(IPAddress bind)
    {
        var isIpv6 = bind.Equals(IPAddress.IPv6Any);
        var found = Machine
            .Where(a => a is { IsUp: true, IsLoopback: false, IsPrivate: true } && a.IsIpv4 != isIpv6)
            .Select(static a => a.Address)
            .ToList();
        if (found.Count > 1)
        {
            Refuse("bind_addr",
                "Multiple private IPv4 addresses found. Please configure one with 'bind' and/or 'advertise'.",
                $"found {string.Join(", ", found)}");
        }
        // A machine without a private address is alone; its loopback address is good enough to run on.
        return found.Count > 0 ? found[0] : isIpv6 ? IPAddress.IPv6Loopback : IPAddress.Loopback;
    }

    private IReadOnlyList<ListenAddress> Listeners(string key, int port, IReadOnlyList<ListenAddress> fallback)
    {
        if (port < 0)
        {
            return [];
        }
        if (values.Text(key).Length == 0)
        {
            return [.. fallback.Select(address => address with { Port = port })];
        }
        var known = _problems.Count;
        var words = Resolve(key).Split(' ', StringSplitOptions.RemoveEmptyEntries);
        if (words.Length == 0 && _problems.Count == known)
        {
            Refuse(key, "gives no address", "see what the template finds on this machine, or write an IP address");
        }
        var list = new List<ListenAddress>();
        foreach (var word in words)
        {
            if (word.StartsWith("unix://", StringComparison.Ordinal))
            {
                list.Add(new ListenAddress(null, 0, word["unix://".Length..]));
            }
            else if (IPAddress.TryParse(word, out var address))
            {
                list.Add(new ListenAddress(address, port));
            }
            else
            {
                Refuse(key, $"invalid ip address: {word}", "use IP addresses separated by spaces");
            }
        }
        return list;
    }

    private DnsConfig BuildDns() => new()
    {
        Domain = WithDot(values.Text("domain")),
        AltDomain = values.Text("alt_domain") is { Length: > 0 } other ? WithDot(other) : "",
        Recursors = [.. values.Texts("recursors").Select(RecursorOf).OfType<RecursorAddress>()],
        RecursorStrategy = values.Text("dns_config.recursor_strategy"),
        RecursorTimeout = values.Duration("dns_config.recursor_timeout"),
        AllowStale = values.Flag("dns_config.allow_stale"),
        MaxStale = values.Duration("dns_config.max_stale"),
        NodeTtl = values.Duration("dns_config.node_ttl"),
        ServiceTtl = values.DurationMap("dns_config.service_ttl"),
        EnableTruncate = values.Flag("dns_config.enable_truncate"),
        OnlyPassing = values.Flag("dns_config.only_passing"),
        DisableCompression = values.Flag("dns_config.disable_compression"),
        UdpAnswerLimit = values.Count("dns_config.udp_answer_limit"),
        ARecordLimit = values.Count("dns_config.a_record_limit"),
        NodeMetaTxt = values.Flag("dns_config.enable_additional_node_meta_txt"),
        Soa = (Seconds("refresh"), Seconds("retry"), Seconds("expire"), Seconds("min_ttl")),
        UseCache = values.Flag("dns_config.use_cache"),
        CacheMaxAge = values.Duration("dns_config.cache_max_age"),
    };

    private uint Seconds(string name) => (uint)Math.Clamp(values.Whole($"dns_config.soa.{name}"), 0, uint.MaxValue);

    private static string WithDot(string domain) => domain.ToLowerInvariant().TrimEnd('.') + ".";

    private RecursorAddress? RecursorOf(string text)
    {
        var (resolved, problem) = new AddressTemplate(Machine).Resolve(text);
        if (problem is not null)
        {
            Refuse("recursors", problem, "see the list of templates in the reference");
            return null;
        }
        if (IPEndPoint.TryParse(resolved, out var at))
        {
            return new RecursorAddress(resolved, at.Address.ToString(), at.Port > 0 ? at.Port : DnsPort);
        }
        var colon = resolved.IndexOf(':');
        var host = colon < 0 ? resolved : resolved[..colon];
        var port = colon < 0 ? DnsPort : int.TryParse(resolved[(colon + 1)..], out var given) ? given : 0;
        if (Uri.CheckHostName(host) == UriHostNameType.Dns && port is > 0 and <= ushort.MaxValue)
        {
            return new RecursorAddress(resolved, host, port);
        }
        Refuse("recursors", $"Invalid recursor address: {resolved}",
            "use an IP address or a host name, with :port unless it is 53");
        return null;
    }

    private HttpConfig BuildHttp() => new(
        values.Texts("http_config.block_endpoints"),
        values.Texts("http_config.allowed_hosts"),
        values.TextMap("http_config.response_headers"),
        [.. values.Texts("http_config.allow_write_http_from").Select(NetworkOf)],
        values.Flag("http_config.use_cache"),
        values.Count("http_config.max_header_bytes"),
        values.Duration("default_query_time"),
        values.Duration("max_query_time"),
        values.Flag("disable_http_unprintable_char_filter"));

    /// <summary>Go takes 10.0.0.1/8 for 10.0.0.0/8; .NET wants the network's own address.</summary>
    private static IPNetwork NetworkOf(string text)
    {
        var parts = text.Split('/');
        var bits = int.Parse(parts[1], System.Globalization.CultureInfo.InvariantCulture);
        var bytes = IPAddress.Parse(parts[0]).GetAddressBytes();
        for (var i = 0; i < bytes.Length; i++)
        {
            var kept = Math.Clamp(bits - (i * 8), 0, 8);
            bytes[i] = (byte)(bytes[i] & (0xff << (8 - kept)));
        }
        return new IPNetwork(new IPAddress(bytes), bits);
    }

    private UiConfig BuildUi()
    {
        var path = FirstText("ui_content_path", "ui_config.content_path").Trim('/');
        return new UiConfig(
            values.Flag("ui") || values.Flag("ui_config.enabled"),
            FirstText("ui_dir", "ui_config.dir"),
            path.Length == 0 ? "/" : $"/{path}/");
    }

    // What the listener says of itself, else what the defaults say, else what files of old releases say.
    private TlsConfig BuildTls(string of, bool verifiesByOldKeys)
    {
        string Of(string name) => FirstText($"{of}.{name}", $"tls.defaults.{name}", name);
        var verifies = $"{of}.verify_incoming";
        TlsConfig.TryReadSuites(Of("tls_cipher_suites"), out var suites, out _);
        return new TlsConfig(
            Of("ca_file"),
            Of("ca_path"),
            Of("cert_file"),
            Of("key_file"),
            TlsConfig.VersionsFrom(Of("tls_min_version")) ?? default,
            suites,
            values.Has(verifies) ? values.Flag(verifies)
                : values.Flag("tls.defaults.verify_incoming") || verifiesByOldKeys);
    }

    private SocketFileConfig BuildSocketFiles() => new(
        values.Text("unix_sockets.user"),
        values.Text("unix_sockets.group"),
        Settings.ModeOf(values.Text("unix_sockets.mode")));

    private LimitConfig BuildLimits()
    {
        var value = values.Whole("limits.kv_max_value_size");
        return new LimitConfig(
            values.Count("limits.http_max_conns_per_client"),
            values.Duration("limits.https_handshake_timeout"),
            value,
            values.Whole("limits.txn_max_req_len") is > 0 and var body ? body : value,
            new RpcLimitConfig(
                values.Duration("limits.rpc_handshake_timeout"),
                values.Duration("limits.rpc_client_timeout"),
                values.Duration("performance.rpc_hold_timeout"),
                values.Count("limits.rpc_max_conns_per_client"),
                values.Real("limits.rpc_rate"),
                values.Count("limits.rpc_max_burst")));
    }

    private CheckConfig BuildChecks() => new(
        values.Flag("enable_script_checks"),
        values.Flag("enable_script_checks") || values.Flag("enable_local_script_checks"),
        values.Duration("check_update_interval"),
        values.Count("check_output_max_size"),
        values.Flag("discard_check_output"),
        values.Flag("enable_agent_tls_for_checks") || values.Flag("tls.enable_agent_tls_for_checks"));

    private AclConfig BuildAcl() => new(
        values.Flag("acl.enabled"),
        FirstText("acl_default_policy", "acl.default_policy"),
        FirstText("acl_down_policy", "acl.down_policy"),
        values.Text("default_intention_policy"));

    private IReadOnlyList<T> DefinitionShapesOf<T>(string one, string many, Shape<T> shape)
        where T : class
    {
        var list = new List<T>();
        foreach (var node in values.Blocks(one))
        {
            Keep(shape.Decode(node, _context, one));
        }
        var blocks = values.Blocks(many);
        for (var i = 0; i < blocks.Count; i++)
        {
            Keep(shape.Decode(blocks[i], _context, $"{many}[{i}]"));
        }
        return list;

        void Keep(T? value)
        {
            if (value is not null)
            {
                list.Add(value);
            }
        }
    }

    private IReadOnlyList<ServiceDefinition> Registrable(IReadOnlyList<ServiceDefinition> services) =>
        [.. services.Where(service =>
        {
            var key = $"service \"{service.Name}\"";
            _problems.AddRange(
                DefinitionRules.FileProblems(service).Select(what => new ConfigProblem(service.At, key, what)));
            return IsRegistrable(service.At, key, DefinitionRules.StartProblems(service));
        })];

    private IReadOnlyList<CheckDefinition> Registrable(IReadOnlyList<CheckDefinition> checks) =>
        [.. checks.Where(check => IsRegistrable(
            check.At, $"check \"{check.Name}\"", DefinitionRules.StartProblem(check) is { } what ? [what] : []))];

    private bool IsRegistrable(Position at, string key, IEnumerable<string> problems)
    {
        var before = _startProblems.Count;
        _startProblems.AddRange(problems.Select(what => new ConfigProblem(at, key, what)));
        Warnings.AddRange(_startProblems.Skip(before).Select(static what => $"will not be registered: {what}"));
        return _startProblems.Count == before;
    }

    private void Refuse(string key, string what, string remedy) =>
        _problems.Add(new ConfigProblem(values.At(key), key, what, remedy));
}
