using Praetor.CommandLine;

namespace Praetor.Commands;

/// <summary>All commands. A command is made when it is run, so that starting one does not load the others.</summary>
internal static class CommandTable
{
    public static IReadOnlyList<CommandRow> Rows { get; } =
    [
        new("agent", "Runs an agent", static () => new AgentCommand()),
        Group("catalog", "Looks into the catalog of nodes and services", """
            The catalog is what the cluster knows about nodes and the services on them.

                $ praetor catalog services -tags
                $ praetor catalog nodes -service=web
            """),
        new("catalog datacenters", "Lists the datacenters", static () => new CatalogDatacentersCommand()),
        new("catalog nodes", "Lists the nodes", static () => new CatalogNodesCommand()),
        new("catalog services", "Lists the services", static () => new CatalogServicesCommand()),
        Group("config", "Reads and writes config entries", """
            Config entries say how services of the mesh are to be treated, for the whole cluster.

                $ praetor config write web-defaults.hcl
                $ praetor config read -kind service-defaults -name web
                $ praetor config list -kind service-defaults
            """),
        new("config delete", "Removes a config entry", static () => new ConfigDeleteCommand()),
        new("config list", "Lists the config entries of a kind", static () => new ConfigListCommand()),
        new("config read", "Prints a config entry", static () => new ConfigReadCommand()),
        new("config write", "Writes a config entry", static () => new ConfigWriteCommand()),
        Group("connect", "Runs and sets up the mesh", """
            In the mesh services reach each other through proxies that prove who they are.

                $ praetor connect proxy -sidecar-for web
                $ praetor connect ca get-config
            """),
        Group("connect ca", "Sets up the mesh's certificate authority", """
            The certificate authority signs what services of the mesh prove their identity with.

                $ praetor connect ca get-config
            """),
        new("connect ca get-config", "Prints how it is set up", static () => new ConnectCaGetConfigCommand()),
        new("connect ca set-config", "Changes how it is set up", static () => new ConnectCaSetConfigCommand()),
        new("connect proxy", "Runs a proxy", static () => new ConnectProxyCommand()),
        new("demo", "Shows an agent, two services and the mesh between them", static () => new DemoCommand()),
        new("event", "Fires an event for all agents", static () => new EventCommand()),
        new("exec", "Runs a command on many nodes", static () => new ExecCommand()),
        new("force-leave", "Declares a failed member as left", static () => new ForceLeaveCommand()),
        new("info", "Prints figures of the agent", static () => new InfoCommand()),
        Group("intention", "Says which services may connect to which", """
            An intention allows or denies connections from one service to another. The more exact one decides.

                $ praetor intention create -deny '*' db
                $ praetor intention create -allow web db
                $ praetor intention check web db
            """),
        new("intention check", "Says if a service may connect to another", static () => new IntentionCheckCommand()),
        new("intention create", "Makes an intention", static () => new IntentionCreateCommand()),
        new("intention delete", "Removes an intention", static () => new IntentionDeleteCommand()),
        new("intention get", "Prints an intention", static () => new IntentionGetCommand()),
        new("intention list", "Lists all intentions", static () => new IntentionListCommand()),
        new("intention match", "Lists the intentions of a service", static () => new IntentionMatchCommand()),
        new("join", "Joins the cluster of another agent", static () => new JoinCommand()),
        new("keygen", "Makes a key for encrypting gossip", static () => new KeygenCommand()),
        new("keyring", "Looks after the keys of encrypted gossip", static () => new KeyringCommand()),
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
        new("leave", "Makes the agent leave and end", static () => new LeaveCommand()),
        new("lock", "Runs a command while a lock is held", static () => new LockCommand()),
        new("maint", "Takes a node or a service out for maintenance", static () => new MaintCommand()),
        new("members", "Lists the agents of the cluster", static () => new MembersCommand()),
        new("monitor", "Prints the agent's log as it is written", static () => new MonitorCommand()),
        Group("operator", "Looks after the servers", """
            For those who run the servers.

                $ praetor operator raft list-peers
                $ praetor operator autopilot state
            """),
        Group("operator autopilot", "Says how the servers are looked after", """
            The leader looks after the servers: it gives new ones their votes and takes dead ones out.

                $ praetor operator autopilot state
                $ praetor operator autopilot set-config -server-stabilization-time=30s
            """),
        new("operator autopilot get-config", "Prints the rules",
            static () => new OperatorAutopilotGetConfigCommand()),
        new("operator autopilot set-config", "Changes the rules",
            static () => new OperatorAutopilotSetConfigCommand()),
        new("operator autopilot state", "Says how the servers are", static () => new OperatorAutopilotStateCommand()),
        Group("operator raft", "Looks after the servers that keep the state", """
            The servers that keep the state, in the words of Raft.

                $ praetor operator raft list-peers
                $ praetor operator raft transfer-leader
            """),
        new("operator raft list-peers", "Lists them", static () => new OperatorRaftListPeersCommand()),
        new("operator raft remove-peer", "Takes one out", static () => new OperatorRaftRemovePeerCommand()),
        new("operator raft transfer-leader", "Makes another lead",
            static () => new OperatorRaftTransferLeaderCommand()),
        new("reload", "Makes the agent read its files again", static () => new ReloadCommand()),
        new("rtt", "Estimates the round trip between two nodes", static () => new RttCommand()),
        Group("services", "Registers and removes services", """
            Services are registered with the agent of the machine that they run on.

                $ praetor services register web.hcl
                $ praetor services deregister -id=web-1
            """),
        new("services deregister", "Removes services from the agent", static () => new ServicesDeregisterCommand()),
        new("services register", "Registers services with the agent", static () => new ServicesRegisterCommand()),
        Group("snapshot", "Saves and restores the servers' state", """
            A snapshot is all that the servers know, in one file in Consul's format.

                $ praetor snapshot save backup.snap
                $ praetor snapshot inspect backup.snap
                $ praetor snapshot restore backup.snap
            """),
        new("snapshot agent", "Saves snapshots now and then", static () => new SnapshotAgentCommand()),
        new("snapshot inspect", "Says what a snapshot holds", static () => new SnapshotInspectCommand()),
        new("snapshot restore", "Restores the state from a snapshot", static () => new SnapshotRestoreCommand()),
        new("snapshot save", "Saves the state to a file", static () => new SnapshotSaveCommand()),
        new("validate", "Checks agent configuration", static () => new ValidateCommand()),
        new("version", "Prints the version", static () => new VersionCommand()),
        new("watch", "Prints something, or runs a command when it changes", static () => new WatchCommand()),
    ];

    private static CommandRow Group(string name, string summary, string about) =>
        new(name, summary, Make: null) { About = about };
}
