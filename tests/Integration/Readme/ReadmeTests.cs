using System.Diagnostics;
using System.Text;
using System.Text.RegularExpressions;
using Shouldly;
using Support;
using Xunit;

namespace Integration.Readme;

/// <summary>The commands of README.md do what it says.</summary>
/// <remarks>
/// Run are the fenced blocks below a line <c>&lt;!-- run --&gt;</c>, one after another as a reader would. Behind a
/// command, <c># → text</c> says what it prints (to the first comma), and <c># fails</c> that it does not succeed.
/// </remarks>
public sealed partial class ReadmeTests
{
    private static readonly TimeSpan Limit = TimeSpan.FromMinutes(8);

    private static string Text => File.ReadAllText(Repository.At("README.md"));

    [Fact]
    public async Task The_commands_do_what_is_said_of_them()
    {
        Assert.SkipUnless(AgentProcess.IsBuilt, "needs our executable, which ./test publishes");
        Assert.SkipUnless(Environment.UserName == "root", "needs root, to make a network namespace of its own");
        var blocks = BlockText().Matches(Text).Select(static m => m.Groups["text"].Value).ToList();
        blocks.Count.ShouldBeGreaterThan(5);
        var script = File.ReadAllText(Repository.At("tests", "Integration", "Readme", "prelude.sh"))
            + string.Concat(blocks.SelectMany(Statements).Select(Call))
            + MachinesSeeEachOther;
        script.ShouldContain("gives ");
        script.ShouldContain("fails ");
        var (code, said) = await RunAsync(script);
        code.ShouldBe(0, said);
    }

    [Fact]
    public void It_is_built_as_the_tests_build_it()
    {
        var publish = Text.Split('\n').Single(
            static line => line.StartsWith("dotnet publish", StringComparison.Ordinal));
        File.ReadAllText(Repository.At("test")).ShouldContain(publish);
    }

    [Fact]
    public void Every_page_that_it_points_at_is_there() => LinkText().Matches(Text)
        .Select(static m => m.Groups["path"].Value)
        .Where(static path => !path.Contains("://") && !Path.Exists(Repository.At(path)))
        .ShouldBeEmpty();

    // The members that the blocks about several machines must lead to.
    private const string MachinesSeeEachOther = """

        gives "nsenter -t ${spaces[10.0.0.2]} -n praetor members" "host1 "
        gives "nsenter -t ${spaces[10.0.0.2]} -n praetor kv put from/a client" Success
        gives "nsenter -t ${spaces[10.0.0.1]} -n praetor members -wan" ".dc2"
        gives "nsenter -t ${spaces[10.1.0.1]} -n praetor kv get -datacenter=dc1 from/a" client

        """;

    private static IEnumerable<string> Statements(string block)
    {
        var statement = new StringBuilder();
        var end = "";
        foreach (var line in block.TrimEnd().Split('\n'))
        {
            statement.Append(statement.Length > 0 ? "\n" : "").Append(line);
            if (end.Length == 0 && HereText().Match(line) is { Success: true } here)
            {
                end = here.Groups["end"].Value;
            }
            else if (end.Length > 0 ? line == end : !line.EndsWith('\\'))
            {
                yield return statement.ToString();
                statement.Clear();
                end = "";
            }
        }
    }

    private static string Call(string statement)
    {
        var mark = statement.LastIndexOf("  # ", StringComparison.Ordinal);
        var (command, note) = mark < 0 || statement.Contains("<<")
            ? (statement, "") : (statement[..mark].TrimEnd(), statement[(mark + 4)..]);
        var place = BindText().Match(command).Groups["address"].Value;
        var words = note.Split(',')[0];
        return command switch
        {
            _ when place.Length > 0 => $"on {place} {Quoted(command)}\n",
            _ when command.StartsWith("praetor agent", StringComparison.Ordinal) => $"start {Quoted(command)}\n",
            _ when SampleText().Match(command) is { Success: true } sample =>
                $"background {Quoted(Built(sample.Groups["name"].Value))}\n",
            _ when words.StartsWith("→ ", StringComparison.Ordinal) =>
                $"gives {Quoted(command)} {Quoted(words[2..])}\n",
            _ when words.StartsWith("fails", StringComparison.Ordinal) => $"fails {Quoted(command)}\n",
            _ => $"run {Quoted(command)}\n",
        };
    }

    // What "dotnet run" would build first; ./test has built it.
    private static string Built(string sample) =>
        Repository.At("samples", sample, "bin", "Release", "net10.0", sample);

    private static string Quoted(string text) => "'" + text.Replace("'", "'\\''") + "'";

    private static async Task<(int Code, string Said)> RunAsync(string script)
    {
        var start = new ProcessStartInfo(
            "unshare", ["--net", "--uts", "--pid", "--fork", "--mount-proc", "--kill-child", "bash", "-s"])
        {
            UseShellExecute = false,
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        start.Environment["PATH"] =
            $"{Path.GetDirectoryName(Path.GetFullPath(new AgentOptions().Executable))}:{start.Environment["PATH"]}";
        using var run = Process.Start(start)!;
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(TestContext.Current.CancellationToken);
        limit.CancelAfter(Limit);
        var output = run.StandardOutput.ReadToEndAsync(limit.Token);
        var errors = run.StandardError.ReadToEndAsync(limit.Token);
        try
        {
            await run.StandardInput.WriteAsync(script.AsMemory(), limit.Token);
            run.StandardInput.Close();
            await run.WaitForExitAsync(limit.Token);
            return (run.ExitCode, await output + await errors);
        }
        finally
        {
            if (!run.HasExited)
            {
                run.Kill(entireProcessTree: true);
            }
        }
    }

    [GeneratedRegex("^<!-- run -->\n```\n(?<text>.*?)^```$",
        RegexOptions.ExplicitCapture | RegexOptions.Singleline | RegexOptions.Multiline, 1000)]
    private static partial Regex BlockText();

    [GeneratedRegex("<<'(?<end>[A-Z]+)'$", RegexOptions.ExplicitCapture, 1000)]
    private static partial Regex HereText();

    [GeneratedRegex("-bind=(?<address>[0-9.]+)", RegexOptions.ExplicitCapture, 1000)]
    private static partial Regex BindText();

    [GeneratedRegex("^dotnet run --project samples/(?<name>[a-z]+) -c Release &$", RegexOptions.ExplicitCapture, 1000)]
    private static partial Regex SampleText();

    [GeneratedRegex(@"\]\((?<path>[^)#]+)\)", RegexOptions.ExplicitCapture, 1000)]
    private static partial Regex LinkText();
}
