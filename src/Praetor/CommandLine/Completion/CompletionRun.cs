namespace Praetor.CommandLine.Completion;

/// <summary>Answers a shell that asks how a line can go on: it runs the program with the line in COMP_LINE.</summary>
internal static class CompletionRun
{
    /// <summary>How long a key press may wait for names from the agent.</summary>
    private static readonly TimeSpan WaitMax = TimeSpan.FromMilliseconds(200);

    /// <param name="shell">Where the words go, one a line.</param>
    /// <param name="line">COMP_LINE.</param>
    /// <param name="arguments">What bash calls with: program, the part to replace, the word before.</param>
    /// <param name="table">All commands.</param>
    /// <param name="kinds">The kinds of config entries.</param>
    public static async Task<int> AnswerAsync(
        Shell shell, string line, IReadOnlyList<string> arguments, IReadOnlyList<CommandRow> table,
        IReadOnlyList<string> kinds)
    {
        var read = CompletionLine.Read(line, shell.Environment("COMP_POINT"));
        using var limit = new CancellationTokenSource(WaitMax, shell.Time);
        var values = new LiveValues(shell, kinds, read.Done);
        var found = await new Completer(table, values.FindAsync).CompleteAsync(read, limit.Token);

        // Bash breaks words at = and : and replaces the last piece only, so that is what it must be given.
        var kept = arguments.Count > 1 && read.Current.EndsWith(arguments[1], StringComparison.Ordinal)
            ? read.Current.Length - arguments[1].Length
            : 0;
        foreach (var word in found)
        {
            shell.Say(word[kept..]);
        }

        await shell.Out.FlushAsync(CancellationToken.None);
        return 0;
    }
}
