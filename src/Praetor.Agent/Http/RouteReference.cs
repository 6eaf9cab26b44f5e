using System.Globalization;
using System.Text;

namespace Praetor.Agent.Http;

/// <summary>The reference page of the HTTP API, made from the route table so that it cannot lag behind.</summary>
internal static class RouteReference
{
    /// <summary>The page <c>docs/reference/http-api.md</c>.</summary>
    public static string Write(RouteTable table)
    {
        var text = new StringBuilder();
        text.Append("# HTTP API\n\n");
        text.Append("Made from the route table (`src/Praetor.Agent/Http/Endpoints`); do not edit.\n\n");
        text.Append("Paths and bodies are Consul's. `{name}` stands for one segment of the path, `{name*}` ");
        text.Append("for all that follows. HEAD works where GET does.\n\n");
        text.Append("**Needs** is the right that a token must give once there are ACLs; version 0.1 has none ");
        text.Append("and lets everybody who can connect do everything. **Waits**: with `?index=` it answers when ");
        text.Append("something changed, or when `wait=` is over; one service of the agent by `?hash=`. ");
        text.Append("**Body** is the most that a request's body may weigh.\n");
        var groups = table.Routes.GroupBy(static route => GroupOf(route.Pattern), StringComparer.Ordinal);
        foreach (var group in groups.OrderBy(static group => group.Key, StringComparer.Ordinal))
        {
            text.Append(CultureInfo.InvariantCulture, $"\n## {group.Key}\n\n");
            text.Append("| method | path | needs | waits | body | what it does |\n");
            text.Append("| --- | --- | --- | --- | --- | --- |\n");
            foreach (var route in group.OrderBy(static r => r.Pattern, StringComparer.Ordinal)
                .ThenBy(static r => r.Method, StringComparer.Ordinal))
            {
                WriteRow(text, route);
            }
        }

        return text.ToString();
    }

    private static void WriteRow(StringBuilder text, Route route)
    {
        var description = route.Description.Replace("|", "\\|", StringComparison.Ordinal);
        var waits = route.Waits ? "yes" : "";
        text.Append(CultureInfo.InvariantCulture, $"| {route.Method} | `{route.Pattern}` | {route.Acl} | {waits} ");
        text.Append(CultureInfo.InvariantCulture, $"| {BodyOf(route)} | {description} |\n");
    }

    // A read has no body to speak of.
    private static string BodyOf(Route route) => route switch
    {
        { Method: "GET" } => "",
        { Stream: not null } => "any size",
        { BodyMax: var bytes } when bytes % 1024 == 0 => $"{(bytes / 1024).ToString(CultureInfo.InvariantCulture)} KiB",
        { BodyMax: var bytes } => $"{bytes.ToString(CultureInfo.InvariantCulture)} bytes",
    };

    // The first word after the version.
    private static string GroupOf(string pattern) =>
        pattern.Split('/', StringSplitOptions.RemoveEmptyEntries) is [_, var group, ..] ? group : pattern;
}
