using Languages;

namespace Praetor.Agent.Config;

/// <summary>What loading gave.</summary>
/// <param name="Config">The configuration. Null: there are problems.</param>
/// <param name="Warnings">What to log at start: deprecated keys, keys without effect, doubtful combinations.</param>
/// <param name="Problems">Everything that is wrong, by the judgement of Consul's <c>validate</c>.</param>
/// <param name="StartProblems">Why definitions were left out that <c>validate</c> lets pass; the warnings name them
/// too. A start goes on without them, a reload is refused.</param>
public sealed record ConfigResult(
    AgentConfig? Config,
    IReadOnlyList<string> Warnings,
    IReadOnlyList<ConfigProblem> Problems,
    IReadOnlyList<ConfigProblem> StartProblems)
{
    /// <summary>What the files and folders looked like before they were read.</summary>
    public ConfigStamp Seen { get; init; } = new([], "");

    /// <summary>All problems as one text for a terminal.</summary>
    public string ProblemText => TextOf(Problems);

    /// <summary>Why a running agent does not take it over. Null: it does.</summary>
    public string? ReloadRefusal => Config is null ? ProblemText
        : StartProblems.Count > 0 ? TextOf(StartProblems) : null;

    private static string TextOf(IEnumerable<ConfigProblem> problems) =>
        string.Join('\n', problems.Select(static problem => problem.ToString()));
}

/// <summary>What surrounds the configuration: passed in, so that tests decide it.</summary>
/// <param name="HostName">Name of the node when none is configured.</param>
/// <param name="Addresses">Addresses of the machine.</param>
public sealed record ConfigSurroundings(string HostName, Func<IReadOnlyList<LocalAddress>> Addresses)
{
    /// <summary>This machine's.</summary>
    public static ConfigSurroundings OfThisMachine { get; } = new(Environment.MachineName, LocalAddress.OfThisMachine);
}

/// <summary>Loads the agent's configuration from defaults, command line and files.</summary>
public static class ConfigLoader
{
    private const string DevText = """
        bind_addr = "127.0.0.1"
        server = true
        log_level = "DEBUG"
        enable_debug = true
        disable_keyring_file = true
        disable_anonymous_signature = true
        ui_config { enabled = true }
        connect { enabled = true }
        performance { raft_multiplier = 1 }
        ports { grpc = 8502, grpc_tls = 8503 }
        gossip_lan { probe_interval = "100ms", probe_timeout = "100ms", gossip_interval = "100ms", suspicion_mult = 3 }
        gossip_wan { probe_interval = "100ms", probe_timeout = "100ms", gossip_interval = "100ms", suspicion_mult = 3 }
        """;

    /// <summary>Loads what an agent's command line (without the word "agent") asks for.</summary>
    public static ConfigResult Load(IReadOnlyList<string> args, ConfigSurroundings? surroundings = null)
    {
        var flags = AgentFlags.Parse(args);
        var seen = ConfigStamp.Of(flags.Paths);
        return Load(flags, surroundings ?? ConfigSurroundings.OfThisMachine) with { Seen = seen };
    }

    /// <summary>Judges files and directories as <c>validate</c> does.</summary>
    /// <param name="paths">Files and directories.</param>
    /// <param name="format">hcl or json for all of them. Null: by the name.</param>
    /// <param name="surroundings">Null: this machine's.</param>
    public static ConfigResult Validate(
        IReadOnlyList<string> paths, string? format = null, ConfigSurroundings? surroundings = null)
    {
        var args = paths.Select(static path => $"-config-file={path}").ToList();
        if (format is not null)
        {
            args.Add($"-config-format={format}");
        }
        return Load(args, surroundings);
    }

    /// <summary>Keys that differ between a running configuration and a new one and that no reload applies.</summary>
    public static IReadOnlyList<string> NotReloadable(AgentConfig running, AgentConfig next) =>
        [.. Settings.ByKey.Values
            .Where(row => !row.IsReloadable && row.HasEffect && !SettingValues.AreSame(running.Values, next.Values,
                row.Key))
            .Select(static row => row.Key)];

    private static ConfigResult Load(AgentFlags flags, ConfigSurroundings surroundings)
    {
        var files = new ConfigFiles(flags.Format);
        foreach (var path in flags.Paths)
        {
            files.Read(path);
        }
        var fragments = new ConfigFiles(null);
        for (var i = 0; i < flags.Fragments.Count; i++)
        {
            fragments.ReadText(flags.Fragments[i], $"flag -hcl #{i + 1}", ConfigFormat.Hcl);
        }
        var fromFiles = ReadTrees(files.Roots);
        var fromFragments = ReadTrees(fragments.Roots);
        List<SettingValue> given =
            [.. flags.Growing, .. fromFiles.Values, .. flags.Single, .. fromFragments.Values];
        List<ConfigProblem> problems =
            [.. flags.Problems, .. files.Problems, .. fragments.Problems, .. fromFiles.Problems,
                .. fromFragments.Problems];
        var values = SettingValues.Merge([.. SettingReader.Defaults(), .. flags.IsDev ? DevValues() : [], .. given]);
        List<string> warnings = [.. files.Warnings, .. KeyWarnings(given)];
        if (files.Problems.Count + fragments.Problems.Count > 0)
        {
            // What could not be read may hold what would be found missing.
            return new ConfigResult(null, warnings, problems, []);
        }
        var builder = new AgentConfigBuilder(values, flags.IsDev, surroundings);
        var config = builder.Build();
        problems.AddRange(builder.Problems);
        warnings.AddRange(builder.Warnings);
        return new ConfigResult(problems.Count == 0 ? config : null, warnings, problems, builder.StartProblems);
    }

    private static SettingReader ReadTrees(List<ConfigNode> roots)
    {
        var reader = new SettingReader();
        roots.ForEach(reader.ReadTree);
        return reader;
    }

    private static IReadOnlyList<SettingValue> DevValues()
    {
        var reader = new SettingReader();
        reader.ReadTree(ConfigParser.Parse(DevText, "-dev", ConfigFormat.Hcl).Value!);
        return reader.Values;
    }

    private static IEnumerable<string> KeyWarnings(List<SettingValue> given)
    {
        foreach (var value in given.DistinctBy(static value => value.Row.Key))
        {
            var row = value.Row;
            if (row.ReplacedBy is { Length: > 0 } successor)
            {
                yield return $"The '{row.Key}' field is deprecated. Use the '{successor}' field instead.";
            }
            else if (row.ReplacedBy is not null)
            {
                yield return $"The '{row.Key}' field is deprecated and has no effect.";
            }
            if (!row.HasEffect && row.ReplacedBy is not "")
            {
                yield return $"key {row.Key} has no effect yet ({value.At})";
            }
        }
    }
}
