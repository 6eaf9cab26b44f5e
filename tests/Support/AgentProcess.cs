using System.Diagnostics;
using System.Runtime.InteropServices;
using Praetor.Client;

namespace Support;

/// <summary>An agent in a process of its own, on free ports; its data goes when it goes.</summary>
public sealed partial class AgentProcess : IAsyncDisposable
{
    private const int SigInt = 2;
    private const int SigHup = 1;
    private const string ConnectHcl = "connect { enabled = true }";
    private const int LogLinesMax = 20_000;
    private static readonly string[] StatusWords = ["none", "alive", "leaving", "left", "failed"];
    private static readonly TimeSpan EndLimit = TimeSpan.FromSeconds(20);

    private readonly AgentOptions _options;
    private readonly TempFolder _folder;
    private readonly Queue<string> _log = new();
    private Process? _process;

    private AgentProcess(AgentOptions options)
    {
        _options = options;
        _folder = new TempFolder("agent");
        Ports = AgentPorts.Take();
        Client = new PraetorClient(new ClientOptions { Address = HttpAddress, Token = options.Token });
        Http = new HttpClient(new SocketsHttpHandler { UseProxy = false, AllowAutoRedirect = false })
        {
            BaseAddress = new Uri($"http://127.0.0.1:{Ports.Http}"),
        };
        if (options.Token is { } token)
        {
            Http.DefaultRequestHeaders.Add("X-Consul-Token", token);
        }
    }

    /// <summary>Where it listens; the same after a restart.</summary>
    public AgentPorts Ports { get; }

    /// <summary>Our own client, talking to it.</summary>
    public PraetorClient Client { get; }

    /// <summary>A bare HTTP client that follows no redirects, talking to it.</summary>
    public HttpClient Http { get; }

    /// <summary>The address for <c>-http-addr</c>.</summary>
    public string HttpAddress => $"127.0.0.1:{Ports.Http}";

    /// <summary>The address for <c>-retry-join</c>.</summary>
    public string GossipAddress => $"127.0.0.1:{Ports.SerfLan}";

    /// <summary>A folder for the test's files; the data folder is <c>data</c> in it.</summary>
    public TempFolder Folder => _folder;

    /// <summary>The id of the running process.</summary>
    public int ProcessId => Running.Id;

    /// <summary>What it has logged.</summary>
    public string Log
    {
        get
        {
            lock (_log)
            {
                return string.Join('\n', _log);
            }
        }
    }

    private Process Running => _process ?? throw new InvalidOperationException("the agent is not running");

    /// <summary>Whether the executable is there.</summary>
    public static bool IsBuilt => File.Exists(new AgentOptions().Executable);

    /// <summary>Starts an agent and waits until it leads.</summary>
    /// <exception cref="TimeoutException">It did not get ready; the message holds the end of its log.</exception>
    public static async Task<AgentProcess> StartAsync(AgentOptions? options = null, CancellationToken stop = default)
    {
        var agent = new AgentProcess(options ?? new AgentOptions());
        try
        {
            await agent.StartAgainAsync(stop);
            return agent;
        }
        catch
        {
            await agent.DisposeAsync();
            throw;
        }
    }

    /// <summary>Starts an agent that gets ready only when others are there; wait by <see cref="ReadyAsync"/>.</summary>
    public static AgentProcess Launch(AgentOptions options)
    {
        var agent = new AgentProcess(options);
        agent.Launch();
        return agent;
    }

    /// <summary>Starts it again, after it ended or was killed, on the same ports and data.</summary>
    public async Task StartAgainAsync(CancellationToken stop = default)
    {
        Launch();
        await ReadyAsync(stop);
    }

    /// <summary>Waits until it finds a leader and its node is in the catalog.</summary>
    /// <exception cref="TimeoutException">It did not get ready; the message holds the end of its log.</exception>
    public async Task ReadyAsync(CancellationToken stop = default)
    {
        try
        {
            await Eventually.HoldsAsync("the agent leads", _options.ReadyLimit, IsReadyAsync, stop);
        }
        catch (Exception late) when (late is TimeoutException or InvalidOperationException)
        {
            throw new TimeoutException($"{late.Message}\n--- its log ends with\n{EndOfLog()}", late);
        }
    }

    /// <summary>Ends it by SIGKILL, which it cannot see coming.</summary>
    public async Task KillAsync()
    {
        Running.Kill();
        await Running.WaitForExitAsync();
        Forget();
    }

    /// <summary>Ends it by SIGINT, as Ctrl-C does; gives its exit code.</summary>
    public Task<int> EndAsync()
    {
        Signal(SigInt);
        return EndedAsync(EndLimit);
    }

    /// <summary>Waits until it has ended, by whatever; gives its exit code.</summary>
    /// <exception cref="TimeoutException">It still runs.</exception>
    public async Task<int> EndedAsync(TimeSpan within)
    {
        using var limit = new CancellationTokenSource(within);
        try
        {
            await Running.WaitForExitAsync(limit.Token);
        }
        catch (OperationCanceledException late)
        {
            throw new TimeoutException($"the agent did not end\n{EndOfLog()}", late);
        }

        var code = Running.ExitCode;
        Forget();
        return code;
    }

    /// <summary>Makes it read its configuration again.</summary>
    public void Reload() => Signal(SigHup);

    /// <summary>Runs a command of the executable against this agent; gives its exit code and all it printed.</summary>
    public async Task<(int Code, string Output)> RunAsync(params string[] arguments)
    {
        var start = new ProcessStartInfo(_options.Executable)
        {
            UseShellExecute = false,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
            WorkingDirectory = _folder.Path,
        };
        Array.ForEach(arguments, start.ArgumentList.Add);
        PointHere(start);
        using var command = Process.Start(start)!;
        using var limit = new CancellationTokenSource(EndLimit);
        var output = command.StandardOutput.ReadToEndAsync(limit.Token);
        var errors = command.StandardError.ReadToEndAsync(limit.Token);
        await command.WaitForExitAsync(limit.Token);
        return (command.ExitCode, await output + await errors);
    }

    /// <summary>Makes a command that is about to start talk to this agent.</summary>
    public void PointHere(ProcessStartInfo command)
    {
        command.Environment["CONSUL_HTTP_ADDR"] = HttpAddress;
        if (_options.Token is { } token)
        {
            command.Environment["CONSUL_HTTP_TOKEN"] = token;
        }
    }

    /// <summary>Kills it when it still runs, and removes its data.</summary>
    public async ValueTask DisposeAsync()
    {
        if (_process is not null)
        {
            await KillAsync();
        }

        Client.Dispose();
        Http.Dispose();
        _folder.Dispose();
    }

    [LibraryImport("libc", EntryPoint = "kill")]
    private static partial int SendSignal(int process, int signal);

    private void Launch()
    {
        var start = new ProcessStartInfo(_options.Executable)
        {
            UseShellExecute = false,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
            WorkingDirectory = _folder.Path,
        };
        foreach (var argument in Arguments())
        {
            start.ArgumentList.Add(argument);
        }

        _process = new Process { StartInfo = start };
        _process.OutputDataReceived += (_, line) => Keep(line.Data);
        _process.ErrorDataReceived += (_, line) => Keep(line.Data);
        _process.Start();
        _process.BeginOutputReadLine();
        _process.BeginErrorReadLine();
    }

    private IEnumerable<string> Arguments()
    {
        string[] role = _options.IsClient ? ["-data-dir", _folder.File("data"), "-hcl", ConnectHcl]
            : _options.IsDev ? ["-dev"]
            : ["-server", $"-bootstrap-expect={_options.Servers}", "-data-dir", _folder.File("data"),
                "-hcl", ConnectHcl];
        string[] peers = _options.Servers > 1 ? ["-hcl", $"ports {{ store_peer = {Ports.StorePeer} }}"] : [];
        string[] id = _options.NodeId.Length > 0 ? ["-node-id", _options.NodeId] : [];
        var joins = _options.Joins.SelectMany(static agent => (string[])["-retry-join", agent.GossipAddress]);
        var hcl = _options.Hcl.SelectMany(block => (string[])["-hcl", block]);
        return
        [
            "agent", .. role, "-node", _options.Node, .. id, "-bind", "127.0.0.1",
            "-hcl", Ports.ToHcl(), .. peers, .. joins, .. hcl, .. _options.Arguments,
        ];
    }

    private async Task<bool> IsReadyAsync()
    {
        if (Running.HasExited)
        {
            throw new InvalidOperationException($"the agent ended with code {Running.ExitCode}");
        }

        if (_options.IsAlone)
        {
            return await HasAsync("/v1/agent/self", _options.Node);
        }

        var leader = await Http.GetStringAsync("/v1/status/leader");
        return leader.Contains(':', StringComparison.Ordinal)
            && await HasAsync($"/v1/health/node/{_options.Node}", "serfHealth")
            && await HasAsync("/v1/connect/ca/roots", "BEGIN");
    }

    /// <summary>Who this agent thinks is there: name and status, as <c>members</c> prints them.</summary>
    public async Task<IReadOnlyDictionary<string, string>> MembersAsync(bool wan = false)
    {
        var members = await Client.MembersAsync(wan, segment: "_all", filter: null, CancellationToken.None);
        return members.ToDictionary(
            static member => member.Name, static member => StatusWords[member.Status], StringComparer.Ordinal);
    }

    private async Task<bool> HasAsync(string path, string text) =>
        (await Http.GetStringAsync(path)).Contains(text, StringComparison.Ordinal);

    private void Signal(int signal)
    {
        if (SendSignal(ProcessId, signal) != 0)
        {
            throw new InvalidOperationException($"signal {signal} did not reach the agent");
        }
    }

    private void Forget()
    {
        _process?.Dispose();
        _process = null;
    }

    private void Keep(string? line)
    {
        if (line is null)
        {
            return;
        }

        lock (_log)
        {
            _log.Enqueue(line);
            if (_log.Count > LogLinesMax)
            {
                _log.Dequeue();
            }
        }
    }

    private string EndOfLog() => string.Join('\n', Log.Split('\n').TakeLast(30));
}
