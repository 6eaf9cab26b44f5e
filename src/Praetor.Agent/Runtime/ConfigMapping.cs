using System.Net;
using Microsoft.Extensions.Logging;
using Praetor.Agent.Checks;
using Praetor.Agent.Config;
using Praetor.Agent.Dns;
using Praetor.Agent.Local;
using Praetor.Agent.Logging;
using Praetor.Agent.Telemetry;
using Praetor.Server.Autopilot;
using Praetor.Server.Model;

namespace Praetor.Agent.Runtime;

/// <summary>Turns the configuration into what each part of the agent wants to be told.</summary>
internal static class ConfigMapping
{
    public static AgentLogOptions Log(AgentConfig config, string program) => new()
    {
        Syslog = config.Log.SyslogFacility is { } facility ? new SyslogOptions(facility, program) : null,
        Level = Level(config.Log.Level),
        Json = config.Log.IsJson,
        File = config.Log.File.Length == 0
            ? null
            : new LogFileOptions(config.Log.File)
            {
                RotateBytes = config.Values.Whole("log_rotate_bytes"),
                RotateAfter = config.Values.Duration("log_rotate_duration"),
                FilesMax = config.Values.Count("log_rotate_max_files"),
            },
    };

    public static AutopilotConfiguration Autopilot(AgentConfig config) => new()
    {
        CleanupDeadServers = config.Values.Flag("autopilot.cleanup_dead_servers"),
        LastContactThreshold = config.Values.Duration("autopilot.last_contact_threshold"),
        MaxTrailingLogs = (ulong)Math.Max(0, config.Values.Whole("autopilot.max_trailing_logs")),
        MinQuorum = (ulong)Math.Max(0, config.Values.Whole("autopilot.min_quorum")),
        ServerStabilizationTime = config.Values.Duration("autopilot.server_stabilization_time"),
        RedundancyZoneTag = config.Values.Text("autopilot.redundancy_zone_tag"),
        DisableUpgradeMigration = config.Values.Flag("autopilot.disable_upgrade_migration"),
        UpgradeVersionTag = config.Values.Text("autopilot.upgrade_version_tag"),
    };

    public static MetricFilter MetricFilter(AgentConfig config) => new(
        config.Telemetry.MetricsPrefix, config.Values.Texts("telemetry.prefix_filter"),
        config.Values.Flag("telemetry.filter_default"));

    public static LogLevel Level(string level) => level.ToUpperInvariant() switch
    {
        "TRACE" => LogLevel.Trace,
        "DEBUG" => LogLevel.Debug,
        "WARN" => LogLevel.Warning,
        "ERR" or "ERROR" => LogLevel.Error,
        _ => LogLevel.Information,
    };

    public static NodeIdentity Node(AgentConfig config, string id) => new()
    {
        Id = id,
        Name = config.NodeName,
        Address = config.Addresses.Advertise.ToString(),
        Datacenter = config.Datacenter,
        TaggedAddresses = config.Addresses.TaggedLan,
        Meta = config.NodeMeta,
        Locality = config.Values.Text("locality.region") is { Length: > 0 } region
            ? new Locality(region, config.Values.Text("locality.zone"))
            : null,
        IsServer = config.IsServer,
        ServerPort = config.Ports.Server,
        GrpcPort = config.Ports.Grpc,
        GrpcTlsPort = config.Ports.GrpcTls,
    };

    public static LocalAgentOptions Local(AgentConfig config, NodeIdentity node)
    {
        var planner = new DefinitionPlanner(node, LocalOrigin.ConfigFile, config.CheckSettings.OutputBytesMax);
        return new LocalAgentOptions
        {
            Node = node,
            DataDir = config.DataDir.Length > 0 ? config.DataDir : null,
            Scripts = config.CheckSettings.AllowScripts ? ScriptChecks.On
                : config.CheckSettings.AllowLocalScripts ? ScriptChecks.LocalOnly : ScriptChecks.Off,
            DiscardCheckOutput = config.CheckSettings.DiscardOutput,
            CheckOutputMax = config.CheckSettings.OutputBytesMax,
            SidecarPorts = new PortRange(config.Ports.SidecarMin, config.Ports.SidecarMax),
            ManagesSidecars = config.Connect.ManagesSidecars,
            AntiEntropy = new AntiEntropyOptions { CheckUpdateInterval = config.CheckSettings.UpdateInterval },
            Services = [.. config.Services.Select(service => planner.Plan(service))],
            Checks = [.. config.Checks.Select(check => planner.PlanAlone(check))],
        };
    }

    public static DnsOptions Dns(AgentConfig config, IReadOnlyList<IPEndPoint> recursors)
    {
        var dns = config.Dns;
        return new DnsOptions
        {
            Addresses = [.. config.Addresses.Dns
                .Where(static a => a.Address is not null).Select(static a => a.Address!)],
            Port = config.Ports.Dns,
            Domain = dns.Domain,
            AltDomain = dns.AltDomain.Length > 0 ? dns.AltDomain : null,
            Datacenter = config.Datacenter,
            TranslatesWan = config.TranslatesWan,
            NodeTtl = dns.NodeTtl,
            ServiceTtl = dns.ServiceTtl,
            EnableTruncate = dns.EnableTruncate,
            OnlyPassing = dns.OnlyPassing,
            UdpAnswerLimit = dns.UdpAnswerLimit,
            ARecordLimit = dns.ARecordLimit,
            DisableCompression = dns.DisableCompression,
            NodeMetaTxt = dns.NodeMetaTxt,
            Soa = new DnsSoa(dns.Soa.Refresh, dns.Soa.Retry, dns.Soa.Expire, dns.Soa.MinTtl),
            Recursors = recursors,
            AsksAtRandom = dns.RecursorStrategy == "random",
            RecursorTimeout = dns.RecursorTimeout,
        };
    }
}
