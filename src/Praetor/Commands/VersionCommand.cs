using System.Text.Json;
using System.Text.Json.Serialization;
using Praetor.CommandLine;

namespace Praetor.Commands;

/// <summary>The protocols spoken between agents.</summary>
internal sealed record RpcVersions(int Default, int Min, int Max);

/// <summary>What tools that start an agent look at before they write its configuration.</summary>
internal sealed record VersionDocument(
    string Version, string Revision, string Prerelease, string BuildDate, RpcVersions RPC)
{
    /// <summary>The product's own version. Null when called as consul: its readers know the fields above
    /// only.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public string? Praetor { get; init; }
}

[JsonSerializable(typeof(VersionDocument))]
internal sealed partial class VersionJson : JsonSerializerContext;

internal sealed class VersionCommand : Command
{
    private static readonly RpcVersions Protocols = new(2, 2, 3);
    private readonly Flag<string> _format;

    public VersionCommand() =>
        _format = Flags.Add(new Flag<string>(
            "format", "format", "How to print: pretty or json. Default pretty.", "pretty", Take)
        {
            Choices = ["pretty", "json"],
        });

    public override string About => """
        Prints the version of this executable, and the version of Consul that it behaves as.

            $ praetor version
            $ praetor version -format=json
        """;

    public override Task<int> RunAsync(Shell shell, IReadOnlyList<string> arguments, CancellationToken stop)
    {
        switch (_format.Value)
        {
            case "pretty":
                Print(shell);
                return Task.FromResult(0);
            case "json":
                var document = Document(shell);
                shell.Say(GoJson.Indent(
                    JsonSerializer.SerializeToElement(document, VersionJson.Default.VersionDocument), "   "));
                return Task.FromResult(0);
            default:
                throw new CommandException($"Unknown format: {_format.Value}");
        }
    }

    private static void Print(Shell shell)
    {
        if (!shell.IsConsul)
        {
            shell.Say($"Praetor v{ProductVersion.Own}");
            shell.Say($"Behaves as Consul v{ProductVersion.Consul}");
        }
        else
        {
            shell.Say($"Consul v{ProductVersion.Consul}");
        }

        shell.Say($"Revision {ProductVersion.Revision}");
        shell.Say($"Build Date {ProductVersion.BuildDate}");
        shell.Say($"Protocol {Protocols.Default} spoken by default, understands {Protocols.Min} to {Protocols.Max} "
            + $"(agent will automatically use protocol >{Protocols.Default} when speaking to compatible agents)");
        shell.Say("");
    }

    private static VersionDocument Document(Shell shell) =>
        new(ProductVersion.Consul, ProductVersion.Revision, "", ProductVersion.BuildDate, Protocols)
        {
            Praetor = shell.IsConsul ? null : ProductVersion.Own,
        };

    private static string? Take(string text, ref string value)
    {
        value = text;
        return null;
    }
}
