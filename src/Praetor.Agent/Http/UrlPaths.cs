namespace Praetor.Agent.Http;

/// <summary>Paths of URLs that lead nowhere because of a doubled slash or a dot.</summary>
internal static class UrlPaths
{
    /// <summary>The same target without doubled slashes, <c>.</c> and <c>..</c>. Null: it has none of these.</summary>
    public static string? Cleaned(string target)
    {
        var question = target.IndexOf('?');
        var path = question < 0 ? target : target[..question];
        if (!path.StartsWith('/'))
        {
            return null;
        }

        var kept = new List<string>();
        foreach (var segment in path[1..].Split('/'))
        {
            if (segment == ".." && kept.Count > 0)
            {
                kept.RemoveAt(kept.Count - 1);
            }
            else if (segment is not ("" or "." or ".."))
            {
                kept.Add(segment);
            }
        }

        var end = path.EndsWith('/') && kept.Count > 0 ? "/" : "";
        var clean = "/" + string.Join('/', kept) + end;
        return clean == path ? null : clean + (question < 0 ? "" : target[question..]);
    }
}
