using System.Globalization;
using System.Text.RegularExpressions;
using Languages;
using Praetor.Client;
using Praetor.CommandLine;

namespace Praetor.Commands;

internal sealed class MembersCommand : Command
{
    private const int NobodyMatches = 2;
    private static readonly string[] States = ["none", "alive", "leaving", "left", "failed"];

    private readonly HttpFlags _http;
    private readonly OutputFlags _output;
    private readonly Flag<bool> _detailed;
    private readonly Flag<bool> _wan;
    private readonly Flag<string> _status;
    private readonly Flag<string> _segment;
    private readonly Flag<string> _filter;

    public MembersCommand()
    {
        _http = new HttpFlags(Flags, HttpGroups.Client);
        _output = new OutputFlags(Flags);
        _detailed = Flags.Bool("detailed", "Print all tags of each member.");
        _wan = Flags.Bool("wan", "Print the servers of all datacenters.");
        _status = Flags.String(
            "status", "Print only members whose status matches this regular expression.", initial: ".*");
        _segment = Flags.String("segment", "Print only members of this network segment.", initial: "_all");
        _filter = Flags.String("filter", "Print only members that fit this filter expression.");
    }

    public override string About => """
        Lists the agents of the cluster, as the agent asked sees them. Exit code 2: none matches.

            $ praetor members
            $ praetor members -status='failed|left'
        """;

    public override async Task<int> RunAsync(Shell shell, IReadOnlyList<string> arguments, CancellationToken stop)
    {
        var status = StatusPattern();
        using var client = _http.Connect(shell);
        var filter = _filter.Value.Length > 0 ? _filter.Value : null;
        var all = await client.MembersAsync(_wan.Value, _segment.Value, filter, stop)
            .OrFail("Error retrieving members");
        var members = all
            .Where(member => status.IsMatch(StateOf(member)))
            .OrderBy(member => member.Tag("segment") is "<all>" ? "" : member.Tag("segment"), StringComparer.Ordinal)
            .ThenBy(member => member.Name, StringComparer.Ordinal)
            .ToArray();
        if (members.Length == 0)
        {
            return NobodyMatches;
        }

        if (_output.IsJson)
        {
            OutputFlags.Print(shell, members, OutputJson.Default.AgentMemberArray);
            return 0;
        }

        shell.Say(_detailed.Value ? Detailed(members) : Standard(members));
        return 0;
    }

    private static Columns Standard(AgentMember[] members)
    {
        var table = new Columns("Node", "Address", "Status", "Type", "Build", "Protocol", "DC", "Partition", "Segment");
        foreach (var member in members)
        {
            table.Add(
                member.Name,
                AddressOf(member),
                StateOf(member),
                TypeOf(member),
                BuildOf(member),
                member.Tag("vsn"),
                member.Tag("dc"),
                member.Tag("ap") is { Length: > 0 } partition ? partition : "default",
                SegmentOf(member));
        }

        return table;
    }

    private static Columns Detailed(AgentMember[] members)
    {
        var table = new Columns("Node", "Address", "Status", "Tags");
        foreach (var member in members)
        {
            var tags = member.Tags
                .Select(tag => tag.Key == "segment" ? $"segment={SegmentOf(member)}" : $"{tag.Key}={tag.Value}")
                .Order(StringComparer.Ordinal);
            table.Add(member.Name, AddressOf(member), StateOf(member), string.Join(',', tags));
        }

        return table;
    }

    private static string AddressOf(AgentMember member)
    {
        var host = member.Addr.Contains(':', StringComparison.Ordinal) ? $"[{member.Addr}]" : member.Addr;
        return string.Create(CultureInfo.InvariantCulture, $"{host}:{member.Port}");
    }

    private static string StateOf(AgentMember member) =>
        member.Status >= 0 && member.Status < States.Length ? States[member.Status] : States[0];

    private static string TypeOf(AgentMember member) => member.Tag("role") switch
    {
        "node" => "client",
        "consul" => "server",
        _ => "unknown",
    };

    private static string BuildOf(AgentMember member)
    {
        var build = member.Tag("build");
        return build.Length == 0 ? "< 0.3" : build.Split(':')[0];
    }

    // Servers are in every segment; they announce that by an empty name.
    private static string SegmentOf(AgentMember member) =>
        member.Tag("segment") is { Length: > 0 } segment ? segment
        : member.Tag("role") == "consul" ? "<all>"
        : "<default>";

    private Regex StatusPattern()
    {
        return GoRegex.TryCreate(_status.Value, out var pattern, out var problem)
            ? pattern!
            : throw new CommandException($"Failed to compile status regexp: {problem}");
    }
}
