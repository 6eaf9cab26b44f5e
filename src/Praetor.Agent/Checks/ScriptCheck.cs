namespace Praetor.Agent.Checks;

/// <summary>Exit code 0 is passing, 1 warning, any other critical; the output of the script is the output.</summary>
internal sealed class ScriptCheck(CheckProcess processes) : ICheckRunner
{
    private const int WarningCode = 1;

    public async Task<CheckResult> RunAsync(CheckSpec spec, CancellationToken stop)
    {
        var end = await processes.RunAsync(spec.ScriptArgs, spec.EffectiveTimeout, spec.EffectiveOutputMax, stop);
        return ResultOf(end, spec);
    }

    /// <summary>Judges the end of a script; docker checks share it.</summary>
    public static CheckResult ResultOf(ProcessEnd end, CheckSpec spec)
    {
        if (end.StartError is { } error)
        {
            return CheckResult.Critical(error);
        }

        if (end.IsLate)
        {
            var late = $"Timed out ({GoText.Duration(spec.EffectiveTimeout)}) running check";
            return CheckResult.Critical(end.Output.Total == 0 ? late : $"{late}\n\n{end.Output.Summary()}");
        }

        var status = end.ExitCode switch
        {
            0 => CheckStatus.Passing,
            WarningCode => CheckStatus.Warning,
            _ => CheckStatus.Critical,
        };
        return new CheckResult(status, end.Output.Summary());
    }
}
