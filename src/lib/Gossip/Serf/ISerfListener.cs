using System.Net;
using Gossip.Serf.Wire;
using Gossip.Swim;

namespace Gossip.Serf;

/// <summary>Who uses <see cref="SerfCore"/>: what it is told and asked. Called inside the core's methods; must return
/// at once and must not call the core back.</summary>
public interface ISerfListener
{
    /// <summary>Something happened to a member, this one included.</summary>
    void MemberChanged(MemberChange change, SerfMember member);

    /// <summary>A user event that is news here.</summary>
    void UserEventReceived(UserEvent happened);

    /// <summary>Somebody asks; answer with <see cref="SerfCore.Answer"/> or not at all.</summary>
    void QueryReceived(ReceivedQuery query);

    /// <summary>Why members who want to join, or that this one wants to join, are not wanted; null: they are.</summary>
    string? RefuseMerge(IReadOnlyList<SerfMember> members);

    /// <summary>Somebody claims the name of a member that lives elsewhere.</summary>
    void NameConflict(SerfMember existing, IPEndPoint claimant);

    /// <summary>A join is over; null: it worked.</summary>
    void JoinCompleted(long join, IPEndPoint seed, string? error);

    /// <summary>This member left and may stop.</summary>
    void LeaveCompleted();

    /// <summary>Something for counters or logs.</summary>
    void Note(SwimNote note, string detail);
}

/// <summary>A query of another member, or of this one, that this member is asked.</summary>
public sealed record ReceivedQuery(Query Asked, TimeSpan Deadline)
{
    public string Name => Asked.Name;

    public ReadOnlyMemory<byte> Payload => Asked.Payload;
}

/// <summary>What to ask the pool.</summary>
public sealed record QueryRequest(string Name, ReadOnlyMemory<byte> Payload)
{
    /// <summary>Only these members answer; empty: all.</summary>
    public IReadOnlyList<string> Nodes { get; init; } = [];

    /// <summary>Only members whose tags match these regular expressions answer.</summary>
    public IReadOnlyDictionary<string, string> Tags { get; init; } =
        new Dictionary<string, string>(StringComparer.Ordinal);

    /// <summary>Whether members are to say that they got it, before they answer. Default no.</summary>
    public bool WantsAcks { get; init; }

    /// <summary>How many others relay each answer, for networks that lose packets. Default 0, at most 5.</summary>
    public byte RelayFactor { get; init; }

    /// <summary>How long answers are waited for. Null: by the size of the pool.</summary>
    public TimeSpan? Timeout { get; init; }
}

/// <summary>Hears the answers to a query of this member. The same rules as for <see cref="ISerfListener"/>.</summary>
public interface IQueryListener
{
    void Acked(string from);

    void Answered(string from, ReadOnlyMemory<byte> payload);

    /// <summary>The time is over, no more comes.</summary>
    void Ended();
}

/// <summary>The keys that gossip is encrypted with, as queries of the pool change them.</summary>
public interface ISerfKeyring
{
    /// <summary>All keys, base64; the first is the one that encrypts. Empty: gossip is not encrypted.</summary>
    IReadOnlyList<string> Keys { get; }

    /// <summary>Adds a key to decrypt with. Gives why not; null: done.</summary>
    string? Install(ReadOnlySpan<byte> key);

    /// <summary>Encrypts with a key from now on. Gives why not; null: done.</summary>
    string? Use(ReadOnlySpan<byte> key);

    /// <summary>Takes a key away. Gives why not; null: done.</summary>
    string? Remove(ReadOnlySpan<byte> key);
}
