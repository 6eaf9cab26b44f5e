using System.Net;
using Gossip.Wire;

namespace Gossip.Swim;

/// <summary>What a member does beside its messages; for counters and logs.</summary>
public enum SwimNote
{
    /// <summary>A member did not answer a probe, so it is suspected.</summary>
    ProbeFailed,

    /// <summary>A member answered over a stream only: its UDP is blocked somewhere.</summary>
    OnlyStreamsReach,

    /// <summary>A suspect's time ran out.</summary>
    DeclaredDead,

    /// <summary>This member was suspected or declared dead, and says that it lives.</summary>
    Refuted,

    /// <summary>A claim was dropped: it breaks a rule or a limit.</summary>
    ClaimDropped,

    /// <summary>An exchange of everything known failed or was refused.</summary>
    PushPullFailed,

    /// <summary>A message was not expected here.</summary>
    Unexpected,

    /// <summary>Somebody speaks with a key that this member does not have, or without one.</summary>
    NotDecryptable,
}

/// <summary>
/// The layer above <see cref="SwimCore"/>: what it is told and asked. This one does nothing and accepts all.
/// </summary>
/// <remarks>
/// Called inside the core's methods, so it must return at once. It may queue broadcasts of its own, but must not call
/// the core back.
/// </remarks>
public abstract class SwimDelegate
{
    /// <summary>Whether <see cref="CollectBroadcasts"/> has something. Asked after each call of the core.</summary>
    public virtual bool HasBroadcasts => false;

    /// <summary>A member is there that was not known, had failed or had left.</summary>
    public virtual void MemberJoined(Member member) { }

    /// <summary>A live member has other meta data.</summary>
    public virtual void MemberUpdated(Member member) { }

    /// <summary>A member failed (<see cref="MemberState.Dead"/>) or left (<see cref="MemberState.Left"/>).</summary>
    public virtual void MemberGone(Member member) { }

    /// <summary>Somebody claims the name of a member that lives elsewhere; the claim is refused for now.</summary>
    /// <param name="existing">Who has the name; this member itself when its own name is claimed.</param>
    public virtual void NameConflict(Member existing, Alive claim) { }

    /// <summary>Bytes for the layer above came in a packet, or over a stream.</summary>
    public virtual void UserMessage(ReadOnlyMemory<byte> payload, IPEndPoint from) { }

    /// <summary>What an answer to a ping carries. serf: a version byte and the coordinate.</summary>
    public virtual ReadOnlyMemory<byte> AckPayload() => ReadOnlyMemory<byte>.Empty;

    /// <summary>A member answered a direct ping.</summary>
    public virtual void PingCompleted(Member member, TimeSpan roundTrip, ReadOnlyMemory<byte> payload) { }

    /// <summary>Why a claim that a member lives is not believed; null: it is.</summary>
    public virtual string? RefuseAlive(Alive claim) => null;

    /// <summary>Why an exchange in which somebody joins is not merged; null: it is.</summary>
    public virtual string? RefuseMerge(IReadOnlyList<PushNodeState> remote) => null;

    /// <summary>The layer's own state for an exchange; empty: none.</summary>
    public virtual ReadOnlyMemory<byte> LocalState(bool join) => ReadOnlyMemory<byte>.Empty;

    /// <summary>The other side's state of this layer.</summary>
    public virtual void MergeRemoteState(ReadOnlyMemory<byte> state, bool join) { }

    /// <summary>Adds broadcasts (as <see cref="Wire.UserMessage"/>) that fit to a packet.</summary>
    /// <param name="overhead">Bytes that each message costs beside its encoded size.</param>
    /// <param name="bytesMax">Bytes that are free.</param>
    public virtual void CollectBroadcasts(int overhead, int bytesMax, List<SwimMessage> packet) { }

    /// <summary>A join that <see cref="SwimCore.Join"/> began is over.</summary>
    /// <param name="error">Null: the seed's members are known now, and this member to it.</param>
    public virtual void JoinCompleted(long join, IPEndPoint seed, string? error) { }

    /// <summary>The word that this member leaves was sent often enough, or there is nobody to hear it.</summary>
    public virtual void LeaveSpread() { }

    /// <summary>Something happened that counters or logs may want.</summary>
    /// <param name="detail">Who or what; a name of a member or a reason.</param>
    public virtual void Note(SwimNote note, string detail) { }
}
