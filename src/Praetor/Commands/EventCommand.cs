using System.Text;
using Languages;
using Praetor.Client;
using Praetor.CommandLine;

namespace Praetor.Commands;

internal sealed class EventCommand : Command
{
    private readonly HttpFlags _http;
    private readonly Flag<string> _name;
    private readonly EventFilterFlags _filters;

    public EventCommand()
    {
        // Consul's 1.8 has no -datacenter here, but its server takes one.
        _http = new HttpFlags(Flags, HttpGroups.Client);
        _name = Flags.String("name", "Name of the event.");
        _filters = new EventFilterFlags(Flags);
    }

    public override string Arguments => "[options] [PAYLOAD]";

    public override string About => """
        Fires an event that every agent of the datacenter hears of, or those that the filters match. Watches
        of type event react to it. Name, payload and filters together must fit into about 400 bytes.

            $ praetor event -name=deploy 1.2.3
            $ praetor event -name=restart -service='^web' -tag=canary
        """;

    public override async Task<int> RunAsync(Shell shell, IReadOnlyList<string> arguments, CancellationToken stop)
    {
        if (_name.Value.Length == 0)
        {
            throw new CommandException("Event name must be specified") { ShowHelp = true };
        }

        _filters.Judge();
        if (arguments.Count > 1)
        {
            throw new CommandException("Too many command line arguments.") { ShowHelp = true };
        }

        using var client = _http.Connect(shell);
        await client.AgentSelfAsync(stop).OrFail("Error querying Consul agent");
        var wanted = _filters.Apply(new UserEvent
        {
            Name = _name.Value,
            Payload = arguments.Count > 0 ? Encoding.UTF8.GetBytes(arguments[0]) : null,
        });
        var id = await client.FireEventAsync(wanted, stop).OrFail("Error firing event");
        shell.Say($"Event ID: {id}");
        return 0;
    }
}

/// <summary>The flags that say which nodes an event is for.</summary>
internal sealed class EventFilterFlags(FlagSet flags)
{
    private readonly Flag<string> _node = flags.String("node", "Regular expression on names of nodes.");
    private readonly Flag<string> _service = flags.String("service", "Regular expression on ids of services.");

    private readonly Flag<string> _tag =
        flags.String("tag", "Regular expression on tags of these services; needs -service.");

    /// <summary>Refuses what cannot be read.</summary>
    /// <exception cref="CommandException">A filter cannot be.</exception>
    public void Judge()
    {
        foreach (var flag in (ReadOnlySpan<Flag<string>>)[_node, _service, _tag])
        {
            if (!GoRegex.TryCreate(flag.Value, out _, out var problem))
            {
                throw new CommandException($"Failed to compile {flag.Name} filter regexp: {problem}");
            }
        }

        if (_tag.Value.Length > 0 && _service.Value.Length == 0)
        {
            throw new CommandException("Cannot provide tag filter without service filter.");
        }
    }

    public UserEvent Apply(UserEvent wanted) => wanted with
    {
        NodeFilter = _node.Value,
        ServiceFilter = _service.Value,
        TagFilter = _tag.Value,
    };
}
