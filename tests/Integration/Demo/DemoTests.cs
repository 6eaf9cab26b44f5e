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
        var start = new ProcessStartInfo(new AgentOptions().Executable)
        {
            UseShellExecute = false,
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
            WorkingDirectory = folder.Path,
        };
        start.Environment["TMPDIR"] = folder.Path;
        Array.ForEach(["demo", "-seconds", "2"], start.ArgumentList.Add);
        using var demo = Process.Start(start)!;
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(stop);
        limit.CancelAfter(Limit);
        var output = await demo.StandardOutput.ReadToEndAsync(limit.Token);
        await demo.WaitForExitAsync(limit.Token);

        demo.ExitCode.ShouldBe(0, output);
        var traffic = Regex.Match(output, @"sidecars connected.* (?<seconds>[\d.]+) s ", RegexOptions.None, Limit);
        double.Parse(traffic.Groups["seconds"].Value, CultureInfo.InvariantCulture).ShouldBeLessThan(5, output);
        output.ShouldContain("errors 0");
        Directory.EnumerateFileSystemEntries(folder.Path).Where(path => path.Contains("praetor")).ShouldBeEmpty();
    }
}
