namespace Praetor.CommandLine;

/// <summary>What can stand where a value is wanted; completion offers it.</summary>
internal enum Candidates
{
    None,
    Files,
    Services,
    ServiceIds,
    Nodes,
    Keys,
    ConfigKinds,
    LogLevels,
    Datacenters,
}

/// <summary>A flag of a command: its name, what it is for, and the text given for it.</summary>
internal abstract class Flag(string name, string valueName, string help)
{
    public string Name { get; } = name;

    /// <summary>What help calls the value. Empty: a switch, which needs none.</summary>
    public string ValueName { get; } = valueName;

    public string Help { get; } = help;

    public bool IsSwitch => ValueName.Length == 0;

    /// <summary>Whether it was given.</summary>
    public bool IsSet { get; private set; }

    /// <summary>What completion offers as its value.</summary>
    public Candidates Candidates { get; init; }

    /// <summary>Fixed values that completion offers.</summary>
    public IReadOnlyList<string> Choices { get; init; } = [];

    /// <summary>Takes a text; null, or what is wrong with it, in the words of Go's flag library.</summary>
    public string? Take(string text)
    {
        var problem = Read(text);
        IsSet |= problem is null;
        return problem;
    }

    protected abstract string? Read(string text);
}

/// <summary>Reads a text into a value that may have one already; null, or what is wrong with the text.</summary>
internal delegate string? FlagReader<T>(string text, ref T value);

/// <summary>A flag with a value of a type.</summary>
internal sealed class Flag<T>(string name, string valueName, string help, T initial, FlagReader<T> reader)
    : Flag(name, valueName, help)
{
    private T _value = initial;

    public T Value => _value;

    protected override string? Read(string text) => reader(text, ref _value);
}
