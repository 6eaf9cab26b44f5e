using System.Globalization;
using Praetor.Client;
using Praetor.CommandLine;

namespace Praetor.Commands;

internal sealed class RttCommand : Command
{
    private readonly HttpFlags _http;
    private readonly Flag<bool> _wan;

    public RttCommand()
    {
        _http = new HttpFlags(Flags, HttpGroups.Client);
        _wan = Flags.Bool("wan", "Between servers of any datacenter, named node.datacenter.");
    }

    public override string Arguments => "[options] NODE [NODE]";

    public override Candidates Offer => Candidates.Nodes;

    public override string About => """
        Estimates the round trip between two nodes, or between a node and the agent's own, from what they
        measured while they gossiped. Nothing is sent to them.

            $ praetor rtt web-1 db-1
            $ praetor rtt -wan server-1.dc1 server-1.dc2
        """;

    public override async Task<int> RunAsync(Shell shell, IReadOnlyList<string> arguments, CancellationToken stop)
    {
        if (arguments.Count is < 1 or > 2)
        {
            throw new CommandException("One or two node names must be specified") { ShowHelp = true };
        }

        using var client = _http.Connect(shell);
        var (from, to) = (arguments[0], arguments.Count > 1 ? arguments[1] : await OwnAsync(client, stop));
        var (a, b) = _wan.Value
            ? await OfServersAsync(client, from, to, stop)
            : await OfNodesAsync(client, from, to, stop);
        var trip = (a ?? throw Missing(from)).DistanceTo(b ?? throw Missing(to)) ?? throw Missing(to);
        var shown = trip.TotalMilliseconds.ToString("F3", CultureInfo.InvariantCulture);
        shell.Say($"Estimated {from} <-> {to} rtt: {shown} ms (using {(_wan.Value ? "WAN" : "LAN")} coordinates)");
        return 0;
    }

    private static CommandException Missing(string node) => new($"Could not find a coordinate for node \"{node}\"");

    private async Task<string> OwnAsync(PraetorClient client, CancellationToken stop)
    {
        var self = await client.AgentSelfAsync(stop).OrFail("Unable to look up agent info");
        var node = self.Config.GetProperty("NodeName").GetString();
        return _wan.Value ? $"{node}.{self.Config.GetProperty("Datacenter").GetString()}" : $"{node}";
    }

    private static async Task<(Coordinate? From, Coordinate? To)> OfNodesAsync(
        PraetorClient client, string from, string to, CancellationToken stop)
    {
        var all = (await client.CoordinatesAsync(stop: stop).OrFail("Error getting coordinates")).Value ?? [];
        var (ofFrom, ofTo) = (Of(all, from), Of(all, to));
        if (ofFrom.Count == 0 || ofTo.Count == 0)
        {
            return (ofFrom.FirstOrDefault()?.Coord, ofTo.FirstOrDefault()?.Coord);
        }

        // A server has a place in each segment; only two in the same can be compared.
        var pair = ofFrom.Join(ofTo, static c => c.Segment, static c => c.Segment, static (a, b) => (a.Coord, b.Coord))
            .FirstOrDefault();
        return pair;
    }

    private static List<NodeCoordinate> Of(IEnumerable<NodeCoordinate> all, string node) =>
        all.Where(c => string.Equals(c.Node, node, StringComparison.OrdinalIgnoreCase)).ToList();

    private static async Task<(Coordinate? From, Coordinate? To)> OfServersAsync(
        PraetorClient client, string from, string to, CancellationToken stop)
    {
        if (from.Split('.') is not [var node1, var dc1] || to.Split('.') is not [var node2, var dc2])
        {
            throw new CommandException("Node names must be specified as <node name>.<datacenter> with -wan");
        }

        var all = await client.DatacenterCoordinatesAsync(stop).OrFail("Error getting coordinates");
        var places =
            from a in all
            where a.Datacenter == dc1
            from first in Of(a.Coordinates, node1)
            from b in all
            where b.Datacenter == dc2 && b.AreaID == a.AreaID
            from second in Of(b.Coordinates, node2)
            select (first.Coord, second.Coord);
        return places.FirstOrDefault();
    }
}
