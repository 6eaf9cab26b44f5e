using System.Collections.Frozen;

namespace Praetor.Server.Intentions;

// A pair of services is decided by the first intention that fits, in order of precedence: an exact destination before
// any, and for the same destination an exact source before any source of its namespace before any at all. No two
// intentions are about the same pair, so for each of these steps at most one fits, and a decision is six look-ups at
// most, however many intentions there are. What no intention fits, the default decides.

/// <summary>All intentions at one index: lists, matches, decides. Immutable.</summary>
public sealed class IntentionBook
{
    /// <summary>A book without intentions.</summary>
    public static readonly IntentionBook Empty = new([]);

    private static readonly StringComparer Names = StringComparer.OrdinalIgnoreCase;

    private readonly FrozenDictionary<string, Intention> _byPair;
    private readonly FrozenDictionary<string, Intention> _byId;
    private readonly FrozenDictionary<string, List<Intention>> _byDestination;

    /// <summary>A book of intentions, in any order.</summary>
    public IntentionBook(IEnumerable<Intention> intentions)
    {
        var all = intentions.ToList();
        all.Sort(Intention.Compare);
        All = all;

        // A sameness group is stored for others; no certificate here says that its owner is in one.
        _byPair = all.Where(static i => i.SourceSamenessGroup.Length == 0)
            .DistinctBy(Pair, Names)
            .ToFrozenDictionary(Pair, Names);
        _byId = all.Where(static i => i.Id.Length > 0)
            .DistinctBy(static i => i.Id, Names)
            .ToFrozenDictionary(static i => i.Id, Names);
        _byDestination = all.GroupBy(static i => i.DestinationName, Names)
            .ToFrozenDictionary(static g => g.Key, static g => g.ToList(), Names);
    }

    /// <summary>All intentions, in order of precedence.</summary>
    public IReadOnlyList<Intention> All { get; }

    /// <summary>The intention with an id of the older API. Null: there is none.</summary>
    public Intention? FindById(string id) => _byId.GetValueOrDefault(id);

    /// <summary>The intention about exactly this pair. Null: there is none.</summary>
    public Intention? FindExact(IntentionName source, string destination) =>
        _byPair.GetValueOrDefault(Pair(source, destination));

    /// <summary>The intentions that may decide on connections to a service, in order.</summary>
    public IReadOnlyList<Intention> MatchDestination(string name)
    {
        var exact = _byDestination.GetValueOrDefault(name) ?? [];
        return name == Intention.Wildcard || !_byDestination.TryGetValue(Intention.Wildcard, out var any)
            ? exact
            : [.. exact, .. any];
    }

    /// <summary>The intentions that may decide on connections from a service, in order.</summary>
    public IReadOnlyList<Intention> MatchSource(IntentionName source) =>
    [
        .. All.Where(i => Intention.SameName(i.SourcePeer, source.Peer) &&
            (Names.Equals(i.SourceNamespace, source.Namespace) || i.SourceNamespace == Intention.Wildcard) &&
            (Names.Equals(i.SourceName, source.Name) || i.SourceName == Intention.Wildcard)),
    ];

    /// <summary>Decides whether a source may connect to a destination, and says why.</summary>
    public IntentionDecision Decide(IntentionName source, string destination, DefaultPolicy byDefault)
    {
        var rule = Find(source, destination) ?? Find(source, Intention.Wildcard);
        return rule switch
        {
            null => new IntentionDecision(byDefault.IsAllow, byDefault.Reason, null),

            // Requests are decided where they are read. Whoever sees only the connection must not let it pass.
            { IsLayer7: true } => new IntentionDecision(false, $"Matched L7 intention: {rule}", rule),
            _ => new IntentionDecision(rule.Action == "allow", $"Matched L4 intention: {rule}", rule),
        };
    }

    private Intention? Find(IntentionName source, string destination) =>
        FindExact(source, destination) ??
        FindExact(source with { Name = Intention.Wildcard }, destination) ??
        FindExact(source with { Name = Intention.Wildcard, Namespace = Intention.Wildcard }, destination);

    private static string Pair(Intention i) =>
        Pair(new IntentionName(i.SourceName, i.SourceNamespace, i.SourcePeer), i.DestinationName);

    private static string Pair(IntentionName source, string destination) =>
        $"{source.Peer}\n{source.Namespace}\n{source.Name}\n{destination}";
}

/// <summary>A source or destination as clients name it.</summary>
/// <param name="Name">The service; <c>*</c> is any.</param>
/// <param name="Namespace">Its namespace.</param>
/// <param name="Peer">The peer it belongs to. Empty: this cluster.</param>
public sealed record IntentionName(string Name, string Namespace = Intention.DefaultNamespace, string Peer = "")
{
    private const string PeerPrefix = "peer:";

    /// <summary>Reads <c>name</c>, <c>namespace/name</c>, <c>partition/namespace/name</c> or
    /// <c>peer:P/name</c>.</summary>
    /// <param name="text">The text.</param>
    /// <param name="allowsPartition">Whether the form with three parts is known; Consul knows it for exact
    /// names.</param>
    /// <param name="name">The name.</param>
    /// <param name="problem">Why it was refused, as Consul says it.</param>
    public static bool TryParse(string text, bool allowsPartition, out IntentionName name, out string problem)
    {
        problem = "";
        var peer = "";
        var rest = text;
        if (text.StartsWith(PeerPrefix, StringComparison.Ordinal) &&
            text.IndexOf('/', StringComparison.Ordinal) is > 0 and var at)
        {
            peer = text[PeerPrefix.Length..at];
            rest = text[(at + 1)..];
        }

        var parts = rest.Split('/');
        name = parts switch
        {
            [var one] => new IntentionName(one, Peer: peer),
            [var ns, var one] => new IntentionName(one, ns, peer),
            [_, var ns, var one] when allowsPartition => new IntentionName(one, ns, peer),
            _ => new IntentionName(""),
        };
        if (parts.Length > (allowsPartition ? 3 : 2))
        {
            var most = allowsPartition ? "two '/'" : "one '/'";
            problem = $"name \"{text}\" is invalid: input can contain at most {most}";
        }

        return problem.Length == 0;
    }
}

/// <summary>What holds where no intention does.</summary>
/// <param name="IsAllow">Whether connections are allowed.</param>
/// <param name="Reason">What is said about it.</param>
public sealed record DefaultPolicy(bool IsAllow, string Reason)
{
    /// <summary>The default that follows from the ACL system's own.</summary>
    public static DefaultPolicy FromAcl(bool isAllow) => new(isAllow, "Default behavior configured by ACLs");

    /// <summary>The default set by <c>default_intention_policy</c>.</summary>
    public static DefaultPolicy FromSetting(bool isAllow) => new(isAllow, "Default intention policy");
}

/// <summary>A decision and its explanation.</summary>
/// <param name="Allowed">Whether the connection may be made.</param>
/// <param name="Reason">Why, for people.</param>
/// <param name="Rule">The intention that decided. Null: the default did.</param>
public sealed record IntentionDecision(bool Allowed, string Reason, Intention? Rule);
