using System.Net;
using System.Net.Sockets;
using System.Text;
using System.Text.Json;
using Codecs.Dns;
using Praetor.Agent.Config;
using Praetor.Agent.Forwarding;
using Praetor.Agent.Runtime;
using Shouldly;
using Unit.Dns;

namespace Unit.Forwarding;

/// <summary>Tells an agent which servers there are, as a test says it.</summary>
internal sealed class ToldServers : IServerSource
{
    private Action<IReadOnlyCollection<ServerPeer>>? _changed;
    private IReadOnlyCollection<ServerPeer> _servers = [];

    public void Tell(params ServerPeer[] servers)
    {
        _servers = servers;
        _changed?.Invoke(servers);
    }

    public IDisposable Follow(Action<IReadOnlyCollection<ServerPeer>> changed)
    {
        _changed = changed;
        changed(_servers);
        return new Nothing();
    }

    private sealed class Nothing : IDisposable
    {
        public void Dispose()
        {
        }
    }
}

/// <summary>An agent of this process, on free ports of loopback.</summary>
internal sealed class Agent : IAsyncDisposable
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(20);

    private readonly AgentRuntime _runtime;
    private readonly HttpClient _http;

    private Agent(AgentRuntime runtime, AgentConfig config, ToldServers servers)
    {
        (_runtime, Config, Servers) = (runtime, config, servers);
        _http = new HttpClient { BaseAddress = new Uri(runtime.HttpAddresses), Timeout = Patience };
    }

    public AgentConfig Config { get; }

    public ToldServers Servers { get; }

    /// <summary>Where HTTP listens.</summary>
    public Uri Address => _http.BaseAddress!;

    /// <summary>Where HTTPS listens.</summary>
    public Uri Https => new(_runtime.HttpsAddresses);

    public IPEndPoint Rpc => _runtime.RpcEndPoint.ShouldNotBeNull();

    /// <summary>This server, as others are told of it.</summary>
    public ServerPeer Peer => new(Config.NodeName, Config.NodeId, Config.Datacenter, Rpc);

    public static Task<Agent> ServerAsync(
        string node = "s1", string datacenter = "dc1", IPEndPoint? rpc = null, string hcl = "") =>
        StartAsync(node, datacenter, isServer: true, rpc, hcl, []);

    /// <summary>A client agent that is told of servers.</summary>
    public static Task<Agent> ClientAsync(params ServerPeer[] servers) =>
        StartAsync("c1", "dc1", isServer: false, null, "", servers);

    /// <param name="node">Its name.</param>
    /// <param name="datacenter">Where it is.</param>
    /// <param name="isServer">Whether it has the state.</param>
    /// <param name="rpc">Where other agents ask. Null: at a free port.</param>
    /// <param name="hcl">What is configured besides.</param>
    /// <param name="servers">What it is told of.</param>
    /// <param name="reload">What is configured besides when it reloads. Null: the same.</param>
    /// <param name="servesHttps">Whether it listens for HTTPS, too.</param>
    public static async Task<Agent> StartAsync(
        string node, string datacenter, bool isServer, IPEndPoint? rpc, string hcl, ServerPeer[] servers,
        string? reload = null, bool servesHttps = false)
    {
        var id = Guid.NewGuid().ToString();
        ConfigResult Load(string fragment) => ConfigLoader.Load(
            ["-dev", "-node", node, "-datacenter", datacenter, "-node-id", id, "-hcl", fragment],
            new ConfigSurroundings(node, static () => []));
        var loaded = Load(hcl);
        var config = loaded.Config.ShouldNotBeNull(loaded.ProblemText);
        var loopback = new ListenAddress(IPAddress.Loopback, 0);
        config = config with
        {
            IsServer = isServer,
            Ports = config.Ports with { Http = 0, Dns = 0, Server = rpc?.Port ?? 0, SerfLan = 0, SerfWan = -1 },
            Addresses = config.Addresses with
            {
                Bind = IPAddress.Loopback, Http = [loopback], Dns = [loopback], Https = servesHttps ? [loopback] : [],
            },
            Log = config.Log with { Level = "ERROR" },
        };
        var told = new ToldServers();
        told.Tell(servers);
        var runtime = new AgentRuntime(
            config, () => Load(reload ?? hcl), new AgentBuild("0", "", ""), TextWriter.Null, TimeProvider.System, told);
        try
        {
            await runtime.StartAsync([], CancellationToken.None);
        }
        catch
        {
            await runtime.DisposeAsync();
            throw;
        }

        return new Agent(runtime, config, told);
    }

    public Task<HttpResponseMessage> SendAsync(string method, string target, string? body = null)
    {
        var request = new HttpRequestMessage(new HttpMethod(method), target);
        if (body is not null)
        {
            request.Content = new StringContent(body, Encoding.UTF8);
        }

        return _http.SendAsync(request);
    }

    public async Task<(int Status, string Text)> AskAsync(string method, string target, string? body = null)
    {
        using var answer = await SendAsync(method, target, body);
        return ((int)answer.StatusCode, await answer.Content.ReadAsStringAsync());
    }

    public async Task<JsonElement> JsonAsync(string target)
    {
        var (status, text) = await AskAsync("GET", target);
        status.ShouldBe(200, text);
        return JsonElement.Parse(text);
    }

    public async Task PutAsync(string target, string body = "")
    {
        var (status, text) = await AskAsync("PUT", target, body);
        status.ShouldBe(200, text);
    }

    public async Task<DnsText> DigAsync(string name, DnsType type = DnsType.A)
    {
        using var limit = new CancellationTokenSource(Patience);
        using var socket = new Socket(AddressFamily.InterNetwork, SocketType.Dgram, ProtocolType.Udp);
        await socket.ConnectAsync(_runtime.DnsEndPoints[0], limit.Token);
        await socket.SendAsync(DnsText.Query(name, type), limit.Token);
        var buffer = new byte[4096];
        var length = await socket.ReceiveAsync(buffer, limit.Token);
        return DnsText.Parse(buffer[..length]);
    }

    /// <summary>Waits by blocking queries until an answer of a read holds.</summary>
    public async Task UntilAsync(string target, Func<JsonElement, bool> holds)
    {
        var begin = TimeProvider.System.GetTimestamp();
        var index = "0";
        var mark = target.Contains('?') ? '&' : '?';
        while (true)
        {
            using var answer = await SendAsync("GET", $"{target}{mark}index={index}&wait=2s");
            var text = await answer.Content.ReadAsStringAsync();
            if (answer.IsSuccessStatusCode && holds(JsonElement.Parse(text)))
            {
                return;
            }

            index = answer.Headers.TryGetValues("X-Consul-Index", out var indexes) ? indexes.First() : "0";
            TimeProvider.System.GetElapsedTime(begin).ShouldBeLessThan(Patience, $"{target} still answers {text}");
        }
    }

    public async ValueTask DisposeAsync()
    {
        _http.Dispose();
        await _runtime.DisposeAsync();
    }
}

/// <summary>A server that no connection to comes about: those that wait to be taken fill its queue.</summary>
internal sealed class FullServer : IDisposable
{
    private const int MoreThanFit = 8;

    private readonly Socket _socket = new(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
    private readonly List<Socket> _waiting = [];

    public FullServer(string name)
    {
        _socket.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        _socket.Listen(backlog: 0);
        Peer = new ServerPeer(name, name, "dc1", (IPEndPoint)_socket.LocalEndPoint!);
        for (var i = 0; i < MoreThanFit; i++)
        {
            var waiting = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
            _waiting.Add(waiting);
            waiting.Blocking = false;
            try
            {
                waiting.Connect(Peer.Rpc);
            }
            catch (SocketException e) when (e.SocketErrorCode is SocketError.WouldBlock or SocketError.InProgress)
            {
                // It waits, be it for ever.
            }
        }
    }

    public ServerPeer Peer { get; }

    public void Dispose()
    {
        _waiting.ForEach(static socket => socket.Dispose());
        _socket.Dispose();
    }
}

/// <summary>A server that takes connections and never says anything.</summary>
internal sealed class SilentServer : IDisposable
{
    private readonly Socket _socket = new(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);

    public SilentServer(string name)
    {
        _socket.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        _socket.Listen();
        Peer = new ServerPeer(name, name, "dc1", (IPEndPoint)_socket.LocalEndPoint!);
    }

    public ServerPeer Peer { get; }

    public void Dispose() => _socket.Dispose();
}
