using Languages;

namespace Praetor.Agent.Config;

/// <summary>Where a text comes from decides how strictly its values are read and how errors are worded.</summary>
internal enum DecodeMode
{
    /// <summary>A configuration file: durations are strings, nothing is converted.</summary>
    File,

    /// <summary>A request body: durations are strings or nanoseconds, errors are those of Go's JSON decoder.</summary>
    Body,
}

/// <summary>Reads single values out of nodes and collects everything that is wrong with them.</summary>
internal sealed class DecodeContext(DecodeMode mode)
{
    /// <summary>More problems than these help nobody and could be made on purpose.</summary>
    private const int ProblemsMax = 100;

    private readonly List<ConfigProblem> _problems = [];

    public DecodeMode Mode { get; } = mode;

    public IReadOnlyList<ConfigProblem> Problems => _problems;

    public void Add(Position at, string key, string what, string remedy = "")
    {
        if (_problems.Count < ProblemsMax)
        {
            _problems.Add(new ConfigProblem(at, key, what, remedy));
        }
    }

    public void AddUnknown(Position at, string path, string name, IEnumerable<string> known)
    {
        var key = path.Length == 0 ? name : $"{path}.{name}";
        if (Mode == DecodeMode.Body)
        {
            Add(at, key, $"json: unknown field \"{name}\"");
            return;
        }
        Add(at, key, $"invalid config key {key}", Suggestion.For(name, known,
            "remove it; the reference lists all keys"));
    }

    public string? Text(ConfigNode node, string path) =>
        node.Kind == ConfigKind.String ? node.Text : WrongKind<string>(node, path, "string",
            "write it in double quotes");

    public bool? Flag(ConfigNode node, string path) =>
        node.Kind == ConfigKind.Bool ? node.Flag : WrongValue<bool>(node, path, "bool",
            "write true or false, without quotes");

    public long? Whole(ConfigNode node, string path)
    {
        var isWhole = node is { Kind: ConfigKind.Number, Whole: { } };
        if (isWhole && (Mode == DecodeMode.File || node.Whole == node.Number))
        {
            return node.Whole;
        }
        return WrongValue<long>(node, path, "int", "write a whole number, without quotes");
    }

    public double? Real(ConfigNode node, string path) => node.Kind == ConfigKind.Number
        ? node.Number
        : WrongValue<double>(node, path, "float64", "write a number, without quotes");

    public TimeSpan? Duration(ConfigNode node, string path)
    {
        if (Mode == DecodeMode.Body && node.Kind != ConfigKind.String)
        {
            // Go's decoder leaves every other kind of value out without a word.
            return node is { Kind: ConfigKind.Number, Whole: { } whole } ? GoDuration.FromNanoseconds(whole) : null;
        }
        if (Text(node, path) is not { } text)
        {
            return null;
        }
        if (GoDuration.TryParse(text, out var duration))
        {
            return duration;
        }
        var why = GoDuration.Explain(text);
        var what = Mode == DecodeMode.Body ? why : $"invalid duration: \"{text}\": {why}";
        Add(node.At, path, what, "write a number with its unit: \"10s\", \"1h30m\", \"500ms\"");
        return null;
    }

    public IReadOnlyList<string>? Texts(ConfigNode node, string path)
    {
        if (Items(node, path, "[]string") is not { } items)
        {
            return null;
        }
        var texts = new List<string>(items.Count);
        for (var i = 0; i < items.Count; i++)
        {
            if (Text(items[i], Mode == DecodeMode.Body ? path : $"{path}[{i}]") is { } text)
            {
                texts.Add(text);
            }
        }
        return texts;
    }

    public IReadOnlyList<ConfigNode>? Items(ConfigNode node, string path, string goType)
    {
        if (node.Kind == ConfigKind.List)
        {
            return node.Items;
        }
        if (Mode == DecodeMode.Body)
        {
            return WrongKind<IReadOnlyList<ConfigNode>>(node, path, goType, "");
        }
        Add(node.At, path, $"source data must be an array or slice, got {GoKind(node)}", "write a list: [ … ]");
        return null;
    }

    /// <summary>The members of an object; a list of one object stands for it, as in HCL.</summary>
    public IReadOnlyList<ConfigMember>? Members(ConfigNode node, string path)
    {
        if (Mode == DecodeMode.File && node is { Kind: ConfigKind.List, Items: [{ Kind: ConfigKind.Object } only] })
        {
            return only.Members;
        }
        if (node.Kind == ConfigKind.Object)
        {
            return node.Members;
        }
        if (Mode == DecodeMode.Body)
        {
            return WrongKind<IReadOnlyList<ConfigMember>>(node, path, "struct", "");
        }
        var repeated = node.Kind == ConfigKind.List && node.Items.All(item => item.Kind == ConfigKind.Object);
        Add(node.At, path, $"expected a map, got '{GoKind(node)}'",
            repeated ? "it is given several times: write one block with all of it" : "write { … }");
        return null;
    }

    private static string GoKind(ConfigNode node) => node.Kind switch
    {
        ConfigKind.Bool => "bool",
        ConfigKind.Number => node.Whole == node.Number ? "int" : "float64",
        ConfigKind.String => "string",
        ConfigKind.List => "slice",
        ConfigKind.Object => "map",
        _ => "null",
    };

    private static string JsonKind(ConfigNode node) => node.Kind switch
    {
        ConfigKind.List => "array",
        ConfigKind.Number when node.Whole != node.Number => $"number {node.Text}",
        _ => node.Kind.ToString().ToLowerInvariant(),
    };

    private T? WrongValue<T>(ConfigNode node, string path, string goType, string remedy)
        where T : struct
    {
        AddWrong(node, path, goType, remedy);
        return null;
    }

    private T? WrongKind<T>(ConfigNode node, string path, string goType, string remedy)
        where T : class
    {
        AddWrong(node, path, goType, remedy);
        return null;
    }

    private void AddWrong(ConfigNode node, string path, string goType, string remedy)
    {
        // The outermost field is the one that Go's decoder names, because it decodes the inner ones on its own.
        var field = path.Split('.', '[')[0];
        var what = Mode == DecodeMode.Body
            ? $"json: cannot unmarshal {JsonKind(node)} into Go struct field .{field} of type {goType}"
            : $"expected type '{goType}', got unconvertible type '{GoKind(node)}'";
        Add(node.At, path, what, remedy);
    }
}
