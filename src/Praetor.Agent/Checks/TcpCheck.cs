namespace Praetor.Agent.Checks;

/// <summary>Passing when a connection opens, with TLS if asked for.</summary>
internal sealed class TcpCheck(Dialer dialer, TimeProvider time) : ICheckRunner
{
    public async Task<CheckResult> RunAsync(CheckSpec spec, CancellationToken stop)
    {
        if (!HostPort.TryParse(spec.Tcp, out var target, out var problem))
        {
            return CheckResult.Critical($"dial tcp: {problem}");
        }

        using var limit = new RunLimit(spec.EffectiveTimeout, time, stop);
        try
        {
            await using var stream = await dialer.OpenAsync(target, spec.TcpUseTls, spec, null, limit.Token);
            return CheckResult.Passing($"TCP connect {spec.Tcp}: Success");
        }
        catch (DialException failure)
        {
            return CheckResult.Critical(failure.Message);
        }
        catch (OperationCanceledException) when (limit.IsLate)
        {
            return CheckResult.Critical($"dial tcp {target}: i/o timeout");
        }
    }
}
