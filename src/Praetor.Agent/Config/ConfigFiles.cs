using Languages;

namespace Praetor.Agent.Config;

/// <summary>Finds and reads configuration files: single ones, and directories in the order of the names.</summary>
internal sealed class ConfigFiles(ConfigFormat? format)
{
    public List<ConfigNode> Roots { get; } = [];

    public List<ConfigProblem> Problems { get; } = [];

    public List<string> Warnings { get; } = [];

    public void Read(string path)
    {
        if (!Directory.Exists(path))
        {
            ReadFile(path, isNamed: true);
            return;
        }
        try
        {
            foreach (var file in Directory.GetFiles(path).Order(StringComparer.Ordinal))
            {
                ReadFile(file, isNamed: false);
            }
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            Refuse(path, e);
        }
    }

    public void ReadText(string text, string name, ConfigFormat textFormat)
    {
        var parsed = ConfigParser.Parse(text, name, textFormat);
        Take(parsed);
    }

    private void ReadFile(string file, bool isNamed)
    {
        var byName = Path.GetExtension(file) switch
        {
            ".json" => ConfigFormat.Json,
            ".hcl" => ConfigFormat.Hcl,
            _ => (ConfigFormat?)null,
        };
        if ((format ?? byName) is not { } chosen)
        {
            if (isNamed && File.Exists(file))
            {
                Warnings.Add($"skipping file {file}, extension must be .hcl or .json, or config format must be set");
                return;
            }
            if (!isNamed)
            {
                return;
            }
            chosen = ConfigFormat.Hcl;
        }
        try
        {
            Take(ConfigParser.Parse(File.ReadAllBytes(file), file, chosen));
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            Refuse(file, e);
        }
    }

    private void Take(Parsed<ConfigNode> parsed)
    {
        if (parsed.Error is { } error)
        {
            Problems.Add(ConfigProblem.Of(error));
            return;
        }
        Roots.Add(parsed.Value!);
    }

    private void Refuse(string path, Exception why) => Problems.Add(new ConfigProblem(
        new Position(path, 0, 0), "", $"config: Open failed on {path}. open {path}: {Reason(why)}",
            "check the path and its rights"));

    // The words of Go, by which scripts know them.
    private static string Reason(Exception why) => why switch
    {
        FileNotFoundException or DirectoryNotFoundException => "no such file or directory",
        UnauthorizedAccessException => "permission denied",
        _ => why.Message,
    };
}
