namespace Praetor.CommandLine;

/// <summary>One command: its flags, its help, and what it does.</summary>
internal abstract class Command
{
    public FlagSet Flags { get; } = new();

    /// <summary>What stands after the command's name in its usage line.</summary>
    public virtual string Arguments => "[options]";

    /// <summary>What it does and how it is used, for people; paragraphs are wrapped, indented lines kept.</summary>
    public abstract string About { get; }

    /// <summary>Whether it is given every word behind its name, flags and all.</summary>
    public virtual bool ReadsOwnLine => false;

    /// <summary>Whether its arguments are another command's line, whose flags are not for us.</summary>
    public virtual bool TakesCommandLine => false;

    /// <summary>What completion offers for its arguments.</summary>
    public virtual Candidates Offer => Candidates.None;

    /// <summary>Does it.</summary>
    /// <param name="shell">Where input comes from and output goes.</param>
    /// <param name="arguments">What was given beside flags.</param>
    /// <param name="stop">Gives up; commands that wait for it end properly.</param>
    /// <returns>The exit code.</returns>
    /// <exception cref="CommandException">It did not come about.</exception>
    public abstract Task<int> RunAsync(Shell shell, IReadOnlyList<string> arguments, CancellationToken stop);

    /// <summary>Refuses more arguments than a command takes.</summary>
    protected static void RequireAtMost(int count, IReadOnlyList<string> arguments, string prefix = "")
    {
        if (arguments.Count > count)
        {
            throw new CommandException($"{prefix}Too many arguments (expected {count}, got {arguments.Count})");
        }
    }
}

/// <summary>A command failed; the message is printed as it is.</summary>
internal sealed class CommandException(string message, int code = 1) : Exception(message)
{
    public int Code { get; } = code;

    /// <summary>Whether the command's help follows the message.</summary>
    public bool ShowHelp { get; init; }

    /// <summary>What to do about it; shown to people only. Null: nothing to say.</summary>
    public string? Hint { get; init; }
}
