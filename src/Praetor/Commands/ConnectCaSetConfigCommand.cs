using System.Text.Json;
using Praetor.Client;
using Praetor.CommandLine;

namespace Praetor.Commands;

internal sealed class ConnectCaSetConfigCommand : Command
{
    private readonly HttpFlags _http;
    private readonly Flag<string> _file;
    private readonly Flag<bool> _force;

    public ConnectCaSetConfigCommand()
    {
        _http = new HttpFlags(Flags, HttpGroups.Server);
        _file = Flags.String("config-file", "File with the configuration as JSON.", offer: Candidates.Files);
        _force = Flags.Bool(
            "force-without-cross-signing",
            "Change roots even if the old one cannot sign the new one; connections fail until all know the new root.");
    }

    public override string About => """
        Changes how the mesh's certificate authority is set up. A new root is taken up without an interruption.

            $ praetor connect ca set-config -config-file ca.json
        """;

    public override async Task<int> RunAsync(Shell shell, IReadOnlyList<string> arguments, CancellationToken stop)
    {
        if (_file.Value.Length == 0)
        {
            throw new CommandException("The -config-file flag is required");
        }

        var text = ValueSource.ReadFile(_file.Value, "Error reading config file");
        var configuration = Parse(text);
        using var client = _http.Connect(shell);
        await client.SetCaConfigurationAsync(configuration, stop: stop).OrFail("Error setting CA configuration");
        shell.Say("Configuration updated!");
        return 0;
    }

    private CaConfiguration Parse(byte[] text)
    {
        try
        {
            var read = JsonSerializer.Deserialize(text, OutputJson.Default.CaConfiguration) ?? new CaConfiguration();
            return _force.Value ? read with { ForceWithoutCrossSigning = true } : read;
        }
        catch (JsonException wrong)
        {
            var why = GoErrors.Json(text, wrong, OutputJson.Default.CaConfiguration, "api.CAConfig");
            throw new CommandException($"Error parsing config file: {why}");
        }
    }
}
