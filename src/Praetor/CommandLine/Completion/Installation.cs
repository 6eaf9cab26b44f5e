namespace Praetor.CommandLine.Completion;

/// <summary>Puts completion into the start-up files of the user's shells, and takes it out.</summary>
internal sealed class Installation(string home, string program, string executable)
{
    private const string ZshPreparation = "autoload -U +X bashcompinit && bashcompinit";

    private string BashFile => Path.Combine(home, ".bashrc");

    private string ZshFile => Path.Combine(home, ".zshrc");

    private string FishFolder => Path.Combine(home, ".config", "fish");

    private string FishFile => Path.Combine(FishFolder, "completions", program + ".fish");

    private string BashLine => $"complete -C {executable} {program}";

    private string ZshLine => $"complete -o nospace -C {executable} {program}";

    /// <summary>Adds it for every shell that has start-up files, at least for bash; gives the files changed.</summary>
    public IReadOnlyList<string> Install()
    {
        var changed = new List<string>();
        var others = File.Exists(ZshFile) || Directory.Exists(FishFolder);
        if (File.Exists(BashFile) || !others)
        {
            AddLines(BashFile, [BashLine], changed);
        }

        if (File.Exists(ZshFile))
        {
            AddLines(ZshFile, [ZshPreparation, ZshLine], changed);
        }

        if (Directory.Exists(FishFolder) && !File.Exists(FishFile))
        {
            Directory.CreateDirectory(Path.GetDirectoryName(FishFile)!);
            File.WriteAllText(FishFile, $"complete --command {program} --no-files --arguments "
                + $"'(env COMP_LINE=(commandline --cut-at-cursor) {executable})'\n");
            changed.Add(FishFile);
        }

        return changed;
    }

    /// <summary>Takes it out everywhere; gives the files changed.</summary>
    public IReadOnlyList<string> Uninstall()
    {
        var changed = new List<string>();
        RemoveLine(BashFile, BashLine, changed);
        RemoveLine(ZshFile, ZshLine, changed);
        if (File.Exists(FishFile))
        {
            File.Delete(FishFile);
            changed.Add(FishFile);
        }

        return changed;
    }

    private static void AddLines(string file, string[] lines, List<string> changed)
    {
        var text = File.Exists(file) ? File.ReadAllText(file) : "";
        var present = text.Split('\n');
        var missing = lines.Where(line => !present.Contains(line, StringComparer.Ordinal)).ToList();
        if (missing.Count == 0)
        {
            return;
        }

        var gap = text.Length == 0 || text.EndsWith('\n') ? "" : "\n";
        File.AppendAllText(file, gap + string.Join('\n', missing) + "\n");
        changed.Add(file);
    }

    private static void RemoveLine(string file, string line, List<string> changed)
    {
        if (!File.Exists(file))
        {
            return;
        }

        var lines = File.ReadAllText(file).Split('\n');
        var kept = lines.Where(each => each != line).ToArray();
        if (kept.Length < lines.Length)
        {
            File.WriteAllText(file, string.Join('\n', kept));
            changed.Add(file);
        }
    }
}
