using Microsoft.Extensions.Logging;
using Praetor.Agent.Config;
using Praetor.Agent.Http;
using Praetor.Agent.Local;
using Praetor.Server.Queries;
using Praetor.Server.State;

namespace Praetor.Agent.Connect;

internal sealed class MeshServer(
    StateStore store, QueryHub hub, NodeIdentity node, AgentConfig config, TimeProvider time, Random random, ILogger log) : IAsyncDisposable
{
    public Task InitializeAsync(CancellationToken stop) { _ = (store, hub, node, config, time, random, log, stop); return Task.CompletedTask; }

    public void AddRoutes(RouteTable routes) => _ = routes;

    public ValueTask DisposeAsync() => ValueTask.CompletedTask;
}
