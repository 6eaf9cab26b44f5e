using Microsoft.Extensions.Logging;
using Praetor.Agent.Config;
using Praetor.Agent.Forwarding;
using Praetor.Agent.Local;
using Praetor.Agent.Telemetry;

namespace Praetor.Agent.Runtime;

/// <summary>An agent's ways to servers: which there are, the calls to them, and what is kept of their
/// answers.</summary>
internal sealed class AgentLinks : IAsyncDisposable
{
    private readonly ServerRebalancer _rebalancer;
    private readonly IServerSource _source;
    private IDisposable? _following;
    private RpcLimitConfig _rpc;

    public AgentLinks(
        AgentConfig config, NodeIdentity node, IServerSource source, Metrics metrics, TimeProvider time,
        Random random, ILoggerFactory logs)
    {
        var log = logs.CreateLogger("agent.rpc");
        var rpc = _rpc = config.Limits.Rpc;
        Servers = new ServerDirectory(new Random(random.Next()));
        var options = new ForwarderOptions
        {
            Self = new Hop(node.Name, node.Datacenter, node.IsServer),
            SelfId = node.Id,
            Hold = rpc.HoldTimeout,
            AnswerTime = rpc.ClientTimeout,
            Rate = rpc.Rate,
            Burst = rpc.Burst,
            Metrics = metrics,
        };
        Forwarder = new Forwarder(Servers, options, time, new Random(random.Next()), log);
        Cache = new WatchCache(Forwarder, time, new Random(random.Next()), log);
        _rebalancer = new ServerRebalancer(
            Servers, Forwarder, node.Datacenter, () => AgentCount(), time, log);
        _source = source;
    }

    /// <summary>The servers that are known; membership feeds it.</summary>
    public ServerDirectory Servers { get; }

    public Forwarder Forwarder { get; }

    public WatchCache Cache { get; }

    /// <summary>How many agents the datacenter has; membership knows it.</summary>
    public Func<int> AgentCount { get; set; } = static () => 1;

    public void Start()
    {
        _following = _source.Follow(Servers.Update);
        _rebalancer.Start();
    }

    /// <summary>Takes over what can change.</summary>
    public void Reload(AgentConfig next)
    {
        var rpc = next.Limits.Rpc;
        if (rpc != _rpc)
        {
            _rpc = rpc;
            Forwarder.Limit(rpc.Rate, rpc.Burst);
        }
    }

    public async ValueTask DisposeAsync()
    {
        _following?.Dispose();
        await _rebalancer.DisposeAsync();
        await Cache.DisposeAsync();
        Forwarder.Dispose();
    }
}
