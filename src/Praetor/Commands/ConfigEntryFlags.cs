using Praetor.CommandLine;

namespace Praetor.Commands;

/// <summary>The flags that name a config entry.</summary>
internal sealed class ConfigEntryFlags(FlagSet flags)
{
    private readonly Flag<string> _kind = flags.String(
        "kind", "Kind of the config entry: service-defaults, service-intentions and so on.",
        offer: Candidates.ConfigKinds);

    private readonly Flag<string> _name = flags.String("name", "Name of the config entry.");

    public string Kind => _kind.Value;

    public string Name => _name.Value;

    /// <summary>Refuses an incomplete name.</summary>
    public void Require()
    {
        RequireKind(Kind);
        if (Name.Length == 0)
        {
            throw new CommandException("Must specify the -name parameter");
        }
    }

    public static void RequireKind(string kind)
    {
        if (kind.Length == 0)
        {
            throw new CommandException("Must specify the -kind parameter");
        }
    }
}
