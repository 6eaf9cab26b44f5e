using System.Text;

namespace Praetor.CommandLine;

/// <summary>Help texts: of the program, of a group, of a command.</summary>
internal sealed class Usage(IReadOnlyList<CommandRow> table)
{
    private const int LineWidth = 76;
    private const string TextMargin = "  ";
    private const string FlagMargin = "     ";

    /// <summary>The commands and groups directly below a group.</summary>
    public IEnumerable<CommandRow> Below(CommandRow group) => table.Where(row =>
        row.Name.Length > group.Name.Length
        && row.Name.StartsWith(group.Name + " ", StringComparison.Ordinal)
        && row.Name.IndexOf(' ', group.Name.Length + 1) < 0);

    /// <summary>Help of the whole program.</summary>
    public string OfProgram(string program)
    {
        var text = new StringBuilder(
            $"Usage: {program} [--version] [--help] <command> [<args>]\n\nAvailable commands are:\n");
        AppendList(text, table.Where(row => !row.Name.Contains(' ', StringComparison.Ordinal)));
        return text.Append('\n').ToString();
    }

    /// <summary>Help of a command or, without one, of a group.</summary>
    public string Of(CommandRow row, Command? command, string program)
    {
        var text = new StringBuilder();
        if (command is null)
        {
            text.Append($"Usage: {program} {row.Name} <subcommand> [options] [args]\n\n");
            AppendAbout(text, row.About.Length > 0 ? row.About : row.Summary + ".", program);
            text.Append("\nSubcommands:\n\n");
            AppendList(text, Below(row));
            return text.ToString().TrimEnd('\n');
        }

        text.Append($"Usage: {program} {row.Name} {command.Arguments}".TrimEnd()).Append("\n\n");
        AppendAbout(text, command.About, program);
        var forAgent = HttpFlagsOf(command).ToList();
        AppendFlags(text, "Flags", command.Flags.All.Except(forAgent));
        AppendFlags(text, "Flags for talking to the agent", forAgent);
        return text.ToString().TrimEnd('\n');
    }

    /// <summary>The list of flags that Go prints when it does not understand one.</summary>
    public static string OfFlags(FlagSet flags)
    {
        var text = new StringBuilder("Usage:\n");
        foreach (var flag in flags.All)
        {
            text.Append($"  -{flag.Name}{(flag.IsSwitch ? "" : " " + flag.ValueName)}\n    \t{flag.Help}\n");
        }

        return text.ToString();
    }

    private static IEnumerable<Flag> HttpFlagsOf(Command command) =>
        command.Flags.TryFind("http-addr", out _)
            ? command.Flags.All.Where(flag => HttpFlags.Names.Contains(flag.Name))
            : [];

    private static void AppendList(StringBuilder text, IEnumerable<CommandRow> rows)
    {
        var listed = rows.OrderBy(row => row.Name, StringComparer.Ordinal).ToList();
        var width = listed.Count == 0 ? 0 : listed.Max(row => row.LastWord.Length);
        foreach (var row in listed)
        {
            text.Append($"    {row.LastWord.PadRight(width)}    {row.Summary}\n");
        }
    }

    private static void AppendFlags(StringBuilder text, string title, IEnumerable<Flag> flags)
    {
        var listed = flags.ToList();
        if (listed.Count == 0)
        {
            return;
        }

        text.Append($"\n{title}\n");
        foreach (var flag in listed)
        {
            text.Append($"\n  -{flag.Name}{(flag.IsSwitch ? "" : $"=<{flag.ValueName}>")}\n");
            AppendWrapped(text, flag.Help, FlagMargin);
        }
    }

    // Examples call the program by the name that it was called by; pipes call it again.
    private static void AppendAbout(StringBuilder text, string about, string program) => AppendText(text, about
        .Replace("$ praetor ", $"$ {program} ", StringComparison.Ordinal)
        .Replace("| praetor ", $"| {program} ", StringComparison.Ordinal));

    // Paragraphs are separated by empty lines; a line that starts with a space is an example and stays as it is.
    private static void AppendText(StringBuilder text, string about)
    {
        var paragraph = new StringBuilder();
        foreach (var line in about.TrimEnd('\n').Split('\n'))
        {
            if (line.Length > 0 && line[0] != ' ')
            {
                paragraph.Append(line).Append(' ');
                continue;
            }

            EndParagraph(text, paragraph);
            text.Append(line.Length == 0 ? "" : TextMargin).Append(line).Append('\n');
        }

        EndParagraph(text, paragraph);
    }

    private static void EndParagraph(StringBuilder text, StringBuilder paragraph)
    {
        if (paragraph.Length > 0)
        {
            AppendWrapped(text, paragraph.ToString(), TextMargin);
            paragraph.Clear();
        }
    }

    private static void AppendWrapped(StringBuilder text, string paragraph, string margin)
    {
        var line = new StringBuilder(margin);
        foreach (var word in paragraph.Split(' ', StringSplitOptions.RemoveEmptyEntries))
        {
            if (line.Length > margin.Length && line.Length + word.Length >= LineWidth)
            {
                text.Append(line.ToString().TrimEnd()).Append('\n');
                line.Clear().Append(margin);
            }

            line.Append(word).Append(' ');
        }

        text.Append(line.ToString().TrimEnd()).Append('\n');
    }
}
