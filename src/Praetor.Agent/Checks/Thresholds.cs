namespace Praetor.Agent.Checks;

/// <summary>Lets a check flip only when enough results in a row agree.</summary>
/// <remarks>
/// Both counters start full, as in Consul: the very first result counts at once, so that a freshly registered service
/// need not wait several intervals before anybody learns how it is.
/// </remarks>
internal sealed class Thresholds(CheckSpec spec)
{
    private readonly int _passingAt = spec.SuccessBeforePassing;
    private readonly int _warningAt =
        spec.FailuresBeforeWarning > 0 ? spec.FailuresBeforeWarning : spec.FailuresBeforeCritical;

    private readonly int _criticalAt = spec.FailuresBeforeCritical;
    private int _successes = Math.Max(0, spec.SuccessBeforePassing);
    private int _failures = Math.Max(0, spec.FailuresBeforeCritical);

    /// <summary>The status to publish after this result; null when the old one stays.</summary>
    public CheckStatus? Judge(CheckStatus result)
    {
        if (result != CheckStatus.Critical)
        {
            _failures = 0;
            _successes = Next(_successes);
            return _successes >= _passingAt ? result : null;
        }

        _successes = 0;
        _failures = Next(_failures);
        if (_failures >= _criticalAt)
        {
            return CheckStatus.Critical;
        }

        return _failures >= _warningAt ? CheckStatus.Warning : null;
    }

    private static int Next(int count) => count == int.MaxValue ? count : count + 1;
}
