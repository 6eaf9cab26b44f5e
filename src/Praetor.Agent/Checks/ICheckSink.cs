namespace Praetor.Agent.Checks;

/// <summary>Where results of checks go: the agent's local state.</summary>
/// <remarks>
/// Called from any thread, after thresholds have been applied, and also when nothing changed. An id that the state no
/// longer knows is to be ignored: a run may end in the moment its check is removed. Leaving out the output
/// (<c>discard_check_output</c>) and sending changes of output alone at a slower pace (<c>check_update_interval</c>)
/// belong behind this interface, to what synchronises the state with the servers.
/// </remarks>
public interface ICheckSink
{
    void Update(string checkId, CheckStatus status, string output);
}

/// <summary>One check as an alias sees it.</summary>
/// <param name="ServiceId">Empty for a check of the node.</param>
public sealed record AliasedCheck(
    string Id, string Name, string ServiceId, CheckStatus Status, string Output, bool IsAlias = false);

/// <summary>What is known of the target of an alias.</summary>
/// <param name="Exists">False when there is no such node, or no such service on it.</param>
/// <param name="Checks">The checks of the service and those of its node, in a stable order.</param>
public sealed record AliasView(bool Exists, IReadOnlyList<AliasedCheck> Checks);

/// <summary>The health of services and nodes that alias checks mirror.</summary>
public interface IAliasSource
{
    /// <summary>What is known now, without waiting.</summary>
    /// <param name="node">Empty: this agent's node.</param>
    /// <param name="serviceId">Empty: the node itself.</param>
    AliasView Look(string node, string serviceId);

    /// <summary>Calls back, from any thread, whenever <see cref="Look"/> might answer differently.</summary>
    IDisposable Subscribe(string node, string serviceId, Action changed);
}

/// <summary>One type of check that is run at intervals.</summary>
internal interface ICheckRunner
{
    /// <summary>Runs the check once, within its own timeout. Never throws for a target's misbehaviour.</summary>
    /// <exception cref="OperationCanceledException"><paramref name="stop"/> was cancelled.</exception>
    Task<CheckResult> RunAsync(CheckSpec spec, CancellationToken stop);
}
