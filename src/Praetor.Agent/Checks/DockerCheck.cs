namespace Praetor.Agent.Checks;

/// <summary>A script inside a container, run by the docker command line.</summary>
internal sealed class DockerCheck(CheckProcess processes) : ICheckRunner
{
    public async Task<CheckResult> RunAsync(CheckSpec spec, CancellationToken stop)
    {
        if (spec.DockerContainerId.StartsWith('-'))
        {
            return CheckResult.Critical($"docker container id \"{spec.DockerContainerId}\" is no container's name");
        }

        if (CheckProcess.Find("docker") is null)
        {
            return CheckResult.Critical(
                $"create exec failed for container {spec.DockerContainerId}: "
                + "docker is not reachable: install its command line where the agent finds it in $PATH");
        }

        string[] args = ["docker", "exec", spec.DockerContainerId, .. spec.ScriptArgs];
        var end = await processes.RunAsync(args, spec.EffectiveTimeout, spec.EffectiveOutputMax, stop);
        return ScriptCheck.ResultOf(end, spec);
    }
}
