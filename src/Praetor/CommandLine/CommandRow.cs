namespace Praetor.CommandLine;

/// <summary>A command in the table: its name with the groups it is in, one line about it, and how it is made.</summary>
/// <param name="Name">Words with a space between them: <c>kv put</c>.</param>
/// <param name="Summary">One line for lists.</param>
/// <param name="Make">Makes the command. Null: it is a group, and prints what is in it.</param>
internal sealed record CommandRow(string Name, string Summary, Func<Command>? Make)
{
    /// <summary>A group's own words, above the list of its commands.</summary>
    public string About { get; init; } = "";

    /// <summary>The name's last word.</summary>
    public string LastWord => Name[(Name.LastIndexOf(' ') + 1)..];
}
