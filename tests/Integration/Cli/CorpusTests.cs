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
        return Corpus.CompareAsync(Corpus.Ours, RealConsul.Executable);
    }
}

/// <summary>Our agent, asked by our executable: all that a user sees is ours.</summary>
public sealed class OurCliOnOurAgentTests
{
    [Fact]
    public Task Output_and_exit_codes_are_those_of_the_real_one() =>
        Corpus.CompareAsync(Corpus.Ours, Corpus.Ours);
}

/// <summary>Our agent gives the real command what it needs.</summary>
public sealed class RealCliOnOurAgentTests
{
    [Fact]
    public Task Output_and_exit_codes_are_those_of_the_real_one() =>
        Corpus.CompareAsync(RealConsul.Executable, Corpus.Ours);
}

/// <summary>Runs the calls of the corpus and compares with what the real Consul gave.</summary>
internal static partial class Corpus
{
    private static readonly TimeSpan RunLimit = TimeSpan.FromMinutes(10);

    // What is printed otherwise than by Consul, to the letter, each with the reason and with whose CLI and agent it is.
    private const string PrintedOtherwise = "differences.txt";

    // The same of standard error, whoever says it.
    private const string SaidOtherwise = "said.txt";

    private static string Folder => Path.Combine(Repository.Root, "tests", "Integration", "Cli", "Corpus");

    public static string Ours => new AgentOptions().Executable;

    public static async Task CompareAsync(string cli, string agent)
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
            Differences(recorded, Read(result), $"{NameOf(cli)} {NameOf(agent)}").ShouldBeEmpty();
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

    private static string NameOf(string executable) => executable == RealConsul.Executable ? "real" : "ours";

    private static List<string> Differences(List<Call> recorded, List<Call> ours, string pair)
    {
        ours.Count.ShouldBe(recorded.Count);
        var otherwise = Read(Path.Combine(Folder, PrintedOtherwise))
            .Where(call => call.Pairs.Split(", ").Contains(pair, StringComparer.Ordinal))
            .ToLookup(static call => call.Line, StringComparer.Ordinal);
        var said = Read(Path.Combine(Folder, SaidOtherwise)).Select(static call => (call.Line, call.Error)).ToHashSet();
        var found = otherwise.Select(static calls => calls.Key).Except(recorded.Select(static call => call.Line))
            .Select(static line => $"$ {line}\n  no such call any more: take it out of {PrintedOtherwise}").ToList();
        foreach (var (want, got) in recorded.Zip(ours))
        {
            got.Line.ShouldBe(want.Line);
            // A call that is made again may give what the real one gives by then.
            Call[] printed = !otherwise.Contains(want.Line) ? [want]
                : recorded.Count(call => call.Line == want.Line) == 1 ? [.. otherwise[want.Line]]
                : [want, .. otherwise[want.Line]];
            if (!printed.Any(call => (call.Output, call.Code) == (got.Output, got.Code)))
            {
                found.Add($"$ {want.Line}\n  got {got.Code}:\n{got.Output}\n"
                    + string.Concat(printed.Select(static call => $"  wanted {call.Code}:\n{call.Output}\n"))
                    + got.Error);
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
        var (line, pairs, output, error) = ("", "", new StringBuilder(), new StringBuilder());
        foreach (var text in File.ReadLines(path))
        {
            switch (text.Length == 0 ? ' ' : text[0])
            {
                case '$':
                    (line, output, error) = (text[2..], new StringBuilder(), new StringBuilder());
                    break;
                case '@':
                    pairs = text[2..];
                    break;
                case '=':
                    calls.Add(new Call(line, Mask(output.ToString()), Mask(error.ToString()), text[2..], pairs));
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
        masked = Revision().Replace(masked, "${name}<revision>");
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

    [GeneratedRegex("(?<name>Revision(\": \"| ))[0-9a-f]{8}\\b", RegexOptions.ExplicitCapture, 1000)]
    private static partial Regex Revision();

    [GeneratedRegex("(?<name>line 1:) +[0-9]+(?= Killed)", RegexOptions.ExplicitCapture, 1000)]
    private static partial Regex Killed();

    [GeneratedRegex(
        "[A-Z][a-z]+day, [0-9]{2}-[A-Z][a-z]{2}-[0-9]{2} [0-9:]+ UTC|[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9:.]+Z",
        RegexOptions.None, 1000)]
    private static partial Regex Time();

    /// <param name="Pairs">Whose CLI and agent print it, where that is said.</param>
    private sealed record Call(string Line, string Output, string Error, string Code, string Pairs);
}
