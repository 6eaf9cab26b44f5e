using System.Buffers;
using System.Buffers.Binary;
using Praetor.Server.Model;
using Praetor.Server.State;
using Praetor.Server.Storage;

namespace Praetor.Server.Replication;

/// <summary>A batch as it stands in the log.</summary>
/// <param name="Epoch">Which leadership wrote it; only one ever has that number.</param>
/// <param name="LastIndex">The index of its last command.</param>
/// <param name="Changes">What it did, in order.</param>
internal sealed record LogEntry(ulong Epoch, ulong LastIndex, IReadOnlyList<RecordChange> Changes);

/// <summary>Changes as bytes: the log's entries and the parts of snapshots.</summary>
/// <remarks>
/// An entry: version (1 byte), epoch, last index (8 bytes each, little-endian), changes until the end. A change: table
/// (1 byte), what follows (1: a record, 0: a removal), its index, then create index and value, or the key that was
/// removed; lengths are 4 bytes.
/// </remarks>
internal static class ChangeCodec
{
    /// <summary>How long an entry is before its first change.</summary>
    public const int HeaderBytes = 1 + (2 * sizeof(ulong));

    private const byte Version = 1;
    private const byte Removed = 0;
    private const byte Present = 1;

    public static void WriteHeader(IBufferWriter<byte> to, ulong epoch, ulong lastIndex)
    {
        var span = to.GetSpan(HeaderBytes);
        span[0] = Version;
        BinaryPrimitives.WriteUInt64LittleEndian(span[1..], epoch);
        BinaryPrimitives.WriteUInt64LittleEndian(span[(1 + sizeof(ulong))..], lastIndex);
        to.Advance(HeaderBytes);
    }

    public static void Write(IBufferWriter<byte> to, RecordChange change)
    {
        var span = to.GetSpan(2);
        span[0] = change.Table.Id;
        span[1] = change.Record is null ? Removed : Present;
        to.Advance(2);
        WriteNumber(to, change.Index);
        if (change.Record is null)
        {
            WriteBytes(to, change.Key);
            return;
        }

        WriteNumber(to, change.Record.CreateIndex);
        WriteBytes(to, change.Bytes());
    }

    /// <summary>How many bytes a change takes.</summary>
    /// <param name="change">The change.</param>
    /// <param name="keeps">Whether what was encoded for it is kept.</param>
    public static long SizeOf(RecordChange change, bool keeps) => 2 + sizeof(ulong) + sizeof(int)
        + (change.Record is null ? change.Key.Length : sizeof(ulong) + change.Bytes(keeps).Length);

    /// <summary>Reads an entry.</summary>
    /// <exception cref="StorageFailedException">The bytes are none of this version's.</exception>
    public static LogEntry Read(ReadOnlySpan<byte> bytes)
    {
        if (bytes.Length < HeaderBytes || bytes[0] != Version)
        {
            throw Broken(bytes.Length > 0 && bytes[0] > Version
                ? "it was written by a newer version; run that" : "it is cut short");
        }

        var epoch = BinaryPrimitives.ReadUInt64LittleEndian(bytes[1..]);
        var last = BinaryPrimitives.ReadUInt64LittleEndian(bytes[(1 + sizeof(ulong))..]);
        return new LogEntry(epoch, last, ReadChanges(bytes[HeaderBytes..]));
    }

    /// <summary>Reads changes up to the end of the bytes.</summary>
    /// <exception cref="StorageFailedException">The bytes are none of this version's.</exception>
    public static List<RecordChange> ReadChanges(ReadOnlySpan<byte> bytes)
    {
        var changes = new List<RecordChange>();
        while (bytes.Length > 0)
        {
            changes.Add(ReadChange(ref bytes));
        }

        return changes;
    }

    private static RecordChange ReadChange(ref ReadOnlySpan<byte> bytes)
    {
        var head = Take(ref bytes, 2);
        var table = Tables.ById(head[0])
            ?? throw Broken($"it holds table {head[0]}, which this version does not know; run the newer version");
        var index = TakeNumber(ref bytes);
        if (head[1] == Removed)
        {
            return new RecordChange(table, TakeBytes(ref bytes).ToArray(), null, index);
        }

        var created = TakeNumber(ref bytes);
        var record = table.Decode(TakeBytes(ref bytes)) with { CreateIndex = created, ModifyIndex = index };
        return new RecordChange(table, table.PrimaryKeyOf(record), record, index);
    }

    private static void WriteNumber(IBufferWriter<byte> to, ulong number)
    {
        BinaryPrimitives.WriteUInt64LittleEndian(to.GetSpan(sizeof(ulong)), number);
        to.Advance(sizeof(ulong));
    }

    private static void WriteBytes(IBufferWriter<byte> to, ReadOnlySpan<byte> bytes)
    {
        BinaryPrimitives.WriteInt32LittleEndian(to.GetSpan(sizeof(int)), bytes.Length);
        to.Advance(sizeof(int));
        to.Write(bytes);
    }

    private static ReadOnlySpan<byte> Take(ref ReadOnlySpan<byte> bytes, int count)
    {
        if (count < 0 || bytes.Length < count)
        {
            throw Broken("it is cut short");
        }

        var taken = bytes[..count];
        bytes = bytes[count..];
        return taken;
    }

    private static ulong TakeNumber(ref ReadOnlySpan<byte> bytes) =>
        BinaryPrimitives.ReadUInt64LittleEndian(Take(ref bytes, sizeof(ulong)));

    private static ReadOnlySpan<byte> TakeBytes(ref ReadOnlySpan<byte> bytes) =>
        Take(ref bytes, BinaryPrimitives.ReadInt32LittleEndian(Take(ref bytes, sizeof(int))));

    private static StorageFailedException Broken(string why) =>
        new($"the replicated log cannot be read: {why}");
}
