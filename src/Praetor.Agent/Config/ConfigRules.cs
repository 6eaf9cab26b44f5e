using System.Net;
using System.Text;
using Languages;
using Praetor.Agent.Membership;
using Praetor.Server.ConfigEntries;

namespace Praetor.Agent.Config;

/// <summary>Rules over several keys, in Consul's words where it has the rule.</summary>
internal sealed class ConfigRules(AgentConfig config, List<ConfigProblem> problems, List<string> warnings)
{
    private readonly SettingValues _values = config.Values;

    public void Judge()
    {
        JudgeNode();
        JudgeServer();
        JudgeAddresses();
        JudgeListeners();
        JudgeGossip();
        JudgeJoin("retry_join", config.Join.Retry);
        JudgeJoin("retry_join_wan", config.Join.RetryWan);
        JudgeNumbers();
        JudgeMesh();
        JudgeSafety();
        WarnOfTls();
    }

    private void JudgeNode()
    {
        if (config.DataDir.Length == 0 && !config.IsDev)
        {
            Refuse("data_dir", "data_dir cannot be empty", "name a directory, or start with -dev");
        }
        else if (File.Exists(config.DataDir))
        {
            Refuse("data_dir", $"data_dir \"{config.DataDir}\" is not a directory", "name a directory");
        }
        JudgeDatacenter("datacenter", config.Datacenter, _values.Text("datacenter").Length == 0);
        if (config.PrimaryDatacenter != config.Datacenter)
        {
            JudgeDatacenter("primary_datacenter", config.PrimaryDatacenter, isEmpty: false);
        }
        if (DefinitionRules.MetaProblem(config.NodeMeta) is { } meta)
        {
            Refuse("node_meta", $"node_meta invalid: {meta}", "use letters, digits, - and _ in names");
        }
        if (!config.NodeName.All(static c => char.IsAsciiLetterOrDigit(c) || c == '-'))
        {
            warnings.Add($"Node name \"{config.NodeName}\" will not be discoverable via DNS due to invalid characters. "
                + "Valid characters include all alpha-numerics and dashes.");
        }
        if (_values.Text("segment").Length > 0)
        {
            Refuse("segment", "Network segments are not supported in this version of Consul", "remove it");
        }
        if (_values.Text("partition") is not ("" or "default"))
        {
            Refuse("partition", "admin partitions are not supported", "remove it, or use \"default\"");
        }
    }

    private void JudgeDatacenter(string key, string name, bool isEmpty)
    {
        if (isEmpty)
        {
            Refuse(key, $"{key} cannot be empty", "name it, as in dc1");
        }
        else if (!name.All(static c => char.IsAsciiLetterLower(c) || char.IsAsciiDigit(c) || c is '-' or '_'))
        {
            Refuse(key, $"{key} cannot be \"{name}\". Please use only [a-z0-9-_]", "");
        }
    }

    private void JudgeServer()
    {
        var expect = _values.Whole("bootstrap_expect");
        var bootstrap = _values.Flag("bootstrap");
        if (expect < 0)
        {
            Refuse("bootstrap_expect", $"bootstrap_expect cannot be {expect}. Must be greater than or equal to zero",
                "");
        }
        if (bootstrap && !config.IsServer)
        {
            Refuse("bootstrap", "'bootstrap = true' requires 'server = true'", "add server = true");
        }
        if (expect > 0 && !config.IsServer)
        {
            Refuse("bootstrap_expect", "'bootstrap_expect > 0' requires 'server = true'", "add server = true");
        }
        if (expect > 0 && config.IsDev)
        {
            Refuse("bootstrap_expect", "'bootstrap_expect > 0' not allowed in dev mode", "remove it, or -dev");
        }
        if (expect > 0 && bootstrap)
        {
            Refuse("bootstrap", "'bootstrap_expect > 0' and 'bootstrap = true' are mutually exclusive",
                "remove one of them");
        }
        if (_values.Texts("primary_gateways").Count > 0 && !config.IsServer)
        {
            Refuse("primary_gateways", "'primary_gateways' requires 'server = true'", "add server = true");
        }
        WarnOfQuorum(expect, bootstrap);
        JudgeStore(expect);
    }

    private void JudgeStore(long expect)
    {
        var store = config.Store;
        if (expect > 1 && store.Kind != StoreKind.Etcd)
        {
            Refuse("store", $"store = \"{store.Name}\" cannot be shared, and bootstrap_expect is {expect}",
                "use etcd, or bootstrap_expect = 1");
        }
        if (store.Kind != StoreKind.Memory && !store.IsOutside && config.DataDir.Length == 0 && config.IsDev)
        {
            Refuse("store", $"store = \"{store.Name}\" needs data_dir", "name a directory, or leave store away");
        }
        if (store.CertFile.Length > 0 != store.KeyFile.Length > 0)
        {
            Refuse("etcd_cert_file", "etcd_cert_file and etcd_key_file go together", "give both, or none");
        }
        if (!store.IsOutside && (store.CaFile.Length > 0 || store.CertFile.Length > 0))
        {
            warnings.Add("etcd_ca_file, etcd_cert_file and etcd_key_file are for store = \"etcd=https://…\" only");
        }
        if (store.Endpoints.Any(static e => e.StartsWith("http://", StringComparison.OrdinalIgnoreCase)
            && !new Uri(e).IsLoopback))
        {
            warnings.Add("store names an etcd without TLS: whoever reaches it, or the way to it, can read and change "
                + "the state");
        }
    }

    private void WarnOfQuorum(long expect, bool bootstrap)
    {
        if (expect == 1)
        {
            warnings.Add("BootstrapExpect is set to 1; this is the same as Bootstrap mode.");
        }
        if (bootstrap || expect == 1)
        {
            warnings.Add("bootstrap = true: do not enable unless necessary");
        }
        if (expect == 2)
        {
            warnings.Add("bootstrap_expect = 2: A cluster with 2 servers will provide no failure tolerance.");
        }
        if (expect > 2 && expect % 2 == 0)
        {
            warnings.Add("bootstrap_expect is even number: A cluster with an even number of servers does not achieve "
                + "optimum fault tolerance.");
        }
        if (expect > 1)
        {
            warnings.Add($"bootstrap_expect > 0: expecting {expect} servers");
        }
    }

    private void JudgeAddresses()
    {
        foreach (var key in new[] { "advertise_addr", "advertise_addr_wan" })
        {
            var address = key == "advertise_addr" ? config.Addresses.Advertise : config.Addresses.AdvertiseWan;
            if (_values.Text(key).Length > 0 && (address.Equals(IPAddress.Any) || address.Equals(IPAddress.IPv6Any)))
            {
                var name = key == "advertise_addr" ? "Advertise" : "Advertise WAN";
                Refuse(key, $"{name} address cannot be 0.0.0.0, :: or [::]", "use an address that others can reach");
            }
        }
        if (config.Addresses.Dns.Any(static address => address.UnixPath is not null))
        {
            Refuse("addresses.dns", "DNS address cannot be a unix socket", "use an IP address");
        }
        if (config.Addresses.Client.Any(static address => address.UnixPath is not null))
        {
            Refuse("client_addr", "client_addr cannot be a unix socket", "use addresses.http for that");
        }
        var first = config.Dns.AltDomain.Split('.')[0];
        if (first is "service" or "connect" or "node" or "query" or "addr"
            || (first.Length > 0 && string.Equals(first, config.Datacenter, StringComparison.Ordinal)))
        {
            Refuse("alt_domain",
                $"alt_domain cannot start with {{service,connect,node,query,addr,{config.Datacenter}}}",
                    "use another name");
        }
    }

    private void JudgeListeners()
    {
        var taken = new Dictionary<string, string>(StringComparer.Ordinal);
        Take("DNS", "ports.dns", config.Addresses.Dns);
        Take("HTTP", "ports.http", config.Addresses.Http);
        Take("HTTPS", "ports.https", config.Addresses.Https);
        Take("gRPC", "ports.grpc", config.Addresses.Grpc);
        Take("gRPC-TLS", "ports.grpc_tls", config.Addresses.GrpcTls);
        Take("RPC", "ports.server", Between(config.Ports.Server, config.IsServer));
        Take("Serf LAN", "ports.serf_lan", Between(config.Ports.SerfLan, isUsed: true));
        Take("Serf WAN", "ports.serf_wan", Between(config.Ports.SerfWan, config.IsServer));

        void Take(string name, string key, IReadOnlyList<ListenAddress> addresses)
        {
            foreach (var address in addresses)
            {
                if (!taken.TryAdd(address.ToString(), name))
                {
                    Refuse(key, $"{name} address {address} already configured for {taken[address.ToString()]}",
                        "give one of them another port");
                }
            }
        }
    }

    private void JudgeGossip()
    {
        if (config.Ports.SerfLan < 0)
        {
            Refuse("ports.serf_lan", "ports.serf_lan cannot be switched off", "use 1 to 65535");
        }
        var protocol = _values.Whole("protocol");
        if (protocol is not (0 or 2 or 3))
        {
            Refuse("protocol",
                $"Protocol version '{protocol}' too {(protocol < 2 ? "low" : "high")}. Must be in range: [2, 3]",
                "leave it out");
        }
        if (config.IsServer && _values.Duration("advertise_reconnect_timeout") > TimeSpan.Zero)
        {
            Refuse("advertise_reconnect_timeout", "advertise_reconnect_timeout can only be used on a client",
                "use reconnect_timeout, or remove it");
        }
    }

    // Consul takes such a file whatever stands in it, and tries.
    private void JudgeJoin(string key, IReadOnlyList<string> seeds)
    {
        if (seeds.Any(SeedAddresses.IsCloud))
        {
            warnings.Add($"{key}: {SeedAddresses.CloudProblem}");
        }
    }

    private IReadOnlyList<ListenAddress> Between(int port, bool isUsed) =>
        isUsed && port > 0 ? [new ListenAddress(config.Addresses.Bind, port)] : [];

    private void JudgeNumbers()
    {
        if (_values.Whole("performance.raft_multiplier") is < 1 or > 10)
        {
            Refuse("performance.raft_multiplier",
                $"performance.raft_multiplier cannot be {_values.Whole("performance.raft_multiplier")}. "
                + "Must be between 1 and 10",
                "");
        }
        if (_values.Whole("autopilot.max_trailing_logs") < 0)
        {
            Refuse("autopilot.max_trailing_logs",
                $"autopilot.max_trailing_logs cannot be {_values.Whole("autopilot.max_trailing_logs")}. "
                + "Must be greater than or equal to zero",
                "");
        }
        if (_values.Whole("cache.entry_fetch_max_burst") < 1)
        {
            Refuse("cache.entry_fetch_max_burst",
                "cache.entry_fetch_max_burst must be strictly positive, "
                + $"was: {_values.Whole("cache.entry_fetch_max_burst")}",
                "use 1 or more");
        }
        JudgePortRange("sidecar", config.Ports.SidecarMin, config.Ports.SidecarMax);
        JudgePortRange("expose", config.Ports.ExposeMin, config.Ports.ExposeMax);
        if (!IsKey(_values.Text("encrypt")))
        {
            Refuse("encrypt", "encrypt has invalid key: not 16, 24 or 32 bytes in base64", "make one by keygen");
        }
        foreach (var rule in _values.Texts("telemetry.prefix_filter")
            .Where(static rule => rule is not ['+' or '-', ..]))
        {
            warnings.Add($"Filter rule must begin with either '+' or '-': \"{rule}\"");
        }
    }

    private void JudgePortRange(string name, int min, int max)
    {
        if (min > max)
        {
            Refuse($"ports.{name}_min_port",
                $"{name}_min_port must be less than {name}_max_port. To disable, set both to zero.", "exchange them");
        }
    }

    private static bool IsKey(string text)
    {
        if (text.Length == 0)
        {
            return true;
        }
        Span<byte> key = stackalloc byte[64];
        return Convert.TryFromBase64String(text, key, out var length) && length is 16 or 24 or 32;
    }

    private void JudgeMesh()
    {
        if (_values.Flag("connect.enable_mesh_gateway_wan_federation") && !config.Connect.IsEnabled)
        {
            Refuse("connect.enable_mesh_gateway_wan_federation",
                "'connect.enable_mesh_gateway_wan_federation=true' requires 'connect.enabled=true'",
                    "switch connect on");
        }
        if (_values.Flag("auto_encrypt.allow_tls") && !config.IsServer)
        {
            Refuse("auto_encrypt.allow_tls", "auto_encrypt.allow_tls can only be used on a server.",
                "use auto_encrypt.tls");
        }
        if (_values.Flag("auto_encrypt.tls") && config.IsServer)
        {
            Refuse("auto_encrypt.tls", "auto_encrypt.tls can only be used on a client.", "use auto_encrypt.allow_tls");
        }
        if (_values.Flag("auto_config.enabled") && !_values.Flag("verify_outgoing")
            && !_values.Flag("tls.defaults.verify_outgoing") && !_values.Flag("tls.internal_rpc.verify_outgoing"))
        {
            Refuse("auto_config.enabled",
                "auto_config.enabled cannot be set without configuring TLS for server communications",
                "set tls.internal_rpc.verify_outgoing = true");
        }
        foreach (var (segment, i) in _values.Blocks("segments").Select(static (block, i) => (block, i)))
        {
            problems.Add(new ConfigProblem(segment.At, $"segments[{i}]", "Network segments are not supported",
                "remove it"));
        }
        JudgeEntries();
    }

    private void JudgeEntries()
    {
        for (var i = 0; i < config.ConfigEntries.Count; i++)
        {
            var entry = config.ConfigEntries[i];
            if (!ConfigEntryReader.TryRead(Encoding.UTF8.GetBytes(entry.ToJson()), out _, out var refusal))
            {
                // Nobody made a request here.
                var what = refusal.Text.Replace(ConfigEntryReader.Failed, "", StringComparison.Ordinal).TrimEnd();
                problems.Add(new ConfigProblem(
                    entry.At, $"config_entries.bootstrap[{i}]", what, EntryRemedy(entry)));
            }
        }
    }

    private static string EntryRemedy(ConfigNode entry)
    {
        var kind = (entry["kind"] ?? entry["Kind"])?.Text ?? "";
        return kind.Length == 0 ? "add kind = \"…\""
            : ConfigKinds.Names.Contains(kind, StringComparer.Ordinal) ? ""
            : ConfigKinds.IsKnown(kind) ? "Consul has this kind, this version does not act on it: remove the entry"
            : Suggestion.For(kind, ConfigKinds.Names, "see the reference");
    }

    // What is asked for and not done must not be believed to be done.
    private void WarnOfTls()
    {
        var asked = new[] { "verify_incoming", "verify_incoming_rpc", "verify_outgoing", "verify_server_hostname" }
            .SelectMany(static name => new[] { name, $"tls.defaults.{name}", $"tls.internal_rpc.{name}" })
            .FirstOrDefault(key => Settings.ByKey.ContainsKey(key) && _values.Flag(key));
        if (asked is not null)
        {
            warnings.Add($"{asked} is on, but calls between agents have no TLS yet: keep ports.server inside a network "
                + "that you trust");
        }
        if (config.Ports.Https > 0 && (config.Https.CertFile.Length == 0 || config.Https.KeyFile.Length == 0))
        {
            warnings.Add("ports.https is on, but nobody can connect to it without a certificate: "
                + "set cert_file and key_file");
        }
        if (new[] { "tls_min_version", "tls.defaults.tls_min_version", "tls.https.tls_min_version" }
            .Any(key => _values.Text(key).ToUpperInvariant() is "TLS10" or "TLS11" or "TLSV1_0" or "TLSV1_1"))
        {
            warnings.Add("TLS 1.2 is the oldest version that is spoken, whatever tls_min_version says");
        }
    }

    private void JudgeSafety()
    {
        if (_values.Flag("ui") && _values.Text("ui_dir").Length > 0)
        {
            Refuse("ui_dir", "Both the ui and ui-dir flags were specified, please provide only one.", "remove ui");
        }
        if (config.CheckSettings.AllowScripts && !config.Acl.IsEnabled && config.Http.AllowWriteFrom.Count == 0)
        {
            warnings.Add("using enable-script-checks without ACLs and without allow_write_http_from is DANGEROUS, "
                + "use enable-local-script-checks instead");
        }
    }

    private void Refuse(string key, string what, string remedy) =>
        problems.Add(new ConfigProblem(_values.At(key), key, what, remedy));
}
