namespace Praetor.CommandLine;

/// <summary>Finds the command that a command line means, reads its flags and runs it.</summary>
internal sealed class Launcher(IReadOnlyList<CommandRow> table, string version)
{
    /// <summary>What shells use for commands that do not exist, and Consul does, too.</summary>
    private const int NoSuchCommand = 127;

    private readonly Usage _usage = new(table);

    public async Task<int> RunAsync(Shell shell, IReadOnlyList<string> line, CancellationToken stop)
    {
        try
        {
            return await DispatchAsync(shell, line, stop);
        }
        finally
        {
            await shell.Out.FlushAsync(CancellationToken.None);
        }
    }

    /// <summary>The row whose name is the longest that the line begins with; null when there is none.</summary>
    public static CommandRow? Find(IReadOnlyList<CommandRow> table, IReadOnlyList<string> words) =>
        table.Where(row => BeginsWith(words, row.Name.Split(' '))).MaxBy(row => row.Name.Length);

    private static bool BeginsWith(IReadOnlyList<string> words, string[] name) =>
        words.Count >= name.Length && words.Take(name.Length).SequenceEqual(name, StringComparer.Ordinal);

    private async Task<int> DispatchAsync(Shell shell, IReadOnlyList<string> line, CancellationToken stop)
    {
        if (AsksForVersion(shell, line))
        {
            return await DispatchAsync(shell, [version], stop);
        }

        if (line.Count > 0 && line[0] == "help" && !shell.IsConsul)
        {
            return Help(shell, line.Skip(1).ToList());
        }

        var flagsInFront = line.TakeWhile(word => word.StartsWith('-')).ToList();
        var words = line.Skip(flagsInFront.Count).ToList();
        var wantsHelp = line.TakeWhile(word => word != "--").Any(word => word is "-h" or "-help" or "--help");
        if (wantsHelp && words.Count == 0)
        {
            shell.Out.Write(_usage.OfProgram(shell.Program));
            return 0;
        }

        var row = Find(table, words);
        if (row is null)
        {
            return Unknown(shell, words);
        }

        if (wantsHelp)
        {
            shell.Out.WriteLine(_usage.Of(row, row.Make?.Invoke(), shell.Program));
            return 0;
        }

        if (flagsInFront.Count > 0)
        {
            shell.Error.WriteLine("Invalid flags before the subcommand. If these flags are for\n"
                + "the subcommand, please put them after the subcommand.");
            return 1;
        }

        var rest = words.Skip(row.Name.Split(' ').Length).ToList();
        return row.Make is null ? Group(shell, row, rest) : await RunAsync(shell, row, rest, stop);
    }

    private static bool AsksForVersion(Shell shell, IReadOnlyList<string> line)
    {
        var looked = line.TakeWhile(word => word != "--");
        looked = shell.IsConsul ? looked : looked.Take(1);
        return looked.Any(word => word is "-v" or "--version");
    }

    private int Help(Shell shell, IReadOnlyList<string> topic)
    {
        if (topic.Count == 0)
        {
            shell.Out.Write(_usage.OfProgram(shell.Program));
            return 0;
        }

        if (Find(table, topic) is not { } row)
        {
            return Unknown(shell, topic);
        }

        shell.Out.WriteLine(_usage.Of(row, row.Make?.Invoke(), shell.Program));
        return 0;
    }

    private int Unknown(Shell shell, IReadOnlyList<string> words)
    {
        if (shell.IsConsul || words.Count == 0)
        {
            shell.Error.Write(_usage.OfProgram(shell.Program));
            return NoSuchCommand;
        }

        shell.Error.WriteLine($"praetor: there is no command '{words[0]}'.");
        Suggest(shell, words[0], table.Select(row => row.Name.Split(' ')[0]).Distinct(StringComparer.Ordinal));
        shell.Error.WriteLine("All commands: praetor help");
        return NoSuchCommand;
    }

    private int Group(Shell shell, CommandRow row, List<string> rest)
    {
        if (rest.Count > 0 && !shell.IsConsul)
        {
            shell.Error.WriteLine($"praetor: there is no command '{row.Name} {rest[0]}'.");
            Suggest(shell, rest[0], _usage.Below(row).Select(below => below.LastWord));
        }

        shell.Error.WriteLine(_usage.Of(row, command: null, shell.Program));
        return 1;
    }

    private async Task<int> RunAsync(Shell shell, CommandRow row, List<string> rest, CancellationToken stop)
    {
        var command = row.Make!();
        var line = command.ReadsOwnLine
            ? new ParsedLine(rest, Problem: null, Unknown: null)
            : new FlagParser(command.Flags, lenient: !shell.IsConsul && !command.TakesCommandLine).Parse(rest);
        if (line.Problem is not null)
        {
            SayProblem(shell, row, command, line);
            return 1;
        }

        try
        {
            return await command.RunAsync(shell, line.Arguments, stop);
        }
        catch (CommandException failure)
        {
            await shell.Out.FlushAsync(CancellationToken.None);
            Say(shell, row, command, failure);
            return failure.Code;
        }
        catch (OperationCanceledException) when (stop.IsCancellationRequested)
        {
            return 1;
        }
    }

    private void Say(Shell shell, CommandRow row, Command command, CommandException failure)
    {
        if (failure.Message.Length > 0)
        {
            shell.Error.WriteLine(failure.Message);
        }

        if (failure.ShowHelp)
        {
            if (failure.Message.Length > 0)
            {
                shell.Error.WriteLine();
            }

            shell.Error.WriteLine(_usage.Of(row, command, shell.Program));
        }

        if (failure.Hint is not null && shell.ForPeople)
        {
            shell.Error.WriteLine($"hint: {failure.Hint}");
        }
    }

    private void SayProblem(Shell shell, CommandRow row, Command command, ParsedLine line)
    {
        shell.Error.WriteLine(line.Problem);
        if (shell.IsConsul)
        {
            shell.Error.Write(Usage.OfFlags(command.Flags));
            return;
        }

        if (line.Unknown is not null)
        {
            Suggest(shell, line.Unknown, command.Flags.All.Select(flag => flag.Name), "-");
        }

        shell.Error.WriteLine($"All flags: {shell.Program} {row.Name} -h");
    }

    private static void Suggest(Shell shell, string word, IEnumerable<string> known, string prefix = "")
    {
        if (Spelling.Nearest(word, known) is { } meant)
        {
            shell.Error.WriteLine($"Did you mean '{prefix}{meant}'?");
        }
    }
}
