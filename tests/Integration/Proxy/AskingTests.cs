using System.Net;
using System.Text;
using Praetor.Client;
using Praetor.Proxy.Control;
using Shouldly;
using Support;
using Xunit;

namespace Integration.Proxy;

/// <summary>Policy by questions to an agent that does not show its intentions.</summary>
public sealed class AskingTests
{
    [Fact]
    public async Task A_connection_is_allowed_by_the_agents_answer_and_ends_within_a_second_of_another_answer()
    {
        var isAllowed = true;
        await using var agent = new StubAgent(path => path.Contains("authorize", StringComparison.Ordinal)
            ? (200, $$"""{"Authorized":{{(Volatile.Read(ref isAllowed) ? "true" : "false")}},"Reason":"said so"}""")
            : (403, "Permission denied"));
        using var ca = new MeshCa();
        await using var echo = new EchoServer();
        await using var mesh = new PlaneHarness();
        var (edge, server) = mesh.Serve("web", ca.Identity("web"), echo.Address);
        var (_, client) = mesh.Reach("cli", ca.Identity("cli"), "web", server.Address);
        using var api = new PraetorClient(new ClientOptions { Address = agent.Address });
        var scope = new ControlScope(api, static (_, _) => { }, TimeProvider.System, new Chance(new Random(1)));
        using var stop = new CancellationTokenSource();
        edge.Authorizer = Praetor.Proxy.Policy.DenyAll.Instance;
        var watching = new PolicyWatch(scope, "web", edge, () => server).RunAsync(stop.Token);
        await Wait.UntilAsync(
            "the agent is asked", () => edge.Authorizer is Praetor.Proxy.Policy.AgentAuthorizer);

        using var wire = await TestWire.OpenAsync(client.Address);
        (await wire.SayAsync("x")).ShouldBe("x");
        var ended = wire.IsEndedAsync();
        Volatile.Write(ref isAllowed, false);
        await Wait.UntilAsync("the connection ended", () => ended.IsCompleted, seconds: 1.5);
        (await TestWire.IsRefusedAsync(client.Address)).ShouldBeTrue();
        await stop.CancelAsync();
        await watching;
    }

    [Fact]
    public async Task What_holds_without_an_intention_is_asked_and_not_taken_from_the_acl_systems_default()
    {
        await using var agent = new StubAgent(static path => path.Contains("authorize", StringComparison.Ordinal)
            ? (200, """{"Authorized":false,"Reason":"Default intention policy"}""")
            : (200, """{"db":[{"SourceName":"web","DestinationName":"db","Action":"allow"}]}"""));
        await using var mesh = new PlaneHarness();
        using var ca = new MeshCa();
        var (edge, server) = mesh.Serve("db", ca.Identity("db"), new IPEndPoint(IPAddress.Loopback, 1));
        edge.Authorizer = Praetor.Proxy.Policy.DenyAll.Instance;
        using var api = new PraetorClient(new ClientOptions { Address = agent.Address });
        var scope = new ControlScope(api, static (_, _) => { }, TimeProvider.System, new Chance(new Random(1)));
        using var stop = new CancellationTokenSource();
        var watching = new PolicyWatch(scope, "db", edge, () => server).RunAsync(stop.Token);
        await Wait.UntilAsync(
            "policy is known", () => edge.Authorizer is Praetor.Proxy.Policy.IntentionPolicy);
        var policy = (Praetor.Proxy.Policy.IntentionPolicy)edge.Authorizer;
        (policy.Allows("web"), policy.Allows("other")).ShouldBe((true, false));
        await stop.CancelAsync();
        await watching;
    }

    [Fact]
    public async Task What_holds_without_an_intention_is_asked_again_while_the_agent_takes_the_mesh_for_another()
    {
        var asked = 0;
        await using var agent = new StubAgent(path => path switch
        {
            _ when path.Contains("authorize", StringComparison.Ordinal) => Interlocked.Increment(ref asked) == 1
                ? (200, """{"Authorized":false,"Reason":"Identity of another trust domain: old.consul"}""")
                : (200, """{"Authorized":true,"Reason":"Default intention policy"}"""),
            _ when path.Contains("roots", StringComparison.Ordinal) => (200, """{"TrustDomain":"new.consul"}"""),
            _ => (200, """{"db":[{"SourceName":"web","DestinationName":"db","Action":"deny"}]}"""),
        });
        await using var mesh = new PlaneHarness();
        using var ca = new MeshCa();
        var (edge, server) = mesh.Serve("db", ca.Identity("db"), new IPEndPoint(IPAddress.Loopback, 1));
        edge.Authorizer = Praetor.Proxy.Policy.DenyAll.Instance;
        using var api = new PraetorClient(new ClientOptions { Address = agent.Address });
        var scope = new ControlScope(api, static (_, _) => { }, TimeProvider.System, new Chance(new Random(1)));
        using var stop = new CancellationTokenSource();
        var watching = new PolicyWatch(scope, "db", edge, () => server).RunAsync(stop.Token);
        await Wait.UntilAsync(
            "the default is known",
            () => edge.Authorizer is Praetor.Proxy.Policy.IntentionPolicy policy && policy.Allows("other"));
        ((Praetor.Proxy.Policy.IntentionPolicy)edge.Authorizer).Allows("web").ShouldBeFalse();
        await stop.CancelAsync();
        await watching;
    }

    private sealed class StubAgent : IAsyncDisposable
    {
        private readonly HttpListener _listener = new();
        private readonly Func<string, (int Status, string Body)> _answer;
        private readonly Task _work;

        public StubAgent(Func<string, (int Status, string Body)> answer)
        {
            _answer = answer;
            Address = $"http://127.0.0.1:{FreePorts.Take()}/";
            _listener.Prefixes.Add(Address);
            _listener.Start();
            _work = ServeAsync();
        }

        public string Address { get; }

        public async ValueTask DisposeAsync()
        {
            _listener.Close();
            await _work;
        }

        private async Task ServeAsync()
        {
            try
            {
                while (true)
                {
                    var context = await _listener.GetContextAsync();
                    var (status, body) = _answer(context.Request.RawUrl ?? "");
                    context.Response.StatusCode = status;
                    context.Response.Headers["X-Consul-Default-ACL-Policy"] = "allow";
                    await context.Response.OutputStream.WriteAsync(Encoding.UTF8.GetBytes(body));
                    context.Response.Close();
                }
            }
            catch (Exception end) when (end is HttpListenerException or InvalidOperationException)
            {
                // Closed.
            }
        }
    }
}
