using System.Net;

namespace Gossip.Serf.Wire;

/// <summary>One message of serf's protocol (versions 2 to 5): what the layer above memberlist sends.</summary>
public abstract record SerfMessage;

/// <summary>A member's intention to leave, or the wish that one who is gone counts as left.</summary>
/// <param name="LTime">When, by the members' Lamport clock.</param>
/// <param name="Prune">Whether the member shall be forgotten at once.</param>
public sealed record LeaveIntent(ulong LTime, string Node, bool Prune) : SerfMessage;

/// <summary>A member's intention to be there.</summary>
public sealed record JoinIntent(ulong LTime, string Node) : SerfMessage;

/// <summary>Everything a member knows beside memberlist's state; the user state of its push-pull.</summary>
/// <param name="LTime">The members' clock.</param>
/// <param name="StatusLTimes">When each member's status changed last.</param>
/// <param name="LeftMembers">Members who left.</param>
/// <param name="EventLTime">The events' clock.</param>
/// <param name="Events">Recent events, by the time they were sent.</param>
/// <param name="QueryLTime">The queries' clock.</param>
public sealed record SerfPushPull(
    ulong LTime, IReadOnlyList<StatusLTime> StatusLTimes, IReadOnlyList<string> LeftMembers, ulong EventLTime,
    IReadOnlyList<UserEventsAt> Events, ulong QueryLTime) : SerfMessage;

/// <summary>When a member's status changed last.</summary>
public readonly record struct StatusLTime(string Node, ulong LTime);

/// <summary>The events of one moment of the events' clock.</summary>
public sealed record UserEventsAt(ulong LTime, IReadOnlyList<RecentUserEvent> Events);

/// <summary>An event as a push-pull has it.</summary>
public sealed record RecentUserEvent(string Name, ReadOnlyMemory<byte> Payload);

/// <summary>An event that a user sent to all members.</summary>
/// <param name="CanCoalesce">Whether of several with this name only the last one counts.</param>
public sealed record UserEvent(ulong LTime, string Name, ReadOnlyMemory<byte> Payload, bool CanCoalesce) : SerfMessage;

/// <summary>A question to all members whom its filters let through.</summary>
/// <param name="Id">Drawn by chance; the answers repeat it.</param>
/// <param name="Source">Where answers go.</param>
/// <param name="SourceNode">Who asks; empty from older members.</param>
/// <param name="RelayFactor">Through how many others each answer is sent again.</param>
/// <param name="Timeout">How long answers are waited for. The wire has nanoseconds; this has 100 of them.</param>
public sealed record Query(
    ulong LTime, uint Id, IPEndPoint Source, string SourceNode, IReadOnlyList<ReadOnlyMemory<byte>> Filters,
    QueryFlags Flags, byte RelayFactor, TimeSpan Timeout, string Name, ReadOnlyMemory<byte> Payload) : SerfMessage;

/// <summary>What is asked of those who get a query, or said of an answer.</summary>
[Flags]
public enum QueryFlags : uint
{
    None = 0,

    /// <summary>On a query: say that it came. On an answer: it says only that.</summary>
    Ack = 1,

    /// <summary>Do not pass it on.</summary>
    NoBroadcast = 2,
}

/// <summary>An answer, or only the word that the query came.</summary>
public sealed record QueryResponse(ulong LTime, uint Id, string From, QueryFlags Flags, ReadOnlyMemory<byte> Payload)
    : SerfMessage;

/// <summary>What a member knows about a name that two claim; the answer to the query <c>_serf_conflict</c>.</summary>
/// <param name="Member">Null: it knows nobody of that name.</param>
public sealed record ConflictResponse(SerfMemberInfo? Member) : SerfMessage;

/// <summary>A member as serf describes it.</summary>
/// <param name="Status">1 alive, 2 leaving, 3 left, 4 failed.</param>
public sealed record SerfMemberInfo(
    string Name, IPEndPoint Address, IReadOnlyDictionary<string, string> Tags, byte Status,
    Gossip.Wire.ProtocolVersions Versions);

/// <summary>The payload of the queries that change the keyring.</summary>
/// <param name="Key">The key's bytes; empty to list.</param>
public sealed record KeyRequest(ReadOnlyMemory<byte> Key) : SerfMessage;

/// <summary>The answer to a query about the keyring.</summary>
/// <param name="Result">Whether it was done.</param>
/// <param name="Message">Why not, or what else there is to say.</param>
/// <param name="Keys">The keys in base64, when they were asked for.</param>
/// <param name="PrimaryKey">The primary one; empty from older members.</param>
public sealed record KeyResponse(bool Result, string Message, IReadOnlyList<string> Keys, string PrimaryKey)
    : SerfMessage;

/// <summary>A message that is to be sent on to somebody else, for the case that the direct one is lost.</summary>
/// <param name="Message">The bytes to send on: a serf message, type byte first.</param>
public sealed record Relay(IPEndPoint Destination, string DestinationNode, ReadOnlyMemory<byte> Message) : SerfMessage;

/// <summary>The names of queries that members answer themselves.</summary>
public static class InternalQueries
{
    public const string Prefix = "_serf_";
    public const string Ping = "_serf_ping";
    public const string Conflict = "_serf_conflict";
    public const string InstallKey = "_serf_install-key";
    public const string UseKey = "_serf_use-key";
    public const string RemoveKey = "_serf_remove-key";
    public const string ListKeys = "_serf_list-keys";
}
