using System.Text.Json.Serialization;

namespace Praetor.Server.Autopilot;

/// <summary>How the leader looks after the servers. One document of the state.</summary>
public sealed record AutopilotConfiguration
{
    /// <summary>The document's name in the state.</summary>
    public const string Name = "autopilot";

    /// <summary>Whether servers that failed are taken out, as soon as they are few enough.</summary>
    public bool CleanupDeadServers { get; init; } = true;

    /// <summary>How much later than expected the leader's last sign may be at a healthy server. Default
    /// 200 ms.</summary>
    public TimeSpan LastContactThreshold { get; init; } = TimeSpan.FromMilliseconds(200);

    /// <summary>How many commands a healthy server may be behind the leader. Default 250.</summary>
    public ulong MaxTrailingLogs { get; init; } = 250;

    /// <summary>With fewer servers than this no failed one is taken out. Default 0.</summary>
    public ulong MinQuorum { get; init; }

    /// <summary>How long a new server must have been healthy before it votes. Default 10 s.</summary>
    public TimeSpan ServerStabilizationTime { get; init; } = TimeSpan.FromSeconds(10);

    /// <summary>Of Consul Enterprise; kept, without effect.</summary>
    public string RedundancyZoneTag { get; init; } = "";

    /// <summary>Of Consul Enterprise; kept, without effect.</summary>
    public bool DisableUpgradeMigration { get; init; }

    /// <summary>Of Consul Enterprise; kept, without effect.</summary>
    public string UpgradeVersionTag { get; init; } = "";
}

[JsonSerializable(typeof(AutopilotConfiguration))]
internal sealed partial class AutopilotJson : JsonSerializerContext;
