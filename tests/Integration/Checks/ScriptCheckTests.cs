using System.Diagnostics;
using System.Globalization;
using Praetor.Agent.Checks;
using Shouldly;
using Xunit;

namespace Integration.Checks;

public sealed class ScriptCheckTests
{
    [Theory]
    [InlineData("echo hi", CheckStatus.Passing, "hi\n")]
    [InlineData("echo w; exit 1", CheckStatus.Warning, "w\n")]
    [InlineData("echo c; echo err >&2; exit 2", CheckStatus.Critical, "c\nerr\n")]
    [InlineData("true", CheckStatus.Passing, "")]
    [InlineData("kill -9 $$", CheckStatus.Critical, "")]
    [InlineData("cat; echo end", CheckStatus.Passing, "end\n")]
    public async Task The_exit_code_decides(string script, CheckStatus status, string output) =>
        (await RunAsync(script)).ShouldBe(new CheckResult(status, output));

    [Fact]
    public async Task A_long_output_keeps_its_end_and_says_how_long_it_was()
    {
        var result = await RunAsync("head -c 10000 /dev/zero | tr '\\0' y; exit 1", 10);
        result.ShouldBe(new CheckResult(CheckStatus.Warning, "Captured 10 of 10000 bytes\n...\nyyyyyyyyyy"));
    }

    [Theory]
    [InlineData("/no/such/file", "fork/exec /no/such/file: no such file or directory")]
    [InlineData("nosuchbinary", "exec: \"nosuchbinary\": executable file not found in $PATH")]
    [InlineData("/etc/passwd", "fork/exec /etc/passwd: permission denied")]
    [InlineData("/etc", "fork/exec /etc: permission denied")]
    public async Task A_program_that_cannot_start_is_critical(string program, string why) =>
        (await RunAsync(new CheckSpec { Id = "s", ScriptArgs = [program] })).ShouldBe(CheckResult.Critical(why));

    [Fact]
    public async Task A_script_is_killed_at_its_timeout_with_all_its_children()
    {
        var file = Path.GetTempFileName();
        // The grandchild is orphaned, so that only its process group still leads to it.
        var script = $"(sleep 1000 & echo $! > {file}) ; echo start; sleep 1000";
        var spec = new CheckSpec { Id = "s", ScriptArgs = ["sh", "-c", script], Timeout = TimeSpan.FromSeconds(1) };
        (await RunAsync(spec)).ShouldBe(CheckResult.Critical("Timed out (1s) running check\n\nstart\n"));
        var orphan = int.Parse(await File.ReadAllTextAsync(file), CultureInfo.InvariantCulture);
        File.Delete(file);
        await GoneAsync(orphan);
    }

    [Fact]
    public async Task A_removed_check_takes_its_script_with_it()
    {
        var file = Path.GetTempFileName();
        File.Delete(file);
        using var watcher = new FileSystemWatcher(Path.GetTempPath(), Path.GetFileName(file) + ".done");
        var written = new TaskCompletionSource();
        watcher.Renamed += (_, _) => written.TrySetResult();
        watcher.EnableRaisingEvents = true;
        using var stop = new CancellationTokenSource();
        var script = $"echo $$ > {file}; mv {file} {file}.done; sleep 1000";
        var run = new ScriptCheck(new CheckProcess(TimeProvider.System))
            .RunAsync(new CheckSpec { Id = "s", ScriptArgs = ["sh", "-c", script] }, stop.Token);
        await written.Task;
        var pid = int.Parse(await File.ReadAllTextAsync($"{file}.done"), CultureInfo.InvariantCulture);
        File.Delete($"{file}.done");
        await stop.CancelAsync();
        await Should.ThrowAsync<OperationCanceledException>(run);
        await GoneAsync(pid);
    }

    [Fact]
    public async Task A_background_child_does_not_hold_up_the_result() =>
        (await RunAsync("sleep 5 & echo x")).ShouldBe(CheckResult.Passing("x\n"));

    [Fact]
    public async Task Docker_and_systemd_are_critical_where_they_are_missing()
    {
        var processes = new CheckProcess(TimeProvider.System);
        if (CheckProcess.Find("docker") is null)
        {
            var docker = new CheckSpec { Id = "d", DockerContainerId = "abc", ScriptArgs = ["true"] };
            (await new DockerCheck(processes).RunAsync(docker, TestContext.Current.CancellationToken))
                .Output.ShouldStartWith("create exec failed for container abc: ");
        }

        var unit = new CheckSpec { Id = "u", OsService = "nosuch-unit.service" };
        (await new OsServiceCheck(processes).RunAsync(unit, TestContext.Current.CancellationToken))
            .Status.ShouldBe(CheckStatus.Critical);
    }

    // Killed, and reaped by whoever inherited it; until then the process table shows it as a zombie.
    private static async Task GoneAsync(int pid)
    {
        try
        {
            using var process = Process.GetProcessById(pid);
            await process.WaitForExitAsync(TestContext.Current.CancellationToken);
        }
        catch (ArgumentException)
        {
            // Gone already.
        }
    }

    private static Task<CheckResult> RunAsync(string script, int outputMax = 0) => RunAsync(
        new CheckSpec { Id = "s", ScriptArgs = ["sh", "-c", script], OutputMaxSize = outputMax });

    private static Task<CheckResult> RunAsync(CheckSpec spec) => new ScriptCheck(new CheckProcess(TimeProvider.System))
        .RunAsync(spec, TestContext.Current.CancellationToken);
}
