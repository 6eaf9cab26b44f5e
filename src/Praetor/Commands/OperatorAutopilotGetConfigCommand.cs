using Praetor.CommandLine;

namespace Praetor.Commands;

internal sealed class OperatorAutopilotGetConfigCommand : Command
{
    private readonly HttpFlags _http;
    private readonly OutputFlags _output;

    public OperatorAutopilotGetConfigCommand()
    {
        _http = new HttpFlags(Flags, HttpGroups.Server);
        _output = new OutputFlags(Flags);
    }

    public override string About => """
        Prints the rules by which the leader looks after the servers.

            $ praetor operator autopilot get-config
        """;

    public override async Task<int> RunAsync(Shell shell, IReadOnlyList<string> arguments, CancellationToken stop)
    {
        using var client = _http.Connect(shell);
        var rules = await client.AutopilotConfigurationAsync(_http.Query, stop)
            .OrFail("Error querying Autopilot configuration");
        if (_output.IsJson)
        {
            OutputFlags.Print(shell, rules, OutputJson.Default.AutopilotConfiguration);
            return 0;
        }

        shell.Say($"CleanupDeadServers = {Word(rules.CleanupDeadServers)}");
        shell.Say($"LastContactThreshold = {rules.LastContactThreshold}");
        shell.Say($"MaxTrailingLogs = {rules.MaxTrailingLogs}");
        shell.Say($"MinQuorum = {rules.MinQuorum}");
        shell.Say($"ServerStabilizationTime = {rules.ServerStabilizationTime}");
        shell.Say($"RedundancyZoneTag = {FlagParser.Quote(rules.RedundancyZoneTag)}");
        shell.Say($"DisableUpgradeMigration = {Word(rules.DisableUpgradeMigration)}");
        shell.Say($"UpgradeVersionTag = {FlagParser.Quote(rules.UpgradeVersionTag)}");
        return 0;
    }

    private static string Word(bool value) => value ? "true" : "false";
}
