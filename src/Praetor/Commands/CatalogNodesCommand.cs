using Praetor.Client;
using Praetor.CommandLine;

namespace Praetor.Commands;

internal sealed class CatalogNodesCommand : Command
{
    private const int ShortId = 8;
    private const string Doing = "Error listing nodes";

    private readonly HttpFlags _http;
    private readonly OutputFlags _output;
    private readonly Flag<bool> _detailed;
    private readonly Flag<string> _near;
    private readonly Flag<string> _service;
    private readonly Flag<string> _filter;
    private readonly Flag<SortedDictionary<string, string>> _nodeMeta;

    public CatalogNodesCommand()
    {
        _http = new HttpFlags(Flags, HttpGroups.All);
        _output = new OutputFlags(Flags);
        _detailed = Flags.Bool("detailed", "Print whole ids, all addresses and the metadata.");
        _near = Flags.String(
            "near", "Sort by distance from this node; _agent is the agent asked.", offer: Candidates.Nodes);
        _service = Flags.String(
            "service", "Print only nodes that have this service.", value: "service", offer: Candidates.Services);
        _filter = Flags.String("filter", "Print only nodes that fit this filter expression.");
        _nodeMeta = Flags.Pairs(
            "node-meta", "Print only nodes with this metadata. May be given again and again.", "key=value");
    }

    public override string About => """
        Lists the nodes in the catalog.

            $ praetor catalog nodes
            $ praetor catalog nodes -service=web -near=_agent
            $ praetor catalog nodes -filter='Meta.rack == "r1"'
        """;

    public override async Task<int> RunAsync(Shell shell, IReadOnlyList<string> arguments, CancellationToken stop)
    {
        RequireAtMost(0, arguments);
        using var client = _http.Connect(shell);
        var nodes = await ReadAsync(client, stop).OrFail(Doing);
        if (_output.IsJson)
        {
            OutputFlags.Print(shell, nodes, OutputJson.Default.CatalogNodeArray);
            return 0;
        }

        if (nodes.Length == 0)
        {
            shell.Error.WriteLine("No nodes match the given query - try expanding your search.");
            return 0;
        }

        shell.Say(_detailed.Value ? Detailed(nodes) : Standard(nodes));
        return 0;
    }

    private async Task<CatalogNode[]> ReadAsync(PraetorClient client, CancellationToken stop)
    {
        var query = _http.Query with { Near = _near.Value, Filter = _filter.Value, NodeMeta = _nodeMeta.Value };
        if (_service.Value.Length == 0)
        {
            return (await client.CatalogNodesAsync(query, stop)).Value ?? [];
        }

        var instances = (await client.CatalogServiceAsync(_service.Value, query, stop)).Value ?? [];
        return
        [
            .. instances.DistinctBy(instance => instance.Node, StringComparer.OrdinalIgnoreCase)
                .Select(instance => new CatalogNode
                {
                    ID = instance.ID,
                    Node = instance.Node,
                    Address = instance.Address,
                    Datacenter = instance.Datacenter,
                    TaggedAddresses = instance.TaggedAddresses,
                    Meta = instance.NodeMeta,
                    CreateIndex = instance.CreateIndex,
                    ModifyIndex = instance.ModifyIndex,
                }),
        ];
    }

    private static Columns Standard(CatalogNode[] nodes)
    {
        var table = new Columns("Node", "ID", "Address", "DC");
        foreach (var node in nodes)
        {
            var id = node.ID ?? "";
            table.Add(node.Node, id[..Math.Min(ShortId, id.Length)], node.Address, node.Datacenter ?? "");
        }

        return table;
    }

    private static Columns Detailed(CatalogNode[] nodes)
    {
        var table = new Columns("Node", "ID", "Address", "DC", "TaggedAddresses", "Meta");
        foreach (var node in nodes)
        {
            table.Add(
                node.Node,
                node.ID ?? "",
                node.Address,
                node.Datacenter ?? "",
                InOneLine(node.TaggedAddresses),
                InOneLine(node.Meta));
        }

        return table;
    }

    private static string InOneLine(Dictionary<string, string>? pairs) => string.Join(
        ", ",
        (pairs ?? []).OrderBy(pair => pair.Key, StringComparer.Ordinal).Select(pair => $"{pair.Key}={pair.Value}"));
}
