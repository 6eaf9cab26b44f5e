using System.Diagnostics;
using System.Globalization;
using System.Text.RegularExpressions;
using Shouldly;
using Support;
using Xunit;

namespace Integration.Demo;

public sealed class DemoTests
{
    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(60);

    [Fact]
    public async Task The_demo_shows_traffic_through_the_mesh_within_five_seconds_and_leaves_nothing_behind()
    {
        var stop = TestContext.Current.CancellationToken;
        using var folder = new TempFolder("demo");
        using var demo = Start(folder, "demo", "-seconds", "2");
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(stop);
        limit.CancelAfter(Limit);
        var output = await demo.StandardOutput.ReadToEndAsync(limit.Token);
        await demo.WaitForExitAsync(limit.Token);

        demo.ExitCode.ShouldBe(0, output);
        var traffic = Regex.Match(output, @"sidecars connected.* (?<seconds>[\d.]+) s ", RegexOptions.None, Limit);
        double.Parse(traffic.Groups["seconds"].Value, CultureInfo.InvariantCulture).ShouldBeLessThan(5, output);
        output.ShouldContain("errors 0");
        FoldersOf(folder).ShouldBeEmpty();
    }

    [Fact]
    public async Task A_terminal_that_is_closed_ends_the_demo_and_its_agent()
    {
        const int sigHup = 1;
        var stop = TestContext.Current.CancellationToken;
        using var folder = new TempFolder("demo");
        using var demo = Start(folder, "demo");
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(stop);
        limit.CancelAfter(Limit);
        var line = "";
        while (!line.Contains("ends it"))
        {
            line = await demo.StandardOutput.ReadLineAsync(limit.Token);
            line.ShouldNotBeNull("the demo ended before it was ready");
        }

        var agents = ChildrenOf(demo);
        agents.ShouldNotBeEmpty();
        Lifecycle.Command.Signal(demo.Id, sigHup);
        await demo.WaitForExitAsync(limit.Token);

        demo.ExitCode.ShouldBe(0);
        FoldersOf(folder).ShouldBeEmpty();
        agents.ShouldAllBe(static agent => !Directory.Exists($"/proc/{agent}"), "its agent goes on");
    }

    private static string[] ChildrenOf(Process parent) =>
        [.. Directory.GetDirectories($"/proc/{parent.Id}/task")
            .SelectMany(static thread => File.ReadAllText($"{thread}/children").Split(' '))
            .Where(static child => child.Length > 0)];

    private static string[] FoldersOf(TempFolder folder) => Directory.GetFileSystemEntries(folder.Path, "praetor*");

    private static Process Start(TempFolder folder, params string[] line)
    {
        var start = new ProcessStartInfo(new AgentOptions().Executable, line)
        {
            UseShellExecute = false,
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
            WorkingDirectory = folder.Path,
        };
        start.Environment["TMPDIR"] = folder.Path;
        return Process.Start(start)!;
    }
}
