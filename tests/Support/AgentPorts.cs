namespace Support;

/// <summary>The ports of one agent, all on 127.0.0.1.</summary>
public sealed record AgentPorts(
    int Http, int Dns, int Grpc, int Server, int SerfLan, int SerfWan, int SidecarFirst, int SidecarLast)
{
    private const int Sidecars = 16;

    /// <summary>Between the etcds of several servers.</summary>
    public int StorePeer { get; } = FreePorts.Take();

    /// <summary>Ports that are free now.</summary>
    public static AgentPorts Take()
    {
        var sidecars = FreePorts.TakeRange(Sidecars);
        return new AgentPorts(
            FreePorts.Take(), FreePorts.Take(), FreePorts.Take(), FreePorts.Take(), FreePorts.Take(), FreePorts.Take(),
            sidecars, sidecars + Sidecars - 1);
    }

    /// <summary>As a block of an agent's configuration.</summary>
    public string ToHcl() =>
        $"ports {{ http = {Http} dns = {Dns} grpc = {Grpc} server = {Server} serf_lan = {SerfLan} " +
        $"serf_wan = {SerfWan} " +
        $"sidecar_min_port = {SidecarFirst} sidecar_max_port = {SidecarLast} }}";
}
