using System.Text.Json.Nodes;
using Praetor.Server.ConfigEntries;

namespace Praetor.Server.Intentions;

/// <summary>The rules of the service-intentions kind: canonical form, what is wrong, what an update keeps.</summary>
internal static class ServiceIntentionRules
{
    private const int SourcesMax = 10_000;

    /// <summary>Fills type and precedence and puts the sources in the order in which they decide.</summary>
    public static void Normalize(JsonObject body)
    {
        var destination = ConfigEntry.Text(body, "Name");
        var sources = ConfigEntry.Items(body, "Sources").ToList();
        foreach (var source in sources)
        {
            NormalizeSource(source, destination);
        }

        var ordered = sources
            .Select(s => (Source: s, View: Intention.FromSource(s, destination)))
            .OrderBy(static p => p.View, Comparer<Intention>.Create(Intention.Compare));
        var list = new JsonArray();
        foreach (var (source, _) in ordered.ToList())
        {
            source.Parent?.AsArray().Remove(source);
            list.Add((JsonNode)source);
        }

        body["Sources"] = list;
    }

    /// <summary>What is wrong with a normalized entry.</summary>
    public static IEnumerable<string> Problems(JsonObject body)
    {
        var destination = ConfigEntry.Text(body, "Name");
        var sources = ConfigEntry.Items(body, "Sources").ToList();
        if (IsPartialWildcard(destination))
        {
            yield return "Name: wildcard character '*' cannot be used with partial values";
        }

        if (sources.Count is 0 or > SourcesMax)
        {
            yield return sources.Count == 0 ? "At least one source is required"
                : $"At most {SourcesMax} sources are allowed";
        }

        for (var i = 0; i < sources.Count; i++)
        {
            foreach (var problem in SourceProblems(sources[i], $"Sources[{i}]"))
            {
                yield return problem;
            }
        }

        foreach (var (name, i) in Repeated(sources, destination))
        {
            yield return $"Sources[{i}] defines \"{name}\" more than once";
        }
    }

    /// <summary>Ids of the older API belong to the server: an entry written whole keeps those of the same
    /// sources.</summary>
    public static ConfigEntry AdoptLegacy(ConfigEntry next, ConfigEntry? previous)
    {
        var before = previous is null ? [] : ConfigEntry.Items(previous.Body, "Sources")
            .Select(s => (Source: s, View: Intention.FromSource(s, previous.Name)))
            .ToList();
        var body = next.Body.DeepClone().AsObject();
        foreach (var source in ConfigEntry.Items(body, "Sources"))
        {
            var view = Intention.FromSource(source, next.Name);
            var kept = before.Find(b => b.View.IsSameSource(view)).Source;
            foreach (var key in (string[])["LegacyID", "LegacyCreateTime", "LegacyUpdateTime"])
            {
                source.Remove(key);
                if (kept?[key] is { } value)
                {
                    source[key] = value.DeepClone();
                }
            }
        }

        return next with { Body = body };
    }

    /// <summary>Whether a name has a <c>*</c> beside other characters.</summary>
    public static bool IsPartialWildcard(string name) =>
        name.Length > 1 && name.Contains('*', StringComparison.Ordinal);

    /// <summary>The metadata of the older API.</summary>
    public static IReadOnlyDictionary<string, string> MetaOf(JsonObject source) =>
        source["LegacyMeta"] is JsonObject { Count: > 0 } meta
            ? meta.ToDictionary(static p => p.Key, p => ConfigEntry.Text(meta, p.Key), StringComparer.Ordinal)
            : Intention.NoMeta;

    private static void NormalizeSource(JsonObject source, string destination)
    {
        if (ConfigEntry.Text(source, "Namespace") == Intention.DefaultNamespace)
        {
            source.Remove("Namespace");
        }

        if (ConfigEntry.Text(source, "Type").Length == 0)
        {
            source["Type"] = "consul";
        }

        source["Precedence"] = Intention.FromSource(source, destination).Precedence;
        foreach (var permission in ConfigEntry.Items(source, "Permissions"))
        {
            if (ConfigEntry.Object(permission, "HTTP")?["Methods"] is JsonArray methods)
            {
                for (var i = 0; i < methods.Count; i++)
                {
                    methods[i] = methods[i]!.GetValue<string>().ToUpperInvariant();
                }
            }
        }
    }

    private static IEnumerable<string> SourceProblems(JsonObject source, string at)
    {
        var name = ConfigEntry.Text(source, "Name");
        var action = ConfigEntry.Text(source, "Action");
        var permissions = ConfigEntry.Items(source, "Permissions").ToList();
        if (name.Length == 0)
        {
            yield return $"{at}.Name is required";
        }

        if (IsPartialWildcard(name))
        {
            yield return $"{at}.Name: wildcard character '*' cannot be used with partial values";
        }

        if (ConfigEntry.Text(source, "Namespace") == Intention.Wildcard && name != Intention.Wildcard)
        {
            yield return $"{at}.Name: exact value cannot follow wildcard namespace";
        }

        if (ConfigEntry.Text(source, "Type") != "consul")
        {
            yield return $"{at}.Type must be set to 'consul'";
        }

        if (ConfigEntry.Text(source, "Peer").Length > 0 && ConfigEntry.Text(source, "SamenessGroup").Length > 0)
        {
            yield return $"{at}: cannot set both Peer and SamenessGroup";
        }

        if (permissions.Count > 0 && action.Length > 0)
        {
            yield return $"{at}.Action must be omitted if Permissions are specified";
        }
        else if (permissions.Count == 0 && action is not ("allow" or "deny"))
        {
            yield return $"{at}.Action must be set to 'allow' or 'deny'";
        }

        for (var i = 0; i < permissions.Count; i++)
        {
            foreach (var problem in PermissionProblems(permissions[i], $"{at}.Permissions[{i}]"))
            {
                yield return problem;
            }
        }
    }

    private static IEnumerable<string> PermissionProblems(JsonObject permission, string at)
    {
        if (ConfigEntry.Text(permission, "Action") is not ("allow" or "deny"))
        {
            yield return $"{at}.Action must be set to 'allow' or 'deny'";
        }

        if (ConfigEntry.Object(permission, "HTTP") is not { } http)
        {
            if (permission["JWT"] is null)
            {
                yield return $"{at} must set HTTP or JWT";
            }

            yield break;
        }

        string[] paths = ["PathExact", "PathPrefix", "PathRegex"];
        if (paths.Count(p => ConfigEntry.Text(http, p).Length > 0) > 1)
        {
            yield return $"{at}.HTTP should only contain at most one of PathExact, PathPrefix, or PathRegex";
        }

        foreach (var path in paths[..2].Where(p => ConfigEntry.Text(http, p) is [not '/', ..]))
        {
            yield return $"{at}.HTTP.{path} doesn't start with '/': \"{ConfigEntry.Text(http, path)}\"";
        }

        var i = 0;
        foreach (var header in ConfigEntry.Items(http, "Header"))
        {
            foreach (var problem in HeaderProblems(header, $"{at}.HTTP.Header[{i++}]"))
            {
                yield return problem;
            }
        }
    }

    private static IEnumerable<string> HeaderProblems(JsonObject header, string at)
    {
        if (ConfigEntry.Text(header, "Name").Length == 0)
        {
            yield return $"{at} missing required Name field";
        }

        string[] matches = ["Exact", "Prefix", "Suffix", "Contains", "Regex"];
        var count = matches.Count(m => ConfigEntry.Text(header, m).Length > 0) + (header["Present"] is null ? 0 : 1);
        if (count != 1)
        {
            yield return $"{at} should only contain one of Present, Exact, Prefix, Suffix, Contains, or Regex";
        }
    }

    private static IEnumerable<(string Name, int Index)> Repeated(List<JsonObject> sources, string destination)
    {
        var seen = new HashSet<string>(StringComparer.OrdinalIgnoreCase);
        for (var i = 0; i < sources.Count; i++)
        {
            var view = Intention.FromSource(sources[i], destination);
            if (!seen.Add($"{view.SourcePeer}\n{view.SourceSamenessGroup}\n{view.SourceNamespace}\n{view.SourceName}"))
            {
                yield return (view.SourceName, i);
            }
        }
    }
}
