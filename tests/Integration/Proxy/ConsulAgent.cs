using System.Diagnostics;
using System.Text;
using Praetor.Client;
using Support;
using Xunit;

namespace Integration.Proxy;

/// <summary>A real Consul 1.8.7 development agent, with its command and its own proxies.</summary>
internal sealed class ConsulAgent : IAsyncDisposable
{
    /// <summary>The management token of an agent started with ACLs.</summary>
    private const string RootToken = "root";

    private readonly List<Process> _proxies = [];
    private readonly AgentProcess _agent;

    private ConsulAgent(AgentProcess agent) => _agent = agent;

    public PraetorClient Client => _agent.Client;

    /// <summary>Starts an agent and waits until it is ready; skips the test where there is no Consul.</summary>
    /// <param name="defaultPolicy">ACLs are on, with this default. Null: ACLs are off.</param>
    public static async Task<ConsulAgent> StartAsync(string? defaultPolicy = null)
    {
        Assert.SkipUnless(RealConsul.IsThere, RealConsul.Missing);
        var options = defaultPolicy is null ? new AgentOptions() : new AgentOptions
        {
            Token = RootToken,
            Hcl =
            [
                $$"""
                acl { enabled = true default_policy = "{{defaultPolicy}}" tokens { master = "{{RootToken}}" } }
                """,
            ],
        };
        return new ConsulAgent(await RealConsul.StartAsync(options, TestContext.Current.CancellationToken));
    }

    /// <summary>A client of this agent with another token.</summary>
    public PraetorClient ClientOf(string token) =>
        new(new ClientOptions { Address = _agent.HttpAddress, Token = token });

    public Task<string> SendAsync(HttpMethod method, string path, string json) => Client.SendTextAsync(
        method, path, null, json.Length == 0 ? null : new StringContent(json, Encoding.UTF8, "application/json"));

    /// <summary>Registers a service's proxy as healthy from the start.</summary>
    public Task RegisterProxyAsync(string service, int port, int localPort, string upstreams = "") => SendAsync(
        HttpMethod.Put,
        "v1/agent/service/register",
        $$$"""
        {"Name":"{{{service}}}-sidecar-proxy","Kind":"connect-proxy","Port":{{{port}}},"Proxy":{
          "DestinationServiceName":"{{{service}}}","DestinationServiceID":"{{{service}}}",
          "LocalServicePort":{{{localPort}}},"Upstreams":[{{{upstreams}}}]}}
        """);

    /// <summary>Runs the command to its end.</summary>
    public async Task CommandAsync(string arguments)
    {
        var (code, output) = await _agent.RunAsync(arguments.Split(' '));
        Assert.True(code == 0, $"'consul {arguments}' ended with {code}: {output}");
    }

    /// <summary>Runs Consul's own proxy until the agent is disposed.</summary>
    public void StartProxy(string serviceId)
    {
        var start = new ProcessStartInfo(RealConsul.Executable, ["connect", "proxy", "-sidecar-for", serviceId])
        {
            UseShellExecute = false,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        _agent.PointHere(start);
        var process = Process.Start(start)!;
        process.BeginOutputReadLine();
        process.BeginErrorReadLine();
        _proxies.Add(process);
    }

    public Task KillAsync() => _agent.KillAsync();

    public async ValueTask DisposeAsync()
    {
        foreach (var process in _proxies)
        {
            process.Kill();
            process.Dispose();
        }

        await _agent.DisposeAsync();
    }
}
