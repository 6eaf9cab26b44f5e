using System.Diagnostics;
using System.Text;
using System.Text.RegularExpressions;
using Shouldly;
using Support;
using Xunit;

namespace Integration.Cli;

/// <summary>Our executable, called consul, prints and exits as the real Consul 1.8.7 does.</summary>
public sealed class OurCliOnTheRealAgentTests
{
    // The same calls on our own agent take as long; of the two, that one is part of every run.
    [Fact]
    public Task Output_and_exit_codes_are_those_of_the_real_one()
    {
        Assert.SkipUnless(Environment.GetEnvironmentVariable("PRAETOR_LONG") == "1", "runs with ./test --long");
        return Corpus.CompareAsync(Corpus.Ours, RealConsul.Executable, Corpus.OfCli);
    }
}

/// <summary>Our agent, asked by our executable: all that a user sees is ours.</summary>
public sealed class OurCliOnOurAgentTests
{
    [Fact]
    public Task Output_and_exit_codes_are_those_of_the_real_one() =>
        Corpus.CompareAsync(Corpus.Ours, Corpus.Ours, Corpus.OfCli, Corpus.OfAgent);
}

/// <summary>Our agent gives the real command what it needs.</summary>
public sealed class RealCliOnOurAgentTests
{
    [Fact]
    public Task Output_and_exit_codes_are_those_of_the_real_one() =>
        Corpus.CompareAsync(RealConsul.Executable, Corpus.Ours, Corpus.OfAgent);
}

/// <summary>Runs the calls of the corpus and compares with what the real Consul gave.</summary>
internal static partial class Corpus
{
    private static readonly TimeSpan RunLimit = TimeSpan.FromMinutes(10);

    // What our CLI says in its own way, and where our agent is another than the real one.
    public const string OfCli = "differences.txt";
    public const string OfAgent = "differences-agent.txt";

    // What is said on standard error in another way than Consul does, to the letter, each with the reason.
    private const string SaidOtherwise = "said.txt";

    private static string Folder => Path.Combine(Repository.Root, "tests", "Integration", "Cli", "Corpus");

    public static string Ours => new AgentOptions().Executable;

    public static async Task CompareAsync(string cli, string agent, params string[] allowed)
    {
        Assert.SkipUnless(
            RealConsul.IsThere || (cli != RealConsul.Executable && agent != RealConsul.Executable), RealConsul.Missing);
        Assert.SkipUnless(AgentProcess.IsBuilt, "needs our executable, which ./test publishes");
        Assert.SkipUnless(Environment.UserName == "root", "needs root, to make a network namespace of its own");
        var result = Path.GetTempFileName();
        try
        {
            await RunCorpusAsync(cli, agent, result);
            var recorded = Read(Path.Combine(Folder, "recorded.txt"));
            recorded.Count.ShouldBeGreaterThan(100);
            Differences(recorded, Read(result), allowed).ShouldBeEmpty();
        }
        finally
        {
            File.Delete(result);
        }
    }

    private static async Task RunCorpusAsync(string cli, string agent, string result)
    {
        using var limit = new CancellationTokenSource(RunLimit, TimeProvider.System);
        var start = new ProcessStartInfo(Path.Combine(Folder, "run.sh"), [cli, agent, result])
        {
            UseShellExecute = false,
            RedirectStandardError = true,
            Environment = { ["CORPUS_LIMIT"] = "570" },
        };
        using var run = Process.Start(start) ?? throw new InvalidOperationException("the corpus did not start");
        var problems = await run.StandardError.ReadToEndAsync(limit.Token);
        await run.WaitForExitAsync(limit.Token);
        run.ExitCode.ShouldBe(0, problems);
    }

    private static List<string> Differences(List<Call> recorded, List<Call> ours, string[] files)
    {
        ours.Count.ShouldBe(recorded.Count);
        var allowed = files.SelectMany(static file => File.ReadLines(Path.Combine(Folder, file)))
            .Where(line => !line.StartsWith('#'))
            .Select(line => line.Split('\t'))
            .ToList();
        var said = Read(Path.Combine(Folder, SaidOtherwise)).Select(static call => (call.Line, call.Error)).ToHashSet();
        var found = new List<string>();
        foreach (var (want, got) in recorded.Zip(ours))
        {
            got.Line.ShouldBe(want.Line);
            var may = allowed.Where(row => want.Line.StartsWith(row[1], StringComparison.Ordinal))
                .SelectMany(row => row[0].Split(','))
                .ToHashSet(StringComparer.Ordinal);
            if (want.Code != got.Code && !may.Contains("code"))
            {
                found.Add($"$ {want.Line}\n  exit code {got.Code}, wanted {want.Code}\n{got.Error}");
            }

            if (want.Output != got.Output && !may.Contains("out"))
            {
                found.Add($"$ {want.Line}\n  got:\n{got.Output}\n  wanted:\n{want.Output}\n{got.Error}");
            }

            if (want.Error != got.Error && !said.Contains((got.Line, got.Error)))
            {
                found.Add($"$ {want.Line}\n  said:\n{got.Error}\n  wanted:\n{want.Error}");
            }
        }

        return found;
    }

    private static List<Call> Read(string path)
    {
        var calls = new List<Call>();
        var (line, output, error) = ("", new StringBuilder(), new StringBuilder());
        foreach (var text in File.ReadLines(path))
        {
            switch (text.Length == 0 ? ' ' : text[0])
            {
                case '$':
                    (line, output, error) = (text[2..], new StringBuilder(), new StringBuilder());
                    break;
                case '=':
                    calls.Add(new Call(line, Mask(output.ToString()), Mask(error.ToString()), text[2..]));
                    break;
                case '!':
                    error.Append(text).Append('\n');
                    break;
                case '>' or '\\':
                    output.Append(text).Append('\n');
                    break;
                default:
                    break;
            }
        }

        return calls;
    }

    // What is another one in every run: ids, indexes, times.
    private static string Mask(string text)
    {
        var masked = Uuid().Replace(text, "<uuid>");
        masked = ShortId().Replace(masked, "${name}<id>");
        masked = Index().Replace(masked, "${name}<index>");
        masked = Addresses().Replace(masked, "(<addresses>)");
        masked = Killed().Replace(masked, "${name} <pid>");
        return Time().Replace(masked, "<time>");
    }

    [GeneratedRegex("[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", RegexOptions.ExplicitCapture, 1000)]
    private static partial Regex Uuid();

    [GeneratedRegex("(?<name>> corpus +)[0-9a-f]{8}\\b", RegexOptions.ExplicitCapture, 1000)]
    private static partial Regex ShortId();

    [GeneratedRegex("(?<name>(Create|Modify)Index(\":)? *)[0-9]+", RegexOptions.ExplicitCapture, 1000)]
    private static partial Regex Index();

    [GeneratedRegex("\\(0x[^)]*\\)", RegexOptions.ExplicitCapture, 1000)]
    private static partial Regex Addresses();

    [GeneratedRegex("(?<name>line 1:) +[0-9]+(?= Killed)", RegexOptions.ExplicitCapture, 1000)]
    private static partial Regex Killed();

    [GeneratedRegex(
        "[A-Z][a-z]+day, [0-9]{2}-[A-Z][a-z]{2}-[0-9]{2} [0-9:]+ UTC|[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9:.]+Z",
        RegexOptions.None, 1000)]
    private static partial Regex Time();

    private sealed record Call(string Line, string Output, string Error, string Code);
}
