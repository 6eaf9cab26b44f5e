using Languages;
using Praetor.Client.Watches;

namespace Praetor.Agent.Watches;

/// <summary>A watch of a configuration file: what is looked at, and who is told.</summary>
internal sealed record WatchDefinition
{
    /// <summary>The definition as it was written; equal ones are the same watch. May hold a token: never log
    /// it.</summary>
    public required string Identity { get; init; }

    public required WatchQuery Query { get; init; }

    public required WatchHandler Handler { get; init; }

    /// <summary>Empty: the agent's own.</summary>
    public string Datacenter { get; init; } = "";

    /// <summary>Empty: what the agent uses for requests without one. A secret: never log it.</summary>
    public string Token { get; init; } = "";
}

/// <summary>Who is told of news.</summary>
internal abstract record WatchHandler
{
    private WatchHandler()
    {
    }

    /// <summary>A program, started for each news; it reads them.</summary>
    /// <param name="Args">The program and its arguments.</param>
    public sealed record Script(IReadOnlyList<string> Args) : WatchHandler;

    /// <summary>A URL that news are sent to.</summary>
    public sealed record Http : WatchHandler
    {
        public required Uri Path { get; init; }

        public string Method { get; init; } = "POST";

        public TimeSpan Timeout { get; init; } = WatchLimits.HttpTimeout;

        public IReadOnlyList<KeyValuePair<string, string>> Headers { get; init; } = [];

        public bool SkipsVerification { get; init; }
    }
}

/// <summary>Reads the <c>watches</c> of configuration files, and refuses in Consul's words.</summary>
internal static class WatchRules
{
    // What is about the watch and not about the question.
    private static readonly string[] Own =
        ["handler", "handler_type", "http_handler_config", "args", "datacenter", "token"];

    /// <summary>Reads a definition.</summary>
    /// <returns>Null: something is wrong with it.</returns>
    public static WatchDefinition? Parse(ConfigNode block, out string problem)
    {
        var parameters = new Dictionary<string, IReadOnlyList<string>>(StringComparer.Ordinal);
        foreach (var member in block.Members.Where(static m => !Own.Contains(m.Name, StringComparer.Ordinal)))
        {
            if (Texts(member.Value) is not { } texts)
            {
                problem = $"Expecting {member.Name} to be a string";
                return null;
            }

            parameters[member.Name] = texts;
        }

        if (parameters.GetValueOrDefault("type") is [{ } type, ..]
            && type.StartsWith("connect_", StringComparison.Ordinal))
        {
            problem = $"Watch type {type} is not allowed in agent config";
            return null;
        }

        if (WatchQuery.Parse(parameters, out problem) is not { } query
            || HandlerOf(block, out problem) is not { } handler)
        {
            return null;
        }

        return new WatchDefinition
        {
            Identity = block.ToJson(),
            Query = query,
            Handler = handler,
            Datacenter = block["datacenter"]?.Text ?? "",
            Token = block["token"]?.Text ?? "",
        };
    }

    private static IReadOnlyList<string>? Texts(ConfigNode value) => value.Kind switch
    {
        ConfigKind.String => [value.Text],
        ConfigKind.Bool => [value.Flag ? "true" : "false"],
        ConfigKind.List when value.Items.All(static i => i.Kind == ConfigKind.String) =>
            [.. value.Items.Select(static i => i.Text)],
        _ => null,
    };

    private static WatchHandler? HandlerOf(ConfigNode block, out string problem)
    {
        var type = block["handler_type"]?.Text is { Length: > 0 } named ? named : "script";
        if (type is not ("script" or "http"))
        {
            problem = $"Handler type '{type}' not recognized";
            return null;
        }

        var (command, args) = (block["handler"], block["args"]);
        if ((command is not null && args is not null) || (type == "http" && (command ?? args) is not null))
        {
            problem = "Only one watch handler allowed";
            return null;
        }

        if (type == "http")
        {
            return HttpOf(block["http_handler_config"], out problem);
        }

        problem = "";
        switch (command, args)
        {
            case ({ Kind: ConfigKind.String, Text.Length: > 0 }, _):
                return new WatchHandler.Script(Checks.ProcessRun.ByShell(command.Text));
            case ({ }, _):
                problem = "Watch handler must be a string";
                return null;
            case (_, { Kind: ConfigKind.List, Items.Count: > 0 }) when Texts(args) is { } words:
                return new WatchHandler.Script(words);
            case (_, { }):
                problem = "Watch args must be a list of strings";
                return null;
            default:
                problem = "Must define a watch handler";
                return null;
        }
    }

    private static WatchHandler.Http? HttpOf(ConfigNode? block, out string problem)
    {
        problem = "";
        if (block is null)
        {
            problem = "Handler type 'http' requires 'http_handler_config' to be set";
            return null;
        }

        // HCL writes a block that could come several times as a list.
        var config = block is { Kind: ConfigKind.List, Items: [var only] } ? only : block;
        if (config["path"]?.Text is not { Length: > 0 } path)
        {
            problem = "Failed to parse 'http_handler_config': Requires 'path' to be set";
            return null;
        }

        if (!Uri.TryCreate(path, UriKind.Absolute, out var url)
            || (url.Scheme != Uri.UriSchemeHttp && url.Scheme != Uri.UriSchemeHttps))
        {
            problem = $"Failed to parse 'http_handler_config': path \"{path}\" is no http or https URL";
            return null;
        }

        var timeout = WatchLimits.HttpTimeout;
        if (config["timeout"]?.Text is { Length: > 0 } text
            && (!GoDuration.TryParse(text, out timeout) || timeout <= TimeSpan.Zero))
        {
            problem = $"Failed to parse 'http_handler_config': Failed to parse timeout: {GoDuration.Explain(text)}";
            return null;
        }

        return new WatchHandler.Http
        {
            Path = url,
            Method = config["method"]?.Text is { Length: > 0 } method ? method : "POST",
            Timeout = timeout,
            Headers = [.. Headers(config["header"])],
            SkipsVerification = config["tls_skip_verify"] is { Flag: true } or { Text: "true" or "1" },
        };
    }

    private static IEnumerable<KeyValuePair<string, string>> Headers(ConfigNode? block)
    {
        var header = block is { Kind: ConfigKind.List, Items: [var only] } ? only : block;
        foreach (var member in header?.Members ?? [])
        {
            foreach (var value in Texts(member.Value) ?? [])
            {
                yield return new KeyValuePair<string, string>(member.Name, value);
            }
        }
    }
}
