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
    public IReadOnlyDictionary<string, string> NodeMeta { get; init; } = new Dictionary<string, string>(StringComparer.Ordinal);

    /// <summary>Parameters of one endpoint only, in order; a null value is a bare flag.</summary>
    public IReadOnlyList<KeyValuePair<string, string?>> Extra { get; init; } = [];

    /// <summary>A copy with one more endpoint parameter; a null value makes a bare flag.</summary>
    public QueryOptions With(string name, string? value = null) =>
        this with { Extra = [.. Extra, new KeyValuePair<string, string?>(name, value)] };

    internal string AppendTo(string path, string? datacenter)
    {
        var target = new StringBuilder(path);
        var first = !path.Contains('?', StringComparison.Ordinal);
        void Add(string name, string? value)
        {
            target.Append(first ? '?' : '&').Append(name);
            first = false;
            if (value is not null)
            {
                target.Append('=').Append(Uri.EscapeDataString(value));
            }
        }

        if ((Datacenter ?? datacenter) is { Length: > 0 } dc)
        {
            Add("dc", dc);
        }

        AddConsistency(Add);
        AddSelection(Add);
        foreach (var (name, value) in Extra)
        {
            Add(name, value);
        }

        return target.ToString();
    }

    private void AddConsistency(Action<string, string?> add)
    {
        if (Index > 0)
        {
            add("index", Index.ToString(CultureInfo.InvariantCulture));
        }

        if (Hash is { Length: > 0 })
        {
            add("hash", Hash);
        }

        if (Wait is { } wait)
        {
            add("wait", ((long)wait.TotalMilliseconds).ToString(CultureInfo.InvariantCulture) + "ms");
        }

        if (Stale)
        {
            add("stale", "");
        }

        if (Consistent)
        {
            add("consistent", "");
        }
    }

    private void AddSelection(Action<string, string?> add)
    {
        if (Near is { Length: > 0 })
        {
            add("near", Near);
        }

        if (Filter is { Length: > 0 })
        {
            add("filter", Filter);
        }

        foreach (var (key, value) in NodeMeta)
        {
            add("node-meta", $"{key}:{value}");
        }
    }
}
