using Languages;
using Praetor.Client;
using Praetor.CommandLine;

namespace Praetor.Commands;

internal sealed class OperatorAutopilotSetConfigCommand : Command
{
    private const string Enterprise = "Of Consul Enterprise; kept, without effect.";

    private readonly HttpFlags _http;
    private readonly Flag<bool> _cleanup;
    private readonly Flag<TimeSpan> _lastContact;
    private readonly Flag<ulong> _trailing;
    private readonly Flag<ulong> _quorum;
    private readonly Flag<TimeSpan> _stabilization;
    private readonly Flag<string> _zone;
    private readonly Flag<bool> _noMigration;
    private readonly Flag<string> _version;

    public OperatorAutopilotSetConfigCommand()
    {
        _http = new HttpFlags(Flags, HttpGroups.Server);
        _cleanup = Flags.Bool("cleanup-dead-servers", "Take failed servers out when others have taken their place.");
        _lastContact = Flags.Duration(
            "last-contact-threshold", "How late the leader's last sign may be at a healthy server.", TimeSpan.Zero);
        _trailing = Flags.UInt("max-trailing-logs", "How many commands a healthy server may be behind the leader.");
        _quorum = Flags.UInt("min-quorum", "With fewer servers than this no failed one is taken out.");
        _stabilization = Flags.Duration(
            "server-stabilization-time", "How long a new server must have been healthy before it votes.",
            TimeSpan.Zero);
        _zone = Flags.String("redundancy-zone-tag", Enterprise);
        _noMigration = Flags.Bool("disable-upgrade-migration", Enterprise);
        _version = Flags.String("upgrade-version-tag", Enterprise);
    }

    public override string About => """
        Changes the rules by which the leader looks after the servers. What is not given stays as it is.

            $ praetor operator autopilot set-config -cleanup-dead-servers=false
            $ praetor operator autopilot set-config -min-quorum=3 -server-stabilization-time=30s
        """;

    public override async Task<int> RunAsync(Shell shell, IReadOnlyList<string> arguments, CancellationToken stop)
    {
        using var client = _http.Connect(shell);
        var rules = await client.AutopilotConfigurationAsync(new QueryOptions(), stop)
            .OrFail("Error querying Autopilot configuration");
        if (!await client.SetAutopilotConfigurationAsync(Changed(rules), stop: stop)
            .OrFail("Error setting Autopilot configuration"))
        {
            throw new CommandException("Configuration could not be atomically updated, please try again");
        }

        shell.Say("Configuration updated!");
        return 0;
    }

    private AutopilotConfiguration Changed(AutopilotConfiguration rules) => rules with
    {
        CleanupDeadServers = _cleanup.IsSet ? _cleanup.Value : rules.CleanupDeadServers,
        LastContactThreshold = _lastContact.IsSet
            ? GoDuration.Format(_lastContact.Value) : rules.LastContactThreshold,
        MaxTrailingLogs = _trailing.IsSet ? _trailing.Value : rules.MaxTrailingLogs,
        MinQuorum = _quorum.IsSet ? _quorum.Value : rules.MinQuorum,
        ServerStabilizationTime = _stabilization.IsSet
            ? GoDuration.Format(_stabilization.Value) : rules.ServerStabilizationTime,
        RedundancyZoneTag = _zone.IsSet ? _zone.Value : rules.RedundancyZoneTag,
        DisableUpgradeMigration = _noMigration.IsSet ? _noMigration.Value : rules.DisableUpgradeMigration,
        UpgradeVersionTag = _version.IsSet ? _version.Value : rules.UpgradeVersionTag,
    };
}
