using System.Net;
using System.Text.Json;
using Praetor.Client;
using Praetor.Proxy;
using Shouldly;
using Support;
using Xunit;

namespace Integration.Proxy;

/// <summary>Our proxies beside a real Consul whose ACLs are on.</summary>
public sealed class ConsulAclTests : IAsyncLifetime
{
    private readonly EchoServer _echo = new();
    private readonly int[] _ports = [FreePorts.Take(), FreePorts.Take(), FreePorts.Take()];

    private IPEndPoint UpstreamAddress => new(IPAddress.Loopback, _ports[1]);

    public ValueTask InitializeAsync() => ValueTask.CompletedTask;

    public ValueTask DisposeAsync() => _echo.DisposeAsync();

    [Fact]
    public async Task Where_the_default_is_deny_only_an_intention_lets_in()
    {
        await using var consul = await StartAsync("deny");
        await using var host = NewHost(consul.Client);
        await Wait.UntilAsync("the proxies are up and deny", async () =>
            host.Metrics.Snapshot().Any(static e => e.Denied > 0) || await TalksAsync());
        (await TalksAsync()).ShouldBeFalse();
        await consul.CommandAsync("intention create -allow cli web");
        await Wait.UntilAsync("the intention lets in", TalksAsync);
    }

    [Fact]
    public async Task Where_the_token_may_not_read_intentions_nobody_gets_in_as_the_agent_refuses_to_decide_too()
    {
        await using var consul = await StartAsync("allow");
        using var blind = consul.ClientOf(await BlindTokenAsync(consul));
        await using var host = NewHost(blind);
        await Wait.UntilAsync("the server side denied", async () =>
            host.Metrics.Snapshot().Any(static e => e.Denied > 0) || await TalksAsync());
        (await TalksAsync()).ShouldBeFalse();
    }

    private static async Task<string> BlindTokenAsync(ConsulAgent consul)
    {
        const string rules = "service_prefix \"\" { policy = \"write\" intentions = \"deny\" } "
            + "node_prefix \"\" { policy = \"read\" }";
        var policy = JsonSerializer.Serialize(new Dictionary<string, string> { ["Name"] = "blind", ["Rules"] = rules });
        await consul.SendAsync(HttpMethod.Put, "v1/acl/policy", policy);
        var made = await consul.SendAsync(HttpMethod.Put, "v1/acl/token", """{"Policies":[{"Name":"blind"}]}""");
        return JsonDocument.Parse(made).RootElement.GetProperty("SecretID").GetString()!;
    }

    private static ProxyHost NewHost(PraetorClient client)
    {
        var host = new ProxyHost(client, static (_, _) => { }, TimeProvider.System, new Random(1));
        host.Add("web-sidecar-proxy");
        host.Add("cli-sidecar-proxy");
        return host;
    }

    private async Task<ConsulAgent> StartAsync(string defaultPolicy)
    {
        var consul = await ConsulAgent.StartAsync(defaultPolicy);
        await Wait.UntilAsync("the agent takes registrations", async () =>
        {
            try
            {
                await consul.RegisterProxyAsync("web", _ports[0], _echo.Address.Port);
                await consul.RegisterProxyAsync(
                    "cli", _ports[2], 1, $$"""{"DestinationName":"web","LocalBindPort":{{_ports[1]}}}""");
                return true;
            }
            catch (ApiException)
            {
                return false;
            }
        });
        return consul;
    }

    private async Task<bool> TalksAsync()
    {
        try
        {
            using var wire = await TestWire.OpenAsync(UpstreamAddress);
            return await wire.SayAsync("hello") == "hello";
        }
        catch (Exception failure) when (failure is IOException or System.Net.Sockets.SocketException)
        {
            return false;
        }
    }
}
