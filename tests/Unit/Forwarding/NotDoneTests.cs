using System.Net;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.Extensions.Logging.Abstractions;
using Praetor.Agent.Forwarding;
using Praetor.Agent.Http;
using Praetor.Agent.Http.Endpoints;
using Praetor.Server.Queries;
using Praetor.Server.State;
using Praetor.Server.Storage;
using Shouldly;
using Xunit;

namespace Unit.Forwarding;

/// <summary>A server that does not lead tells other agents that it did nothing, when that is certain, and only
/// then.</summary>
public sealed class NotDoneTests : IDisposable
{
    private readonly StateStore _store = new(new MemoryEngine());

    public void Dispose() => _store.Dispose();

    [Fact]
    public async Task What_comes_from_a_server_is_not_passed_on_and_was_not_done() =>
        (await AskAsync("s:other@dc1")).Headers.ContainsKey(Forwarder.NotDoneHeader).ShouldBeTrue();

    /// <summary>The leader may have done it before it broke off; the agent must not ask another server then.</summary>
    [Fact]
    public async Task Of_what_was_passed_on_for_a_client_agent_nobody_says_that_it_was_not_done()
    {
        var answer = await AskAsync("c:client@dc1");
        answer.StatusCode.ShouldBe(500);
        answer.Headers.ContainsKey(Forwarder.NotDoneHeader).ShouldBeFalse();
    }

    private async Task<HttpResponse> AskAsync(string hops)
    {
        var self = new Hop("self", "dc1", IsServer: true);
        var options = new ForwarderOptions { Self = self, SelfId = "1", Hold = TimeSpan.FromMilliseconds(1) };
        using var forwarder = new Forwarder(
            new ServerDirectory(new Random(1)), options, TimeProvider.System, new Random(1), NullLogger.Instance)
        {
            // It cannot be reached: as if it had broken off.
            Leader = static () => new ServerPeer("leader", "2", "dc1", new IPEndPoint(IPAddress.Loopback, 1)),
        };
        var routes = new RouteTable();
        routes.Add(new Route
        {
            Method = "PUT",
            Pattern = "/v1/kv/{key*}",
            Acl = RouteRows.KeyWrite,
            Handle = static _ => throw new InvalidOperationException("it does not lead"),
            Description = "",
        });
        var api = new HttpApi(new ApiSurroundings
        {
            Routes = routes,
            Store = _store,
            Hub = new QueryHub(_store, TimeProvider.System),
            Passing = new HttpPassing(forwarder, new PassingOptions()),
            IsRpc = true,
            Metrics = null,
            Leadership = new Follower(),
            Authorizer = new AllowAll(),
            Guard = null,
            Datacenter = "dc1",
            NodeName = "self",
            Random = new Random(1),
        });
        var context = new DefaultHttpContext();
        context.Request.Method = "PUT";
        context.Features.GetRequiredFeature<IHttpRequestFeature>().RawTarget = "/v1/kv/k";
        context.Request.Path = "/v1/kv/k";
        context.Features.Set<IHttpRequestBodyDetectionFeature>(new NoBody());
        context.Request.Headers[HopTrail.Header] = hops;
        await api.HandleAsync(context);
        return context.Response;
    }

    private sealed class NoBody : IHttpRequestBodyDetectionFeature
    {
        public bool CanHaveBody => false;
    }

    private sealed class Follower : ILeadership
    {
        public bool Leads => false;

        public bool HasLeader => true;

        public bool HasState => true;

        public ValueTask<bool> IsNewestAsync(bool isStrict, CancellationToken stop) => ValueTask.FromResult(false);
    }
}
