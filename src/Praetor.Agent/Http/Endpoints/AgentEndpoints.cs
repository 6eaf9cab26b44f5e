using Praetor.Agent.Local;
using Praetor.Agent.Logging;
using Praetor.Agent.Membership;
using Praetor.Agent.Telemetry;

namespace Praetor.Agent.Http.Endpoints;

/// <summary>What the rows of /v1/agent need.</summary>
internal sealed record AgentSurroundings
{
    public required LocalAgent Local { get; init; }

    public required OutsideProxies Proxies { get; init; }

    public required AgentFacts Facts { get; init; }

    public required AgentActions Actions { get; init; }

    public required IMembership Membership { get; init; }

    public required INetworkCoordinates Coordinates { get; init; }

    public required Metrics Metrics { get; init; }

    public required AgentLog Log { get; init; }

    public required TimeProvider Time { get; init; }

    /// <summary>Spreads waits; locked by its users.</summary>
    public required Random Random { get; init; }

    /// <summary>First part of every metric's name.</summary>
    public string MetricsPrefix { get; init; } = "consul";

    /// <summary>Whether tokens set over the API survive (<c>acl.enable_token_persistence</c>).</summary>
    public bool KeepsTokens { get; init; }
}

/// <summary>All rows of /v1/agent but those of the mesh.</summary>
internal static class AgentEndpoints
{
    /// <param name="routes">Where the rows go.</param>
    /// <param name="around">What they need.</param>
    public static void AddTo(RouteTable routes, AgentSurroundings around)
    {
        var (local, facts, time) = (around.Local, around.Facts, around.Time);
        new AgentServicesEndpoints(local, around.Proxies, time, around.Random).AddTo(routes);
        new AgentChecksEndpoints(local).AddTo(routes);
        var host = new HostReport(local.Options.DataDir ?? "/", time);
        new AgentSelfEndpoints(local, facts, host, around.Membership, around.Coordinates).AddTo(routes);
        new AgentControlEndpoints(local, around.Actions, around.Membership, facts.HasAcls, around.KeepsTokens)
            .AddTo(routes);
        new AgentMetricsEndpoints(around.Metrics, around.MetricsPrefix, time).AddTo(routes);
        new AgentMonitorEndpoint(around.Log.Broadcast, time).AddTo(routes);
    }
}
