using Praetor.Agent.Checks;
using Praetor.Agent.Config;
using Praetor.Server.Model;

namespace Praetor.Agent.Local;

/// <summary>What is told to a <see cref="LocalAgent"/> by the configuration; a reload brings a new one.</summary>
public sealed record LocalAgentOptions
{
    public required NodeIdentity Node { get; init; }

    /// <summary>Where what clients register survives. Null: nowhere (<c>-dev</c>).</summary>
    public string? DataDir { get; init; }

    public ScriptChecks Scripts { get; init; }

    /// <summary>Drops outputs of checks (<c>discard_check_output</c>).</summary>
    public bool DiscardCheckOutput { get; init; }

    /// <summary>Bytes of output kept of checks that do not say (<c>check_output_max_size</c>). 0: 4096.</summary>
    public int CheckOutputMax { get; init; }

    public PortRange SidecarPorts { get; init; } = PortRange.Sidecars;

    public AntiEntropyOptions AntiEntropy { get; init; } = new();

    public CheckCertificates? CheckCertificates { get; init; }

    /// <summary>Services of configuration files.</summary>
    public IReadOnlyList<ServicePlan> Services { get; init; } = [];

    /// <summary>Checks of files that stand beside services; a service id in the spec attaches them.</summary>
    public IReadOnlyList<CheckPlan> Checks { get; init; } = [];

    /// <summary>Reads the configuration; the definitions in it are known to be good.</summary>
    /// <param name="config">The configuration.</param>
    /// <param name="nodeId">The node's id, as configured or kept in the data directory.</param>
    public static LocalAgentOptions From(AgentConfig config, string nodeId)
    {
        var node = NodeOf(config, nodeId);
        var settings = config.CheckSettings;
        var planner = new DefinitionPlanner(node, LocalOrigin.ConfigFile, settings.OutputBytesMax);
        return new LocalAgentOptions
        {
            Node = node,
            DataDir = config.DataDir.Length > 0 && !config.IsDev ? config.DataDir : null,
            Scripts = settings.AllowScripts
                ? ScriptChecks.On
                : settings.AllowLocalScripts ? ScriptChecks.LocalOnly : ScriptChecks.Off,
            DiscardCheckOutput = settings.DiscardOutput,
            CheckOutputMax = settings.OutputBytesMax,
            SidecarPorts = new PortRange(config.Ports.SidecarMin, config.Ports.SidecarMax),
            AntiEntropy = new AntiEntropyOptions { CheckUpdateInterval = settings.UpdateInterval },
            Services = [.. config.Services.Select(service => planner.Plan(service))],
            Checks = [.. config.Checks.Select(check => planner.PlanAlone(check))],
        };
    }

    private static NodeIdentity NodeOf(AgentConfig config, string nodeId)
    {
        var region = config.Values.Text("locality.region");
        return new NodeIdentity
        {
            Id = nodeId,
            Name = config.NodeName,
            Address = config.Addresses.Advertise.ToString(),
            Datacenter = config.Datacenter,
            TaggedAddresses = config.Addresses.TaggedLan,
            Meta = config.NodeMeta,
            Locality = region.Length > 0 ? new Locality(region, config.Values.Text("locality.zone")) : null,
            IsServer = config.IsServer,
            ServerPort = config.Ports.Server,
            GrpcPort = config.Ports.Grpc,
            GrpcTlsPort = config.Ports.GrpcTls,
        };
    }
}
