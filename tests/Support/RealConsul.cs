namespace Support;

/// <summary>The real Consul 1.8.7, where somebody has unpacked it; never part of this repository.</summary>
public static class RealConsul
{
    /// <summary>Why tests that need it are skipped.</summary>
    public static string Missing =>
        $"needs the real Consul 1.8.7 at {Executable} (the folder above 'consul' is $PEERS)";

    /// <summary>Where it would be.</summary>
    public static string Executable { get; } = Path.Combine(Peers.Folder, "consul", "usr", "bin", "consul");

    /// <summary>Whether it is there.</summary>
    public static bool IsThere => File.Exists(Executable);

    /// <summary>Starts one; otherwise like an agent of ours.</summary>
    public static Task<AgentProcess> StartAsync(AgentOptions? options = null, CancellationToken stop = default) =>
        AgentProcess.StartAsync((options ?? new AgentOptions()) with { Executable = Executable }, stop);
}
