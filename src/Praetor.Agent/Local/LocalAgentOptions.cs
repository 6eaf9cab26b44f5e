using Praetor.Agent.Checks;

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

    /// <summary>Whether sidecars that do not say run in the agent (<c>connect.managed_sidecars</c>).</summary>
    public bool ManagesSidecars { get; init; } = true;

    public AntiEntropyOptions AntiEntropy { get; init; } = new();

    /// <summary>Services of configuration files.</summary>
    public IReadOnlyList<ServicePlan> Services { get; init; } = [];

    /// <summary>Checks of files that stand beside services; a service id in the spec attaches them.</summary>
    public IReadOnlyList<CheckPlan> Checks { get; init; } = [];
}
