using System.Text;

namespace Praetor.Agent.Config;

/// <summary>Writes the reference page of all keys from the table.</summary>
public static class ConfigReference
{
    /// <summary>Which part of the product brings what is still missing, by group.</summary>
    private static readonly Dictionary<string, string> Reasons = new(StringComparer.Ordinal)
    {
        ["Access control"] = "ACLs bring these; until then an agent with `acl.enabled` refuses to start. ",
        ["TLS"] = "TLS between agents and gRPC bring these, as calls between agents are in the clear so far. ",
        ["Consensus"] = "etcd keeps the log, so most of these have nothing to set here. ",
        ["HTTP and web interface"] = "the web interface brings these. ",
        ["Telemetry"] = "metrics are served at `/v1/agent/metrics` so far, and sent nowhere. ",
    };

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
        AppendLater(text);
        return text.ToString();
    }

    // Nobody should have to guess whether a key that is taken does something.
    private static void AppendLater(StringBuilder text)
    {
        text.Append("\n## Without effect yet\n\n");
        text.Append("The agent names such a key in its log when a file or a flag sets it.\n");
        foreach (var (title, rows) in Settings.Groups)
        {
            var later = rows.Where(static row => !row.HasEffect && row.ReplacedBy is null).ToList();
            if (later.Count > 0)
            {
                var keys = string.Join(", ", later.Select(static row => $"`{row.Key}`"));
                text.Append($"\n- **{title}**: {Reasons.GetValueOrDefault(title, "")}{keys}.\n");
            }
        }
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
