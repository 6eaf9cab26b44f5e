using System.Text;
using Codecs.Protobuf;

namespace Praetor.Server.Storage.Etcd;

/// <summary>A message of a watch.</summary>
/// <param name="Events">What changed.</param>
/// <param name="IsCanceled">Whether etcd ended the watch.</param>
/// <param name="CompactedTo">When it ended because what it asked for is compacted: what is kept begins here; else
/// 0.</param>
/// <param name="Reason">Why it was ended; empty when etcd does not say.</param>
internal sealed record EtcdWatchAnswer(
    IReadOnlyList<EtcdEvent> Events, bool IsCanceled, long CompactedTo, string Reason);

/// <summary>Reads the message of an answer; false: it is malformed.</summary>
internal delegate bool EtcdDecoder<T>(ReadOnlySpan<byte> message, out T answer);

/// <summary>Reads etcd's answers, as far as we ask for them. They never throw on bad bytes.</summary>
internal static class EtcdAnswers
{
    /// <summary>The kind of alarm that is raised when there is no space.</summary>
    public const ulong NoSpaceAlarm = 1;

    private const string NoSpaceText = "alarm:NOSPACE";

    /// <summary>An answer of which only its coming matters.</summary>
    public static bool TryReadNothing(ReadOnlySpan<byte> message, out bool answer)
    {
        answer = true;
        return true;
    }

    /// <summary>TxnResponse.</summary>
    public static bool TryReadTxn(ReadOnlySpan<byte> message, out EtcdTxnAnswer answer)
    {
        var (succeeded, header, isSound) = (false, default(Header), true);
        var answers = new List<EtcdOpAnswer>();
        var reader = new ProtobufReader(message);
        while (reader.Next())
        {
            switch (reader.Field)
            {
                case 1:
                    isSound &= TryReadHeader(reader.Bytes, out header);
                    break;
                case 2:
                    succeeded = reader.Number != 0;
                    break;
                case 3:
                    isSound &= TryReadOp(reader.Bytes, answers);
                    break;
            }
        }

        answer = new EtcdTxnAnswer(succeeded, header.Revision, answers);
        return isSound && !reader.IsMalformed;
    }

    /// <summary>StatusResponse.</summary>
    public static bool TryReadStatus(ReadOnlySpan<byte> message, out EtcdStatus answer)
    {
        var (header, isSound) = (default(Header), true);
        answer = new EtcdStatus(0, 0, 0, "", 0, 0, false, 0, false);
        var reader = new ProtobufReader(message);
        while (reader.Next())
        {
            var number = reader.Number;
            switch (reader.Field)
            {
                case 1:
                    isSound &= TryReadHeader(reader.Bytes, out header);
                    break;
                case 8:
                    answer = answer with { HasSpaceAlarm = answer.HasSpaceAlarm || Text(reader).Contains(NoSpaceText) };
                    break;
                default:
                    answer = reader.Field switch
                    {
                        2 => answer with { Version = Text(reader) },
                        3 => answer with { FileBytes = (long)number },
                        4 => answer with { LeaderId = number },
                        6 => answer with { Term = number },
                        9 => answer with { UsedBytes = (long)number },
                        10 => answer with { IsLearner = number != 0 },
                        _ => answer,
                    };
                    break;
            }
        }

        answer = answer with { MemberId = header.MemberId, Revision = header.Revision };
        return isSound && !reader.IsMalformed;
    }

    /// <summary>MemberListResponse.</summary>
    public static bool TryReadMembers(ReadOnlySpan<byte> message, out IReadOnlyList<EtcdMember> answer)
    {
        var members = new List<EtcdMember>();
        var isSound = true;
        var reader = new ProtobufReader(message);
        while (reader.Next())
        {
            if (reader.Field == 2)
            {
                isSound &= TryReadMember(reader.Bytes, out var member);
                members.Add(member);
            }
        }

        answer = members;
        return isSound && !reader.IsMalformed;
    }

    /// <summary>AlarmResponse: the members that have no space.</summary>
    public static bool TryReadMembersWithoutSpace(ReadOnlySpan<byte> message, out List<ulong> answer)
    {
        answer = [];
        var isSound = true;
        var reader = new ProtobufReader(message);
        while (reader.Next())
        {
            if (reader.Field != 2)
            {
                continue;
            }

            var (member, kind) = (0UL, 0UL);
            var alarm = new ProtobufReader(reader.Bytes);
            while (alarm.Next())
            {
                (member, kind) = (
                    alarm.Field == 1 ? alarm.Number : member, alarm.Field == 2 ? alarm.Number : kind);
            }

            isSound &= !alarm.IsMalformed;
            if (kind == NoSpaceAlarm)
            {
                answer.Add(member);
            }
        }

        return isSound && !reader.IsMalformed;
    }

    /// <summary>WatchResponse.</summary>
    public static bool TryReadWatch(ReadOnlySpan<byte> message, out EtcdWatchAnswer answer)
    {
        var (canceled, compacted, reason, isSound) = (false, 0L, "", true);
        var events = new List<EtcdEvent>();
        var reader = new ProtobufReader(message);
        while (reader.Next())
        {
            switch (reader.Field)
            {
                case 4:
                    canceled = reader.Number != 0;
                    break;
                case 5:
                    compacted = (long)reader.Number;
                    break;
                case 6:
                    reason = Text(reader);
                    break;
                case 11:
                    isSound &= TryReadEvent(reader.Bytes, events);
                    break;
            }
        }

        answer = new EtcdWatchAnswer(events, canceled, compacted, reason);
        return isSound && !reader.IsMalformed;
    }

    private static bool TryReadHeader(ReadOnlySpan<byte> message, out Header header)
    {
        header = default;
        var reader = new ProtobufReader(message);
        while (reader.Next())
        {
            header = reader.Field switch
            {
                2 => header with { MemberId = reader.Number },
                3 => header with { Revision = (long)reader.Number },
                _ => header,
            };
        }

        return !reader.IsMalformed;
    }

    // ResponseOp: of its choices only a range tells anything.
    private static bool TryReadOp(ReadOnlySpan<byte> message, List<EtcdOpAnswer> answers)
    {
        const int Range = 1;
        var isSound = true;
        var answer = new EtcdOpAnswer([]);
        var reader = new ProtobufReader(message);
        while (reader.Next())
        {
            if (reader.Field == Range)
            {
                isSound &= TryReadRange(reader.Bytes, out answer);
            }
        }

        answers.Add(answer);
        return isSound && !reader.IsMalformed;
    }

    private static bool TryReadRange(ReadOnlySpan<byte> message, out EtcdOpAnswer answer)
    {
        var isSound = true;
        var rows = new List<EtcdRow>();
        var reader = new ProtobufReader(message);
        while (reader.Next())
        {
            if (reader.Field == 2)
            {
                isSound &= TryReadRow(reader.Bytes, out var row);
                rows.Add(row);
            }
        }

        answer = new EtcdOpAnswer(rows);
        return isSound && !reader.IsMalformed;
    }

    private static bool TryReadRow(ReadOnlySpan<byte> message, out EtcdRow row)
    {
        ReadOnlySpan<byte> key = default, value = default;
        var revision = 0L;
        var reader = new ProtobufReader(message);
        while (reader.Next())
        {
            switch (reader.Field)
            {
                case 1:
                    key = reader.Bytes;
                    break;
                case 3:
                    revision = (long)reader.Number;
                    break;
                case 5:
                    value = reader.Bytes;
                    break;
            }
        }

        row = new EtcdRow(key.ToArray(), value.ToArray(), revision);
        return !reader.IsMalformed;
    }

    private static bool TryReadEvent(ReadOnlySpan<byte> message, List<EtcdEvent> events)
    {
        const ulong Delete = 1;
        var (row, removed, isSound) = (new EtcdRow([], [], 0), false, true);
        var reader = new ProtobufReader(message);
        while (reader.Next())
        {
            if (reader.Field == 1)
            {
                removed = reader.Number == Delete;
            }
            else if (reader.Field == 2)
            {
                isSound &= TryReadRow(reader.Bytes, out row);
            }
        }

        events.Add(new EtcdEvent(row, removed));
        return isSound && !reader.IsMalformed;
    }

    private static bool TryReadMember(ReadOnlySpan<byte> message, out EtcdMember member)
    {
        var (id, name, isLearner) = (0UL, "", false);
        var urls = new List<string>();
        var reader = new ProtobufReader(message);
        while (reader.Next())
        {
            switch (reader.Field)
            {
                case 1:
                    id = reader.Number;
                    break;
                case 2:
                    name = Text(reader);
                    break;
                case 3:
                    urls.Add(Text(reader));
                    break;
                case 5:
                    isLearner = reader.Number != 0;
                    break;
            }
        }

        member = new EtcdMember(id, name, urls, isLearner);
        return !reader.IsMalformed;
    }

    private static string Text(ProtobufReader reader) => Encoding.UTF8.GetString(reader.Bytes);

    // ResponseHeader: who answers, and the store's revision there.
    private readonly record struct Header(ulong MemberId, long Revision);
}
