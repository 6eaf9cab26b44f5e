using System.Text;
using Praetor.Client;
using Praetor.CommandLine;

namespace Praetor.Commands;

internal sealed class OperatorAutopilotStateCommand : Command
{
    private const string Json = "json";
    private const string Pretty = "pretty";

    private readonly HttpFlags _http;
    private readonly Flag<string> _format;

    public OperatorAutopilotStateCommand()
    {
        _http = new HttpFlags(Flags, HttpGroups.Server);
        _format = Flags.Add(new Flag<string>("format", "format", $"How to print: {Pretty} or {Json}.", Pretty, Read)
        {
            Choices = [Pretty, Json],
        });
    }

    public override string About => """
        Says how the servers are: who leads, who votes, who is healthy since when, and how many may fail.

            $ praetor operator autopilot state
            $ praetor operator autopilot state -format=json
        """;

    public override async Task<int> RunAsync(Shell shell, IReadOnlyList<string> arguments, CancellationToken stop)
    {
        using var client = _http.Connect(shell);
        var state = await client.AutopilotStateAsync(_http.Query, stop).OrFail("Error querying Autopilot state");
        if (_format.Value == Json)
        {
            OutputFlags.Print(shell, state, OutputJson.Default.AutopilotState);
        }
        else
        {
            shell.Say(Text(state));
        }

        return 0;
    }

    private static string? Read(string text, ref string value)
    {
        value = text;
        return text is Json or Pretty ? null : $"must be {Pretty} or {Json}";
    }

    private static string Text(AutopilotState state)
    {
        var text = new StringBuilder();
        Line(text, "", "Healthy", Word(state.Healthy), 30);
        Line(text, "", "Failure Tolerance", $"{state.FailureTolerance}", 30);
        Line(text, "", "Optimistic Failure Tolerance", $"{state.OptimisticFailureTolerance}", 30);
        Line(text, "", "Leader", state.Leader, 30);
        text.Append("Voters:\n");
        foreach (var id in state.Voters ?? [])
        {
            text.Append("   ").Append(id).Append('\n');
        }

        text.Append("Servers:\n");
        foreach (var (id, server) in (state.Servers ?? []).OrderBy(static s => s.Key, StringComparer.Ordinal))
        {
            text.Append("   ").Append(id).Append('\n');
            AddServer(text, server);
        }

        return text.ToString().TrimEnd('\n');
    }

    private static void AddServer(StringBuilder text, AutopilotServer server)
    {
        const string indent = "      ";
        const int width = 17;
        Line(text, indent, "Name", server.Name, width);
        Line(text, indent, "Address", server.Address, width);
        Line(text, indent, "Version", server.Version, width);
        Line(text, indent, "Status", server.Status, width);
        Line(text, indent, "Node Type", server.NodeType, width);
        Line(text, indent, "Node Status", server.NodeStatus, width);
        Line(text, indent, "Healthy", Word(server.Healthy), width);
        Line(text, indent, "Last Contact", server.LastContact, width);
        Line(text, indent, "Last Term", $"{server.LastTerm}", width);
        Line(text, indent, "Last Index", $"{server.LastIndex}", width);
        if (server.Meta is not { Count: > 0 } meta)
        {
            return;
        }

        text.Append(indent).Append("Meta\n");
        foreach (var (key, value) in meta.OrderBy(static m => m.Key, StringComparer.Ordinal))
        {
            text.Append(indent).Append("   \"").Append(key).Append("\": \"").Append(value).Append("\"\n");
        }
    }

    private static void Line(StringBuilder text, string indent, string name, string value, int width) =>
        text.Append(indent).Append((name + ":").PadRight(width)).Append(value).Append('\n');

    private static string Word(bool value) => value ? "true" : "false";
}
