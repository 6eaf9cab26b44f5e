using Praetor.CommandLine;

namespace Praetor.Commands;

/// <summary>All commands. A command is made when it is run, so that starting one does not load the others.</summary>
internal static class CommandTable
{
    public static IReadOnlyList<CommandRow> Rows { get; } =
    [
        Group("catalog", "Looks into the catalog of nodes and services", """
            The catalog is what the cluster knows about nodes and the services on them.

                $ praetor catalog services -tags
                $ praetor catalog nodes -service=web
            """),
        new("catalog datacenters", "Lists the datacenters", static () => new CatalogDatacentersCommand()),
        new("catalog nodes", "Lists the nodes", static () => new CatalogNodesCommand()),
        new("catalog services", "Lists the services", static () => new CatalogServicesCommand()),
        new("demo", "Shows an agent, two services and the mesh between them", static () => new DemoCommand()),
        new("keygen", "Makes a key for encrypting gossip", static () => new KeygenCommand()),
        Group("kv", "Reads and writes keys and values", """
            Keys and values are stored by the servers and seen by every agent.

                $ praetor kv put config/pool/size 5
                $ praetor kv get config/pool/size
                $ praetor kv get -recurse config/
                $ praetor kv delete config/pool/size
            """),
        new("kv delete", "Removes keys", static () => new KvDeleteCommand()),
        new("kv export", "Prints a tree of keys as JSON", static () => new KvExportCommand()),
        new("kv get", "Prints values or lists keys", static () => new KvGetCommand()),
        new("kv import", "Stores a tree of keys from JSON", static () => new KvImportCommand()),
        new("kv put", "Stores a value", static () => new KvPutCommand()),
        new("members", "Lists the agents of the cluster", static () => new MembersCommand()),
        new("version", "Prints the version", static () => new VersionCommand()),
    ];

    private static CommandRow Group(string name, string summary, string about) =>
        new(name, summary, Make: null) { About = about };
}
