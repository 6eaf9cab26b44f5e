namespace Praetor.Agent.Config;

/// <summary>What kind of value a key takes.</summary>
public enum SettingKind
{
    /// <summary>A text.</summary>
    Text,

    /// <summary>true or false.</summary>
    Flag,

    /// <summary>A whole number.</summary>
    Whole,

    /// <summary>A number.</summary>
    Real,

    /// <summary>A duration as Go writes it.</summary>
    Duration,

    /// <summary>A list of texts; several sources append.</summary>
    Texts,

    /// <summary>Names with texts; several sources merge.</summary>
    TextMap,

    /// <summary>Names with durations; several sources merge.</summary>
    DurationMap,

    /// <summary>One or several blocks with keys of their own; several sources append.</summary>
    Blocks,

    /// <summary>A block that is kept as written; several sources merge by key.</summary>
    Free,
}

/// <summary>One key of the agent's configuration: the row of the table that everything about it comes from.</summary>
/// <param name="Key">Dotted path in files.</param>
/// <param name="Kind">What it takes.</param>
/// <param name="Default">Value when nobody sets it, written as in a file. Null: none.</param>
/// <param name="Help">One line for people, with the unit.</param>
public sealed record Setting(string Key, SettingKind Kind, string? Default, string Help)
{
    /// <summary>Name of the command-line flag. Null: there is none.</summary>
    public string? FlagName { get; init; }

    /// <summary>What is wrong with a value. Null result: nothing.</summary>
    public Func<object, string?>? Check { get; init; }

    /// <summary>What to do when <see cref="Check"/> found something.</summary>
    public string Remedy { get; init; } = "";

    /// <summary>A reload applies it.</summary>
    public bool IsReloadable { get; init; }

    /// <summary>It does something already.</summary>
    public bool HasEffect { get; init; } = true;

    /// <summary>A secret: its value is shown nowhere.</summary>
    public bool IsSecret { get; init; }

    /// <summary>For a key that goes out of use: what to use instead. Null: it stays.</summary>
    public string? ReplacedBy { get; init; }

    /// <summary>Other names of the same key in files.</summary>
    public string? Alias { get; init; }

    internal Setting ByFlag(string flag) => this with { FlagName = flag };

    internal Setting Later() => this with { HasEffect = false };

    internal Setting Reloads() => this with { IsReloadable = true };

    internal Setting Secret() => this with { IsSecret = true };

    internal Setting Old(string replacement) => this with { ReplacedBy = replacement };

    internal Setting Checked(Func<object, string?> check, string remedy) => this with { Check = check, Remedy =
        remedy };
}
