using System.Text;

namespace Praetor.Agent.Config;

/// <summary>Writes the reference page of all keys from the table.</summary>
public static class ConfigReference
{
    /// <summary>The page as Markdown.</summary>
    public static string Write()
    {
        var text = new StringBuilder();
        text.Append("# Configuration\n\n");
        text.Append("Made from the table of settings (`src/Praetor.Agent/Config/Settings*.cs`); do not edit.\n\n");
        text.Append("Files are HCL (`.hcl`) or JSON (`.json`), given by `-config-file` and `-config-dir` and merged ");
        text.Append("in their order: of single values the last wins, lists grow, maps merge. Flags win over files, ");
        text.Append("`-hcl` over flags. Durations are written as `10s`, `1h30m`, `500ms`.\n\n");
        text.Append("Marks: **R** a reload applies it; **–** accepted, without effect yet; ");
        text.Append("**old** going out of use.\n");
        foreach (var (title, rows) in Settings.Groups)
        {
            text.Append($"\n## {title}\n\n| Key | Flag | Type | Default | | What |\n|---|---|---|---|---|---|\n");
            foreach (var row in rows)
            {
                AppendRow(text, row);
            }
        }
        return text.ToString();
    }

    private static void AppendRow(StringBuilder text, Setting row)
    {
        var flag = row.FlagName is null ? "" : $"`-{row.FlagName}`";
        var fallback = row.Default is null ? "" : $"`{row.Default}`";
        var marks = new List<string>();
        if (row.IsReloadable)
        {
            marks.Add("R");
        }
        if (!row.HasEffect)
        {
            marks.Add("–");
        }
        if (row.ReplacedBy is not null)
        {
            marks.Add("old");
        }
        var instead = row.ReplacedBy is { Length: > 0 } successor ? $" Use `{successor}`." : "";
        text.Append($"| `{row.Key}` | {flag} | {NameOf(row.Kind)} | {fallback} | {string.Join(' ', marks)} ");
        text.Append($"| {row.Help.Replace("|", "\\|", StringComparison.Ordinal)}{instead} |\n");
    }

    private static string NameOf(SettingKind kind) => kind switch
    {
        SettingKind.Flag => "bool",
        SettingKind.Whole => "number",
        SettingKind.Real => "decimal",
        SettingKind.Texts => "list",
        SettingKind.TextMap => "map",
        SettingKind.DurationMap => "map of durations",
        SettingKind.Blocks => "blocks",
        SettingKind.Free => "block",
        _ => kind.ToString().ToLowerInvariant(),
    };
}
