using Languages;

namespace Praetor.Agent.Config;

/// <summary>What the agent's command line says.</summary>
internal sealed class AgentFlags
{
    private readonly SettingReader _reader = new();
    private readonly List<ConfigProblem> _problems = [];

    public bool IsDev { get; private set; }

    /// <summary>Files and directories in the order of the command line.</summary>
    public List<string> Paths { get; } = [];

    /// <summary>The texts of -hcl.</summary>
    public List<string> Fragments { get; } = [];

    /// <summary>The format of all files whatever their names. Null: by the name.</summary>
    public ConfigFormat? Format { get; private set; }

    /// <summary>Lists and maps: these come before the files, so that the files append to them.</summary>
    public IEnumerable<SettingValue> Growing => _reader.Values.Where(static value => Grows(value.Row));

    /// <summary>Single values: these come after the files and win.</summary>
    public IEnumerable<SettingValue> Single => _reader.Values.Where(static value => !Grows(value.Row));

    public IEnumerable<ConfigProblem> Problems => _problems.Concat(_reader.Problems);

    /// <summary>Names of all flags, for help and suggestions.</summary>
    public static IEnumerable<string> Names => Settings.ByFlag.Keys.Concat(Settings.SourceFlags.Keys);

    /// <summary>Reads a command line by Go's rules: one dash or two, =value or the next word, bools by =
    /// only.</summary>
    public static AgentFlags Parse(IReadOnlyList<string> args)
    {
        var flags = new AgentFlags();
        for (var i = 0; i < args.Count; i++)
        {
            var word = args[i];
            if (word.Length < 2 || word[0] != '-')
            {
                flags.Refuse(word, $"Unexpected extra arguments: [{string.Join(' ', args.Skip(i))}]", "remove them");
                break;
            }
            if (word == "--")
            {
                break;
            }
            i += flags.Take(word, i + 1 < args.Count ? args[i + 1] : null);
        }
        return flags;
    }

    private static bool Grows(Setting row) =>
        row.Kind is SettingKind.Texts or SettingKind.TextMap or SettingKind.DurationMap or SettingKind.Blocks;

    /// <summary>Takes one flag and returns how many further words it used.</summary>
    private int Take(string word, string? next)
    {
        var text = word.StartsWith("--", StringComparison.Ordinal) ? word[2..] : word[1..];
        var equals = text.IndexOf('=');
        var (name, value) = equals < 0 ? (text, null) : (text[..equals], text[(equals + 1)..]);
        var row = Settings.ByFlag.GetValueOrDefault(name);
        if (row is null && !Settings.SourceFlags.ContainsKey(name))
        {
            Refuse(name, $"flag provided but not defined: -{name}", Suggestion.For(name, Names, "see agent -h"));
            return 0;
        }
        if (row?.Kind == SettingKind.Flag || name == "dev")
        {
            TakeFlag(name, row, value ?? "true");
            return 0;
        }
        if (value is null && next is null)
        {
            Refuse(name, $"flag needs an argument: -{name}", $"write -{name}=<value>");
            return 0;
        }
        TakeValue(name, row, value ?? next!);
        return value is null ? 1 : 0;
    }

    private void TakeFlag(string name, Setting? row, string value)
    {
        var isTrue = value is "1" or "t" or "T" or "true" or "TRUE" or "True";
        if (!isTrue && value is not ("0" or "f" or "F" or "false" or "FALSE" or "False"))
        {
            Refuse(name, $"invalid boolean value \"{value}\" for -{name}", "use true or false");
        }
        else if (row is null)
        {
            IsDev = isTrue;
        }
        else
        {
            _reader.ReadText(row, isTrue ? "true" : "false", PositionOf(name));
        }
    }

    private void TakeValue(string name, Setting? row, string value)
    {
        switch (name)
        {
            case "config-file" or "config-dir":
                Paths.Add(value);
                return;
            case "hcl":
                Fragments.Add(value);
                return;
            case "config-format":
                Format = value switch { "hcl" => ConfigFormat.Hcl, "json" => ConfigFormat.Json, _ => null };
                if (Format is null)
                {
                    Refuse(name, "-config-format must be either 'hcl' or 'json'", "use hcl or json");
                }
                return;
        }
        var isNumber = row!.Kind == SettingKind.Whole;
        if (isNumber && !GoNumber.TryParseLong(value, out _, out var problem))
        {
            Refuse(name,
                $"invalid value \"{value}\" for flag -{name}: strconv.ParseInt: parsing \"{value}\": {problem}",
                "use a whole number");
            return;
        }
        _reader.ReadText(row, value, PositionOf(name));
    }

    private static Position PositionOf(string flag) => new($"flag -{flag}", 0, 0);

    private void Refuse(string flag, string what, string remedy) =>
        _problems.Add(new ConfigProblem(new Position("command line", 0, 0), flag, what, remedy));
}
