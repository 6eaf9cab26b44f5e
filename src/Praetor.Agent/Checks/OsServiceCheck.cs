namespace Praetor.Agent.Checks;

/// <summary>
/// Asks systemd for the state of a unit: active passes, a unit on its way warns, all else is critical.
/// </summary>
internal sealed class OsServiceCheck(CheckProcess processes) : ICheckRunner
{
    public async Task<CheckResult> RunAsync(CheckSpec spec, CancellationToken stop)
    {
        string[] args = ["systemctl", "is-active", "--", spec.OsService];
        var end = await processes.RunAsync(args, spec.EffectiveTimeout, spec.EffectiveOutputMax, stop);
        if (end.StartError is not null)
        {
            return CheckResult.Critical($"Service \"{spec.OsService}\": systemd is not reachable: {end.StartError}");
        }

        if (end.IsLate)
        {
            return ScriptCheck.ResultOf(end, spec);
        }

        var state = end.Output.Text().Trim();
        return state switch
        {
            "active" => CheckResult.Passing($"Service \"{spec.OsService}\" is healthy"),
            "activating" or "reloading" or "deactivating" =>
                new CheckResult(CheckStatus.Warning, $"Service \"{spec.OsService}\" is {state}"),
            _ => CheckResult.Critical($"Service \"{spec.OsService}\" is {(state.Length == 0 ? "unknown" : state)}"),
        };
    }
}
