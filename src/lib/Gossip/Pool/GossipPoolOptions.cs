using System.Net;
using Gossip.Serf;
using Gossip.Wire;

namespace Gossip.Pool;

/// <summary>How a member of a pool listens and speaks.</summary>
public sealed record GossipPoolOptions
{
    /// <summary>Who it is; the address in it is the one that others are told.</summary>
    public required SerfConfig Serf { get; init; }

    /// <summary>Where it listens, for packets and streams. Port 0: any that is free.</summary>
    public required IPEndPoint Bind { get; init; }

    /// <summary>Label, compression and rules of encryption.</summary>
    public WireOptions Wire { get; init; } = new();

    /// <summary>Who may speak to this member and be one; null: anybody (<c>serf_lan_allowed_cidrs</c>).</summary>
    public Func<IPAddress, bool>? IsAllowed { get; init; }
}

/// <summary>What a pool tells: on a thread of its own, one call after the other, never under the pool's lock.</summary>
public interface IPoolListener
{
    void MemberChanged(MemberChange change, SerfMember member);

    void UserEventReceived(Serf.Wire.UserEvent happened);

    /// <summary>Answer by <see cref="GossipPool.Answer"/>, or not at all.</summary>
    void QueryReceived(ReceivedQuery query);

    void NameConflict(SerfMember existing, IPEndPoint claimant);

    /// <summary>Something for counters and logs.</summary>
    void Note(Swim.SwimNote note, string detail);

    /// <summary>Why these members are not wanted; null: they are. A pure function, called from any thread.</summary>
    string? RefuseMerge(IReadOnlyList<SerfMember> members);
}

/// <summary>What became of one address that was to be joined.</summary>
/// <param name="Problem">Null: its pool and this one are one now.</param>
public sealed record JoinResult(IPEndPoint Seed, string? Problem);
