using System.Collections.Frozen;
using Praetor.Proxy.Identity;
using Praetor.Proxy.Net;

namespace Praetor.Proxy.Policy;

/// <summary>An intention, as far as connections are concerned.</summary>
/// <param name="Source">The source service; <c>*</c> for any.</param>
/// <param name="Destination">The destination service; <c>*</c> for any.</param>
/// <param name="IsAllow">Whether connections are allowed. An intention on requests (L7) allows none by itself.</param>
internal sealed record Intention(string Source, string Destination, bool IsAllow);

/// <summary>All intentions that concern one destination, and what holds where none does.</summary>
/// <remarks>
/// Consul's precedence: an exact destination beats a wildcard one, then an exact source beats a wildcard one; no two
/// intentions have the same source and destination. So at most four look-ups decide. Names differ in more than case.
/// </remarks>
internal sealed class IntentionPolicy : IAuthorizer
{
    private const string Any = "*";

    private readonly string _destination;
    private readonly FrozenDictionary<string, bool> _forDestination;
    private readonly FrozenDictionary<string, bool> _forAny;
    private readonly bool _isDefaultAllow;

    /// <summary>Makes the policy of a destination; intentions of other destinations are ignored.</summary>
    public IntentionPolicy(string destination, IEnumerable<Intention> intentions, bool isDefaultAllow)
    {
        _destination = destination;
        var all = intentions.ToList();
        _forDestination = BySource(all, destination);
        _forAny = BySource(all, Any);
        _isDefaultAllow = isDefaultAllow;
    }

    /// <inheritdoc/>
    public Verdict Decide(Peer peer) => Allows(peer.Id) ? Verdict.Allow : Verdict.Deny;

    /// <inheritdoc/>
    public Task<bool> AskAsync(Peer peer, CancellationToken stop) => Task.FromResult(Allows(peer.Id));

    /// <inheritdoc/>
    public string WhyNot(Peer peer) => WhyNot(peer.Id);

    /// <summary>The rule that keeps a source out, which may not connect.</summary>
    public string WhyNot(SpiffeId source) => source switch
    {
        { Namespace: not SpiffeId.DefaultNamespace } => $"its namespace is {source.Namespace}",
        _ when _forDestination.ContainsKey(source.Service) => Rule(source.Service, _destination),
        _ when _forDestination.ContainsKey(Any) => Rule(Any, _destination),
        _ when _forAny.ContainsKey(source.Service) => Rule(source.Service, Any),
        _ when _forAny.ContainsKey(Any) => Rule(Any, Any),
        _ => "no intention is about it, and the default denies",
    };

    /// <summary>Whether a source may connect.</summary>
    public bool Allows(SpiffeId source) =>
        source.Namespace == SpiffeId.DefaultNamespace && Allows(source.Service);

    /// <summary>Whether a source service may connect.</summary>
    public bool Allows(string source) =>
        _forDestination.TryGetValue(source, out var isAllow)
        || _forDestination.TryGetValue(Any, out isAllow)
        || _forAny.TryGetValue(source, out isAllow)
        || _forAny.TryGetValue(Any, out isAllow)
            ? isAllow
            : _isDefaultAllow;

    private static string Rule(string source, string destination) =>
        $"the intention {source} => {destination} does not allow it";

    // Two intentions with the same ends cannot be; should an agent say so, the one that denies holds.
    private static FrozenDictionary<string, bool> BySource(IEnumerable<Intention> all, string destination) => all
        .Where(i => i.Destination.Equals(destination, StringComparison.OrdinalIgnoreCase))
        .GroupBy(static i => i.Source, StringComparer.OrdinalIgnoreCase)
        .ToFrozenDictionary(
            static g => g.Key, static g => g.All(static i => i.IsAllow), StringComparer.OrdinalIgnoreCase);
}
