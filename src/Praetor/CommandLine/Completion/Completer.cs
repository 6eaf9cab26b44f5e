namespace Praetor.CommandLine.Completion;

/// <summary>Finds the values that stand for <see cref="Candidates"/>, for example by asking the agent.</summary>
internal delegate Task<IReadOnlyList<string>> ValueFinder(Candidates wanted, string typed, CancellationToken stop);

/// <summary>Says how a word of a command line can go on: commands, flags, values.</summary>
internal sealed class Completer(IReadOnlyList<CommandRow> table, ValueFinder find)
{
    /// <summary>The whole words that the current one can become.</summary>
    public async Task<IReadOnlyList<string>> CompleteAsync(CompletionLine line, CancellationToken stop)
    {
        var row = Launcher.Find(table, line.Done);
        var command = row?.Make?.Invoke();
        var found = command is null
            ? NextWords(line)
            : await OfCommandAsync(command, line, stop);
        return
        [
            .. found.Where(word => word.StartsWith(line.Current, StringComparison.Ordinal))
                .Distinct(StringComparer.Ordinal)
                .Order(StringComparer.Ordinal),
        ];
    }

    private IEnumerable<string> NextWords(CompletionLine line)
    {
        var depth = line.Done.Count;
        if (depth == 0 && line.Current.StartsWith('-'))
        {
            return ["-help", "-version", "-autocomplete-install", "-autocomplete-uninstall"];
        }

        return table
            .Select(row => row.Name.Split(' '))
            .Where(name => name.Length > depth && name.Take(depth).SequenceEqual(line.Done, StringComparer.Ordinal))
            .Select(name => name[depth]);
    }

    private async Task<IEnumerable<string>> OfCommandAsync(Command command, CompletionLine line, CancellationToken stop)
    {
        if (AwaitingValue(command, line.Done) is { } flag)
        {
            return await ValuesAsync(flag, line.Current, stop);
        }

        if (!line.Current.StartsWith('-'))
        {
            return await find(command.Offer, line.Current, stop);
        }

        var equals = line.Current.IndexOf('=', StringComparison.Ordinal);
        if (equals < 0)
        {
            return command.Flags.All.Select(each => "-" + each.Name).Append("-help");
        }

        var (name, typed) = (line.Current[..equals].TrimStart('-'), line.Current[(equals + 1)..]);
        if (!command.Flags.TryFind(name, out var given))
        {
            return [];
        }

        var values = await ValuesAsync(given, typed, stop);
        return values.Select(value => $"{line.Current[..(equals + 1)]}{value}");
    }

    private static Flag? AwaitingValue(Command command, IReadOnlyList<string> done)
    {
        var last = done.Count > 0 ? done[^1] : "";
        if (last.Length < 2 || last[0] != '-' || last.Contains('=', StringComparison.Ordinal))
        {
            return null;
        }

        return command.Flags.TryFind(last.TrimStart('-'), out var flag) && !flag.IsSwitch ? flag : null;
    }

    private async Task<IEnumerable<string>> ValuesAsync(Flag flag, string typed, CancellationToken stop) =>
        flag.Choices.Count > 0 ? flag.Choices : await find(flag.Candidates, typed, stop);
}
