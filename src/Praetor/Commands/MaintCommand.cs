using Praetor.Client;
using Praetor.CommandLine;

namespace Praetor.Commands;

internal sealed class MaintCommand : Command
{
    private const string NodeCheck = "_node_maintenance";
    private const string ServiceCheck = "_service_maintenance:";

    private readonly HttpFlags _http;
    private readonly Flag<bool> _enable;
    private readonly Flag<bool> _disable;
    private readonly Flag<string> _reason;
    private readonly Flag<string> _service;

    public MaintCommand()
    {
        _http = new HttpFlags(Flags, HttpGroups.Client);
        _enable = Flags.Bool("enable", "Begin maintenance.");
        _disable = Flags.Bool("disable", "End maintenance.");
        _reason = Flags.String("reason", "Why; shown wherever the maintenance is.");
        _service = Flags.String(
            "service", "Id of the service it is about. Default: the node.", offer: Candidates.ServiceIds);
    }

    public override string About => """
        Takes the agent's node, or one service on it, out of all answers about healthy instances, and back
        in. Without flags it lists what is in maintenance.

            $ praetor maint -enable -reason='new disk'
            $ praetor maint -service=web-1 -disable
        """;

    public override async Task<int> RunAsync(Shell shell, IReadOnlyList<string> arguments, CancellationToken stop)
    {
        RequireSense();
        using var client = _http.Connect(shell);
        if (!_enable.Value && !_disable.Value)
        {
            return await ListAsync(shell, client, stop);
        }

        var (verb, state) = _enable.Value ? ("enabling", "enabled") : ("disabling", "disabled");
        if (_service.Value.Length > 0)
        {
            await client.SetServiceMaintenanceAsync(_service.Value, _enable.Value, _reason.Value, stop)
                .OrFail($"Error {verb} service maintenance");
            shell.Say($"Service maintenance is now {state} for \"{_service.Value}\"");
            return 0;
        }

        await client.SetNodeMaintenanceAsync(_enable.Value, _reason.Value, stop)
            .OrFail($"Error {verb} node maintenance");
        shell.Say($"Node maintenance is now {state}");
        return 0;
    }

    private void RequireSense()
    {
        if (_enable.Value && _disable.Value)
        {
            throw new CommandException("Only one of -enable or -disable may be provided");
        }

        if (!_enable.Value && _reason.Value.Length > 0)
        {
            throw new CommandException("Reason may only be provided with -enable");
        }

        if (!_enable.Value && !_disable.Value && _service.Value.Length > 0)
        {
            throw new CommandException("-service requires either -enable or -disable");
        }
    }

    private static async Task<int> ListAsync(Shell shell, PraetorClient client, CancellationToken stop)
    {
        var checks = await client.AgentChecksAsync(stop: stop).OrFail("Error getting checks");
        foreach (var (id, check) in checks.OrderBy(pair => pair.Key, StringComparer.Ordinal))
        {
            if (id == NodeCheck)
            {
                shell.Say($"Node:\n  Name:   {check.Node}\n  Reason: {check.Notes}\n");
            }
            else if (id.StartsWith(ServiceCheck, StringComparison.Ordinal))
            {
                shell.Say($"Service:\n  ID:     {check.ServiceID}\n  Reason: {check.Notes}\n");
            }
        }

        return 0;
    }
}
