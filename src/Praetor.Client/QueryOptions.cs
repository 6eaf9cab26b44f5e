using System.Globalization;
using System.Text;

namespace Praetor.Client;

/// <summary>What a read asks for beside its path. Every member may be left out.</summary>
public sealed record QueryOptions
{
    /// <summary>The datacenter asked. Null: the client's, else the agent's own.</summary>
    public string? Datacenter { get; init; }

    /// <summary>Block until the answer's index is above this one. 0: answer at once.</summary>
    public ulong Index { get; init; }

    /// <summary>Block until the answer's content hash differs from this one. Null: answer at once.</summary>
    public string? Hash { get; init; }

    /// <summary>The longest time a blocking read waits. Null: the server's default (5 minutes).</summary>
    public TimeSpan? Wait { get; init; }

    /// <summary>Allow an answer from any server, however old.</summary>
    public bool Stale { get; init; }

    /// <summary>Demand an answer that a leader has confirmed.</summary>
    public bool Consistent { get; init; }

    /// <summary>Sort by distance from this node; <c>_agent</c> is the agent asked. Null: no sorting.</summary>
    public string? Near { get; init; }

    /// <summary>A filter expression. Null: everything.</summary>
    public string? Filter { get; init; }

    /// <summary>Keep only nodes with these metadata pairs.</summary>
    public IReadOnlyDictionary<string, string> NodeMeta { get; init; } =
        new Dictionary<string, string>(
        StringComparer.Ordinal);

    /// <summary>Parameters of one endpoint only, in order; a null value is a bare flag.</summary>
    public IReadOnlyList<KeyValuePair<string, string?>> Extra { get; init; } = [];

    /// <summary>A copy with one more endpoint parameter; a null value makes a bare flag.</summary>
    public QueryOptions With(string name, string? value = null) =>
        this with { Extra = [.. Extra, new KeyValuePair<string, string?>(name, value)] };

    internal string AppendTo(string path, ClientOptions client)
    {
        var pairs = new List<KeyValuePair<string, string?>>();
        AddScope(pairs, client);
        AddConsistency(pairs);
        AddSelection(pairs);
        pairs.AddRange(Extra);
        var target = new StringBuilder(path);
        var mark = path.Contains('?', StringComparison.Ordinal) ? '&' : '?';

        // Sorted as Consul's client does, so that messages and recordings show the same address.
        foreach (var (name, value) in pairs.OrderBy(pair => pair.Key, StringComparer.Ordinal))
        {
            target.Append(mark).Append(name);
            mark = '&';
            if (value is not null)
            {
                target.Append('=').Append(Uri.EscapeDataString(value));
            }
        }

        return target.ToString();
    }

    private static void Add(List<KeyValuePair<string, string?>> pairs, string name, string? value)
    {
        if (value is { Length: > 0 })
        {
            pairs.Add(new(name, value));
        }
    }

    private void AddScope(List<KeyValuePair<string, string?>> pairs, ClientOptions client)
    {
        Add(pairs, "dc", Datacenter ?? client.Datacenter);
        Add(pairs, "ns", client.Namespace);
        Add(pairs, "partition", client.Partition);
    }

    private void AddConsistency(List<KeyValuePair<string, string?>> pairs)
    {
        Add(pairs, "index", Index == 0 ? null : Index.ToString(CultureInfo.InvariantCulture));
        Add(pairs, "hash", Hash);
        if (Wait is { } wait)
        {
            Add(pairs, "wait", ((long)wait.TotalMilliseconds).ToString(CultureInfo.InvariantCulture) + "ms");
        }

        if (Stale)
        {
            pairs.Add(new("stale", ""));
        }

        if (Consistent)
        {
            pairs.Add(new("consistent", ""));
        }
    }

    private void AddSelection(List<KeyValuePair<string, string?>> pairs)
    {
        Add(pairs, "near", Near);
        Add(pairs, "filter", Filter);
        foreach (var (key, value) in NodeMeta)
        {
            Add(pairs, "node-meta", $"{key}:{value}");
        }
    }
}
