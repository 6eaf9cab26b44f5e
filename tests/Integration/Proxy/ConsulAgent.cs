using System.Diagnostics;
using System.Text;
using Praetor.Client;
using Support;
using Xunit;

namespace Integration.Proxy;

/// <summary>A real Consul 1.8.7 development agent, and its command.</summary>
internal sealed class RealConsul : IAsyncDisposable
{
    private static readonly TimeSpan StopLimit = TimeSpan.FromSeconds(5);

    private readonly List<Process> _started = [];
    private readonly Process _agent;

    private RealConsul(int port, Process agent, string? token)
    {
        Port = port;
        _agent = agent;
        Client = ClientOf(token);
    }

    /// <summary>The management token of an agent started with ACLs.</summary>
    public const string RootToken = "root";

    public int Port { get; }

    public PraetorClient Client { get; }

    private static string Home => Environment.GetFolderPath(Environment.SpecialFolder.UserProfile);

    private static string Peers =>
        Environment.GetEnvironmentVariable("PEERS") ?? Path.Combine(Home, ".cache", "praetor-peers");

    private static string Binary => Path.Combine(Peers, "consul/usr/bin/consul");

    /// <summary>Starts an agent and waits for its leader; skips the test where there is no Consul.</summary>
    /// <param name="defaultPolicy">ACLs are on, with this default. Null: ACLs are off.</param>
    public static async Task<RealConsul> StartAsync(string? defaultPolicy = null)
    {
        Assert.SkipUnless(File.Exists(Binary), $"needs the real Consul 1.8.7 at {Binary}");
        int[] ports = [FreePorts.Take(), FreePorts.Take(), FreePorts.Take(), FreePorts.Take()];
        var agent = Run(
            $"agent -dev -log-level=err -http-port={ports[0]} -dns-port=-1 -grpc-port=-1 -server-port={ports[1]} "
            + $"-serf-lan-port={ports[2]} -serf-wan-port={ports[3]} -node=test" + AclFlags(defaultPolicy));
        var consul = new RealConsul(ports[0], agent, defaultPolicy is null ? null : RootToken);
        await Wait.UntilAsync("Consul has a leader", async () =>
        {
            try
            {
                return (await consul.SendAsync(HttpMethod.Get, "v1/status/leader", "")).Contains(':');
            }
            catch (HttpRequestException)
            {
                return false;
            }
        });
        return consul;
    }

    /// <summary>A client of this agent with another token.</summary>
    public PraetorClient ClientOf(string? token) =>
        new(new ClientOptions { Address = $"127.0.0.1:{Port}", Token = token });

    private static string AclFlags(string? defaultPolicy) => defaultPolicy is null
        ? ""
        : $" -hcl acl{{enabled=true,default_policy=\\\"{defaultPolicy}\\\",tokens{{master=\\\"{RootToken}\\\"}}}}";

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
        using var process = Run($"{arguments}", Port);
        await process.WaitForExitAsync();
        process.ExitCode.ShouldBeZero(arguments);
    }

    /// <summary>Runs Consul's own proxy until the agent is disposed.</summary>
    public Process StartProxy(string serviceId)
    {
        var process = Run($"connect proxy -sidecar-for {serviceId}", Port);
        _started.Add(process);
        return process;
    }

    public async Task KillAsync()
    {
        if (!_agent.HasExited)
        {
            _agent.Kill();
            using var limit = new CancellationTokenSource(StopLimit);
            await _agent.WaitForExitAsync(limit.Token);
        }
    }

    public async ValueTask DisposeAsync()
    {
        foreach (var process in _started)
        {
            if (!process.HasExited)
            {
                process.Kill();
            }

            process.Dispose();
        }

        await KillAsync();
        _agent.Dispose();
        Client.Dispose();
    }

    private static Process Run(string arguments, int httpPort = 0)
    {
        var start = new ProcessStartInfo(Binary, arguments)
        {
            UseShellExecute = false,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        if (httpPort > 0)
        {
            start.Environment["CONSUL_HTTP_ADDR"] = $"127.0.0.1:{httpPort}";
            start.Environment["CONSUL_HTTP_TOKEN"] = RootToken;
        }

        var process = Process.Start(start)!;
        process.OutputDataReceived += static (_, _) => { };
        process.ErrorDataReceived += static (_, _) => { };
        process.BeginOutputReadLine();
        process.BeginErrorReadLine();
        return process;
    }
}

internal static class ExitCodes
{
    public static void ShouldBeZero(this int code, string what)
    {
        if (code != 0)
        {
            throw new InvalidOperationException($"'consul {what}' ended with {code}");
        }
    }
}
