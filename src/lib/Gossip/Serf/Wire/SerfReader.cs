using System.Diagnostics.CodeAnalysis;
using System.Net;
using Codecs.MessagePack;
using Gossip.Wire;

namespace Gossip.Serf.Wire;

/// <summary>
/// Turns bytes that anybody may have sent into records. Each collection is as long as it says only after it was
/// stepped over once, so what it takes is in proportion to its bytes.
/// </summary>
internal static class SerfReader
{
    private const long NanosecondsPerTick = 100;

    // Eight times what a query of the usual size can hold.
    private const int FiltersMax = 1024;

    public static bool TryRead(ReadOnlySpan<byte> bytes, [NotNullWhen(true)] out SerfMessage? message)
    {
        message = null;
        if (bytes.IsEmpty)
        {
            return false;
        }
        var type = (SerfMessageType)bytes[0];
        var reader = new MessagePackReader(bytes, start: 1);
        if (!SerfFields.TryRead(ref reader, out SerfFields fields))
        {
            return false;
        }
        message = type switch
        {
            SerfMessageType.Leave => new LeaveIntent(fields.LTime, fields.Node, fields.Prune),
            SerfMessageType.Join => new JoinIntent(fields.LTime, fields.Node),
            SerfMessageType.UserEvent => new UserEvent(
                fields.LTime, fields.Name, fields.Payload.ToArray(), fields.CanCoalesce),
            SerfMessageType.PushPull => PushPull(bytes, fields),
            SerfMessageType.Query => Query(bytes, fields),
            SerfMessageType.QueryResponse => new QueryResponse(
                fields.LTime, fields.Id, fields.From, (QueryFlags)fields.Flags, fields.Payload.ToArray()),
            SerfMessageType.ConflictResponse => Conflict(bytes, fields),
            SerfMessageType.KeyRequest => new KeyRequest(fields.Key.ToArray()),
            SerfMessageType.KeyResponse => TryReadTexts(bytes, fields.KeysAt, out string[] keys)
                ? new KeyResponse(fields.Result, fields.Message, keys, fields.PrimaryKey)
                : null,
            SerfMessageType.Relay => Relay(bytes, fields, bytes[reader.Position..]),
            _ => null,
        };
        return message is not null;
    }

    private static SerfPushPull? PushPull(ReadOnlySpan<byte> bytes, in SerfFields fields) =>
        TryReadStatusLTimes(bytes, fields.StatusLTimesAt, out StatusLTime[] statuses)
        && TryReadTexts(bytes, fields.LeftMembersAt, out string[] left)
        && TryReadEvents(bytes, fields.EventsAt, out List<UserEventsAt> events)
            ? new SerfPushPull(fields.LTime, statuses, left, fields.EventLTime, events, fields.QueryLTime)
            : null;

    private static Query? Query(ReadOnlySpan<byte> bytes, in SerfFields fields) =>
        WireAddress.TryRead(fields.Address, (ushort)fields.Port, out IPEndPoint? source)
        && TryReadFilters(bytes, fields.FiltersAt, out ReadOnlyMemory<byte>[] filters)
            ? new Query(
                fields.LTime, fields.Id, source!, fields.SourceNode, filters, (QueryFlags)fields.Flags,
                (byte)fields.RelayFactor, TimeSpan.FromTicks(fields.Timeout / NanosecondsPerTick), fields.Name,
                fields.Payload.ToArray())
            : null;

    private static ConflictResponse? Conflict(ReadOnlySpan<byte> bytes, in SerfFields fields)
    {
        if (fields.Name.Length == 0)
        {
            return new ConflictResponse(null);
        }
        var reader = new MessagePackReader(bytes, fields.TagsAt);
        IReadOnlyDictionary<string, string>? tags = new Dictionary<string, string>(StringComparer.Ordinal);
        return (fields.TagsAt == SerfFields.Absent || TagsCodec.TryReadMap(ref reader, out tags))
            && WireAddress.TryRead(fields.Address, (ushort)fields.Port, out IPEndPoint? address)
                ? new ConflictResponse(
                    new SerfMemberInfo(fields.Name, address!, tags, (byte)fields.Status, fields.Versions))
                : null;
    }

    private static Relay? Relay(ReadOnlySpan<byte> bytes, in SerfFields fields, ReadOnlySpan<byte> message)
    {
        if (fields.DestinationAt == SerfFields.Absent || message.IsEmpty)
        {
            return null;
        }
        var reader = new MessagePackReader(bytes, fields.DestinationAt);
        return SerfFields.TryRead(ref reader, out SerfFields to)
            && WireAddress.TryRead(to.Address, (ushort)to.Port, out IPEndPoint? destination)
                ? new Relay(destination!, fields.DestinationNode, message.ToArray())
                : null;
    }

    private static bool TryReadStatusLTimes(ReadOnlySpan<byte> bytes, int at, out StatusLTime[] statuses)
    {
        statuses = [];
        if (at == SerfFields.Absent)
        {
            return true;
        }
        var reader = new MessagePackReader(bytes, at);
        if (!reader.TryReadMapHeader(out int count))
        {
            return false;
        }
        statuses = new StatusLTime[count];
        for (int i = 0; i < count; i++)
        {
            if (!reader.TryReadString(out string node) || !reader.TryReadUInt64(out ulong time))
            {
                return false;
            }
            statuses[i] = new StatusLTime(node, time);
        }
        return true;
    }

    /// <summary>Goes to an array; one that is not there has no elements.</summary>
    private static bool TryOpenArray(ReadOnlySpan<byte> bytes, int at, out MessagePackReader reader, out int count)
    {
        count = 0;
        reader = new MessagePackReader(bytes, Math.Max(at, 0));
        return at == SerfFields.Absent || reader.TryReadArrayHeader(out count);
    }

    private static bool TryReadTexts(ReadOnlySpan<byte> bytes, int at, out string[] texts)
    {
        texts = [];
        if (!TryOpenArray(bytes, at, out MessagePackReader reader, out int count))
        {
            return false;
        }
        texts = new string[count];
        for (int i = 0; i < count; i++)
        {
            if (!reader.TryReadString(out texts[i]))
            {
                return false;
            }
        }
        return true;
    }

    private static bool TryReadFilters(ReadOnlySpan<byte> bytes, int at, out ReadOnlyMemory<byte>[] filters)
    {
        filters = [];
        if (!TryOpenArray(bytes, at, out MessagePackReader reader, out int count) || count > FiltersMax)
        {
            return false;
        }
        filters = new ReadOnlyMemory<byte>[count];
        for (int i = 0; i < count; i++)
        {
            if (!reader.TryReadRaw(out ReadOnlySpan<byte> filter))
            {
                return false;
            }
            filters[i] = filter.ToArray();
        }
        return true;
    }

    // Serf sends its whole ring of moments, of which most are empty: those are left out.
    private static bool TryReadEvents(ReadOnlySpan<byte> bytes, int at, out List<UserEventsAt> events)
    {
        events = [];
        if (!TryOpenArray(bytes, at, out MessagePackReader reader, out int count))
        {
            return false;
        }
        while (count-- > 0)
        {
            if (!SerfFields.TryRead(ref reader, out SerfFields moment)
                || !TryReadMoment(bytes, moment.EventsAt, out List<RecentUserEvent>? inside))
            {
                return false;
            }
            if (inside is not null)
            {
                events.Add(new UserEventsAt(moment.LTime, inside));
            }
        }
        return true;
    }

    // An event without a name is none; with one it has bytes enough to pay for its record.
    private static bool TryReadMoment(ReadOnlySpan<byte> bytes, int at, out List<RecentUserEvent>? events)
    {
        events = null;
        if (!TryOpenArray(bytes, at, out MessagePackReader reader, out int count))
        {
            return false;
        }
        while (count-- > 0)
        {
            if (!SerfFields.TryRead(ref reader, out SerfFields happened))
            {
                return false;
            }
            if (happened.Name.Length > 0)
            {
                (events ??= []).Add(new RecentUserEvent(happened.Name, happened.Payload.ToArray()));
            }
        }
        return true;
    }
}
