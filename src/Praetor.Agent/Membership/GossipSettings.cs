using System.Net;
using Gossip.Serf;
using Gossip.Swim;
using Gossip.Wire;
using Languages;
using Praetor.Agent.Config;

namespace Praetor.Agent.Membership;

/// <summary>How this agent takes part in gossip.</summary>
internal sealed record GossipSettings
{
    /// <summary>The tag by which a member says after how long it may be forgotten, as Consul's do.</summary>
    public const string ReconnectTag = "rc_tm";

    /// <summary>Among the agents of the datacenter.</summary>
    public required PoolSettings Lan { get; init; }

    /// <summary>Among the servers of all datacenters. Null: it does not.</summary>
    public PoolSettings? Wan { get; init; }

    /// <summary>The key to begin with, base64. Empty: the keyring file's, or none.</summary>
    public string Key { get; init; } = "";

    public WireOptions Wire { get; init; } = new();

    /// <summary>Whether it joins again after it left and was started anew.</summary>
    public bool RejoinsAfterLeave { get; init; }

    public static GossipSettings Of(AgentConfig config)
    {
        var values = config.Values;
        return new GossipSettings
        {
            Lan = Pool(config, isWan: false),
            Wan = config.IsServer && config.Ports.SerfWan >= 0 ? Pool(config, isWan: true) : null,
            Key = values.Text("encrypt"),
            Wire = new WireOptions
            {
                EncryptVerifyIncoming = values.Flag("encrypt_verify_incoming"),
                EncryptVerifyOutgoing = values.Flag("encrypt_verify_outgoing"),
            },
            RejoinsAfterLeave = values.Flag("rejoin_after_leave"),
        };
    }

    private static PoolSettings Pool(AgentConfig config, bool isWan)
    {
        var (values, addresses) = (config.Values, config.Addresses);
        var port = isWan ? config.Ports.SerfWan : config.Ports.SerfLan;
        var suffix = isWan ? "_wan" : "";
        var word = isWan ? "wan" : "lan";
        var name = isWan ? $"{config.NodeName}.{config.Datacenter}" : config.NodeName;
        var bind = isWan ? addresses.SerfWan : addresses.SerfLan;
        var advertise = new IPEndPoint(isWan ? addresses.AdvertiseWan : addresses.Advertise, port);
        var swim = isWan ? SwimConfig.Wan(name, advertise) : SwimConfig.Lan(name, advertise);
        var reconnect = values.Duration("reconnect_timeout" + suffix);
        var serf = new SerfConfig
        {
            Swim = Tuned(swim, values, $"gossip_{word}."),
            ReconnectTimeoutOf = isWan ? null : OwnReconnectTimeout,
        };
        return new PoolSettings
        {
            IsWan = isWan,
            Serf = reconnect > TimeSpan.Zero ? serf with { ReconnectTimeout = reconnect } : serf,
            Bind = new IPEndPoint(bind, port),
            Seeds = isWan ? config.Join.RetryWan : config.Join.Retry,
            RetryEvery = values.Duration("retry_interval" + suffix),
            RetriesMax = values.Count("retry_max" + suffix),
            Allowed = [.. values.Texts($"serf_{word}_allowed_cidrs").Select(IPNetwork.Parse)],
            Folder = config.DataDir.Length > 0 ? Path.Combine(config.DataDir, "serf") : null,
            KeepsKeys = config.DataDir.Length > 0 && !values.Flag("disable_keyring_file"),
        };
    }

    private static TimeSpan? OwnReconnectTimeout(IReadOnlyDictionary<string, string> tags) =>
        tags.TryGetValue(ReconnectTag, out var text) && GoDuration.TryParse(text, out var time) && time > TimeSpan.Zero
            ? time
            : null;

    private static SwimConfig Tuned(SwimConfig swim, SettingValues values, string prefix)
    {
        var (interval, timeout) =
            (values.Duration(prefix + "probe_interval"), values.Duration(prefix + "probe_timeout"));
        return swim with
        {
            GossipNodes = values.Count(prefix + "gossip_nodes"),
            GossipInterval = values.Duration(prefix + "gossip_interval"),
            ProbeInterval = interval,

            // As long as the interval, as Consul allows it, leaves indirect probes no time at all.
            ProbeTimeout = timeout < interval ? timeout : interval / 2,
            RetransmitMultiplier = values.Count(prefix + "retransmit_mult"),
            SuspicionMultiplier = values.Count(prefix + "suspicion_mult"),
        };
    }
}

/// <summary>How this agent takes part in one pool.</summary>
internal sealed record PoolSettings
{
    public required bool IsWan { get; init; }

    /// <summary>Without tags; membership adds them.</summary>
    public required SerfConfig Serf { get; init; }

    public required IPEndPoint Bind { get; init; }

    /// <summary>Addresses to join, tried until one answers.</summary>
    public IReadOnlyList<string> Seeds { get; init; } = [];

    public TimeSpan RetryEvery { get; init; } = TimeSpan.FromSeconds(30);

    /// <summary>How often it is tried again before the agent gives up. 0: for ever.</summary>
    public int RetriesMax { get; init; }

    /// <summary>Who may take part. Empty: anybody.</summary>
    public IReadOnlyList<IPNetwork> Allowed { get; init; } = [];

    /// <summary>Where keys and known members are kept. Null: nowhere.</summary>
    public string? Folder { get; init; }

    public bool KeepsKeys { get; init; }

    public int PortDefault => IsWan ? 8302 : 8301;

    /// <summary>For logs and file names, as Consul's.</summary>
    public string Word => IsWan ? "wan" : "lan";

    public string? KeyringPath =>
        Folder is null || !KeepsKeys ? null : Path.Combine(Folder, IsWan ? "remote.keyring" : "local.keyring");

    public string? KnownPath =>
        Folder is null ? null : Path.Combine(Folder, IsWan ? "remote.members" : "local.members");

    /// <summary>Where a Consul agent keeps what we keep in <see cref="KnownPath"/>.</summary>
    public string? SnapshotPath =>
        Folder is null ? null : Path.Combine(Folder, IsWan ? "remote.snapshot" : "local.snapshot");
}
