using System.Collections.Concurrent;
using System.Text;
using Microsoft.Extensions.Logging.Abstractions;
using Praetor.Agent.Events;
using Praetor.Agent.RemoteExec;
using Shouldly;
using Support;
using Xunit;

namespace Integration.Watches;

/// <summary>Commands that agents run for others, with real processes and keys in memory.</summary>
public sealed class RemoteExecutionTests
{
    private const string Session = "3ec61cee-9b82-4f20-8cd5-b8c69b7f77d2";
    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(15);

    private readonly Keys _keys = new();

    [Theory]
    [InlineData("""{"Command":"echo out; echo err >&2; exit 3","Wait":2000000000}""", "out\nerr\n", "3")]
    [InlineData("""{"Args":["echo","a b"],"Wait":2000000000}""", "a b\n", "0")]
    [InlineData("""{"Script":"IyEvYmluL3NoCmVjaG8gc2NyaXB0Cg==","Wait":2000000000}""", "script\n", "0")]
    [InlineData("""{"Args":["/nonexistent"]}""", "fork/exec /nonexistent: no such file or directory\n", "255")]
    public async Task A_job_is_acknowledged_run_and_its_output_and_end_are_told(string job, string output, string code)
    {
        _keys.Job = job;
        await using var exec = Execution();

        exec.Begin(Asked());
        await EndedAsync();

        _keys.Has("ack").ShouldBeTrue();
        Ordered(_keys.Output).ShouldBe(Ordered(output));
        _keys.Text("exit").ShouldBe(code);
    }

    [Fact]
    public async Task Nothing_is_run_when_the_session_has_ended()
    {
        var file = Path.Combine(Path.GetTempPath(), $"exec-{Guid.NewGuid():N}");
        _keys.Job = $$"""{"Command":"touch {{file}}"}""";
        _keys.IsLocked = false;
        await using (var exec = Execution())
        {
            exec.Begin(Asked());
        }

        File.Exists(file).ShouldBeFalse();
        _keys.Written.ShouldBeEmpty();
    }

    [Fact]
    public async Task A_command_is_killed_when_its_session_ends()
    {
        _keys.Job = """{"Command":"echo $$; while :; do echo x; sleep 0.05; done","Wait":1000000000}""";
        await using var exec = Execution();
        exec.Begin(Asked());
        await Eventually.HoldsAsync("output comes", Limit, () => Task.FromResult(_keys.Output.Length > 0));
        var process = _keys.Output.Split('\n')[0];
        Directory.Exists($"/proc/{process}").ShouldBeTrue();

        _keys.IsLocked = false;

        await Eventually.HoldsAsync(
            "it is killed", Limit, () => Task.FromResult(!Directory.Exists($"/proc/{process}")));
        _keys.Has("exit").ShouldBeFalse();
    }

    private static string Ordered(string lines) => string.Join('\n', lines.Split('\n').Order(StringComparer.Ordinal));

    private static UserEvent Asked() => new()
    {
        Name = UserEvents.RemoteExecName,
        Id = Guid.NewGuid().ToString(),
        Payload = Encoding.UTF8.GetBytes($$"""{"Prefix":"_rexec","Session":"{{Session}}"}"""),
    };

    private RemoteExecution Execution() => new(_keys, "lab", TimeProvider.System, NullLogger.Instance);

    private Task EndedAsync() => Eventually.HoldsAsync("it ends", Limit, () => Task.FromResult(_keys.Has("exit")));

    private sealed class Keys : IExecStore
    {
        public string Job { get; set; } = "";

        public bool IsLocked { get; set; } = true;

        public ConcurrentDictionary<string, byte[]> Written { get; } = new(StringComparer.Ordinal);

        public string Output => string.Concat(Written
            .Where(static k => k.Key.Contains("/out/", StringComparison.Ordinal))
            .OrderBy(static k => k.Key, StringComparer.Ordinal).Select(static k => Encoding.UTF8.GetString(k.Value)));

        public bool Has(string name) => Written.ContainsKey($"_rexec/{Session}/lab/{name}");

        public string Text(string name) => Encoding.UTF8.GetString(Written[$"_rexec/{Session}/lab/{name}"]);

        public Task<byte[]?> ReadAsync(string key, bool stale, CancellationToken stop) =>
            Task.FromResult(key == $"_rexec/{Session}/job" && !stale ? Encoding.UTF8.GetBytes(Job) : null);

        public Task<bool> WriteAsync(
            string key, ReadOnlyMemory<byte> value, string session, CancellationToken stop)
        {
            if (IsLocked)
            {
                Written[key] = value.ToArray();
            }

            return Task.FromResult(IsLocked && session == Session);
        }
    }
}
