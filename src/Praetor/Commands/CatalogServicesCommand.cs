using Praetor.Client;
using Praetor.CommandLine;

namespace Praetor.Commands;

internal sealed class CatalogServicesCommand : Command
{
    private const int TagPadding = 6;

    private readonly HttpFlags _http;
    private readonly OutputFlags _output;
    private readonly Flag<bool> _tags;
    private readonly Flag<string> _node;
    private readonly Flag<SortedDictionary<string, string>> _nodeMeta;

    public CatalogServicesCommand()
    {
        _http = new HttpFlags(Flags, HttpGroups.All);
        _output = new OutputFlags(Flags);
        _tags = Flags.Bool("tags", "Print the tags in use beside each service.");
        _node = Flags.String("node", "Print only services on this node.", value: "node", offer: Candidates.Nodes);
        _nodeMeta = Flags.Pairs(
            "node-meta", "Print only services on nodes with this metadata. May be given again and again.", "key=value");
    }

    public override string About => """
        Lists the services in the catalog.

            $ praetor catalog services
            $ praetor catalog services -tags -node=worker-01
        """;

    public override async Task<int> RunAsync(Shell shell, IReadOnlyList<string> arguments, CancellationToken stop)
    {
        RequireAtMost(0, arguments);
        using var client = _http.Connect(shell);
        var services = await ReadAsync(client, stop).OrFail("Error listing services");
        if (_output.IsJson)
        {
            OutputFlags.Print(shell, services, OutputJson.Default.DictionaryStringStringArray);
            return 0;
        }

        if (services.Count == 0)
        {
            shell.Error.WriteLine("No services match the given query - try expanding your search.");
            return 0;
        }

        Print(shell, services);
        return 0;
    }

    private async Task<Dictionary<string, string[]>> ReadAsync(PraetorClient client, CancellationToken stop)
    {
        var query = _http.Query with { NodeMeta = _nodeMeta.Value };
        if (_node.Value.Length == 0)
        {
            return (await client.CatalogServicesAsync(query, stop)).Value ?? [];
        }

        var node = (await client.CatalogNodeAsync(_node.Value, query, stop)).Value;
        return (node?.Services?.Values ?? Enumerable.Empty<AgentService>())
            .GroupBy(service => service.Service, StringComparer.Ordinal)
            .ToDictionary(
                group => group.Key,
                group => group.SelectMany(service => service.Tags ?? []).Distinct(StringComparer.Ordinal).ToArray(),
                StringComparer.Ordinal);
    }

    private void Print(Shell shell, Dictionary<string, string[]> services)
    {
        var lines = new Fields(TagPadding);
        foreach (var (name, tags) in services.OrderBy(service => service.Key, StringComparer.Ordinal))
        {
            if (_tags.Value)
            {
                lines.Add(name, string.Join(',', tags.Order(StringComparer.Ordinal)));
            }
            else
            {
                shell.Say(name);
            }
        }

        if (_tags.Value)
        {
            shell.Say(lines.ToString().Trim());
        }
    }
}
