using System.Diagnostics;
using System.Text.Json;
using Support;

namespace Integration.Membership;

/// <summary>One machine of a <see cref="NetworkLab"/>.</summary>
internal sealed class Machine(string name, string space, string address)
{
    private static readonly TimeSpan CommandLimit = TimeSpan.FromSeconds(30);
    private static readonly string[] StatusWords = ["none", "alive", "leaving", "left", "failed"];

    private readonly List<Process> _served = [];
    private Process? _agent;
    private IReadOnlyList<string> _arguments = [];

    public string Name => name;

    public string Namespace => space;

    public string Address => address;

    public int AgentProcess => _agent?.Id ?? throw new InvalidOperationException($"no agent runs on {name}");

    /// <summary>Whether the agent runs.</summary>
    public bool IsRunning => _agent is { HasExited: false };

    public void Start(IReadOnlyList<string> arguments)
    {
        _arguments = arguments;
        StartAgain();
    }

    /// <summary>A command, with its arguments, that becomes the agent: what it changes is so for the agent.</summary>
    public IReadOnlyList<string> Under { get; set; } = [];

    public void StartAgain() => _agent = Begin([.. Under, new AgentOptions().Executable, .. _arguments]);

    /// <summary>Starts what runs beside the agent; it is ended with the machine.</summary>
    public Process Serve(params string[] command)
    {
        var served = Begin(command);
        _served.Add(served);
        return served;
    }

    /// <summary>Runs a command on this machine; gives its exit code and all it printed.</summary>
    public async Task<(int Code, string Output)> RunAsync(params string[] command)
    {
        using var process = Process.Start(Within(command))!;
        using var limit = new CancellationTokenSource(CommandLimit);
        var output = process.StandardOutput.ReadToEndAsync(limit.Token);
        var errors = process.StandardError.ReadToEndAsync(limit.Token);
        await process.WaitForExitAsync(limit.Token);
        return (process.ExitCode, await output + await errors);
    }

    /// <summary>Ends the agent as a machine ends that loses its power.</summary>
    public void Kill()
    {
        End(_agent);
        _agent = null;
    }

    /// <summary>Ends everything that was started here.</summary>
    public void SwitchOff()
    {
        Kill();
        _served.ForEach(End);
        _served.Clear();
    }

    /// <summary>Name and status of everybody whom this machine's agent knows; empty while it cannot be asked.</summary>
    public async Task<IReadOnlyDictionary<string, string>> MembersAsync()
    {
        var (code, text) = await RunAsync("curl", "-s", "-m", "5", "http://127.0.0.1:8500/v1/agent/members");
        if (code != 0)
        {
            return new Dictionary<string, string>(StringComparer.Ordinal);
        }

        using var json = JsonDocument.Parse(text);
        return json.RootElement.EnumerateArray().ToDictionary(
            static member => member.GetProperty("Name").GetString()!,
            static member => StatusWords[member.GetProperty("Status").GetInt32()], StringComparer.Ordinal);
    }

    private static void End(Process? process)
    {
        if (process is { HasExited: false })
        {
            process.Kill();
            process.WaitForExit();
        }

        process?.Dispose();
    }

    private Process Begin(IReadOnlyList<string> command)
    {
        var process = Process.Start(Within(command))!;

        // Nobody reads the logs, and a full pipe would stop what writes them.
        process.OutputDataReceived += static (_, _) => { };
        process.ErrorDataReceived += static (_, _) => { };
        process.BeginOutputReadLine();
        process.BeginErrorReadLine();
        return process;
    }

    // ip becomes the command, so its process is the command's.
    private ProcessStartInfo Within(IEnumerable<string> command) => new("ip", ["netns", "exec", space, .. command])
    {
        UseShellExecute = false, RedirectStandardOutput = true, RedirectStandardError = true,
    };
}
