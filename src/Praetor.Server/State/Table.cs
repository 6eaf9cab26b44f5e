namespace Praetor.Server.State;

/// <summary>One way to find records: a key made from the record, and the tree in which it stands.</summary>
/// <param name="Slot">The tree's place in a <see cref="StateSnapshot"/>.</param>
public abstract record TableIndex(int Slot);

/// <summary>A typed <see cref="TableIndex"/>.</summary>
/// <param name="Slot">The tree's place in a <see cref="StateSnapshot"/>.</param>
/// <param name="KeyOf">The record's key in this index, unique in it; null: the record is not in this index.</param>
public sealed record TableIndex<T>(int Slot, Func<T, byte[]?> KeyOf) : TableIndex(Slot)
    where T : StoredRecord;

/// <summary>A kind of record: how it is found, how it is stored, what else a change of it touches.</summary>
public abstract class Table
{
    /// <summary>The number that stands for the table on disk; append-only, never reused.</summary>
    public required byte Id { get; init; }

    /// <summary>The table's name, for people.</summary>
    public required string Name { get; init; }

    internal abstract TableIndex PrimaryIndex { get; }

    internal abstract byte[] PrimaryKeyOf(StoredRecord record);

    /// <summary>How many further ways to find records there are.</summary>
    internal abstract int SecondaryCount { get; }

    /// <summary>Puts a record in place of another in every index.</summary>
    internal abstract void Move(WriteTransaction tx, StoredRecord? old, StoredRecord? record, ulong index);

    /// <summary>Fills one of the further indexes from the primary one.</summary>
    internal abstract void Fill(WriteTransaction tx, int secondary);

    /// <summary>Notes what follows from all records, once every index is filled.</summary>
    internal abstract void Filled(WriteTransaction tx);

    internal abstract void Changed(WriteTransaction tx, StoredRecord? old, StoredRecord? record);

    /// <summary>The record as bytes, without its indexes.</summary>
    public abstract byte[] Encode(StoredRecord record);

    /// <summary>The record that <see cref="Encode"/> wrote.</summary>
    /// <exception cref="System.Text.Json.JsonException">The bytes are not such a record.</exception>
    public abstract StoredRecord Decode(ReadOnlySpan<byte> bytes);
}

/// <summary>A typed <see cref="Table"/>.</summary>
public sealed class Table<T> : Table
    where T : StoredRecord
{
    /// <summary>The index by which a record is unique and stored.</summary>
    public required TableIndex<T> Primary { get; init; }

    /// <summary>Further ways to find records.</summary>
    public IReadOnlyList<TableIndex<T>> Secondary { get; init; } = [];

    /// <summary>Turns a record into bytes.</summary>
    public required Func<T, byte[]> Encoder { get; init; }

    /// <summary>Turns bytes into a record.</summary>
    public required RecordDecoder<T> Decoder { get; init; }

    /// <summary>Called for each change, old or new being null for a put of something new or a removal.</summary>
    public Action<WriteTransaction, T?, T?>? OnChange { get; init; }

    /// <summary>Called in place of <see cref="OnChange"/>, once, when a whole state was put together.</summary>
    public Action<WriteTransaction>? OnFilled { get; init; }

    internal override TableIndex PrimaryIndex => Primary;

    internal override int SecondaryCount => Secondary.Count;

    internal override byte[] PrimaryKeyOf(StoredRecord record) => Primary.KeyOf((T)record)!;

    internal override void Move(WriteTransaction tx, StoredRecord? old, StoredRecord? record, ulong index)
    {
        Move(tx, Primary, (T?)old, (T?)record, index);
        for (var i = 0; i < Secondary.Count; i++)
        {
            Move(tx, Secondary[i], (T?)old, (T?)record, index);
        }
    }

    internal override void Fill(WriteTransaction tx, int secondary)
    {
        var index = Secondary[secondary];
        foreach (var record in tx.TreeOf(Primary).Scan([]))
        {
            if (index.KeyOf((T)record) is { } key)
            {
                tx.Restore(index, key, record);
            }
        }
    }

    internal override void Filled(WriteTransaction tx) => OnFilled?.Invoke(tx);

    internal override void Changed(WriteTransaction tx, StoredRecord? old, StoredRecord? record) =>
        OnChange?.Invoke(tx, (T?)old, (T?)record);

    /// <inheritdoc/>
    public override byte[] Encode(StoredRecord record) => Encoder((T)record);

    /// <inheritdoc/>
    public override StoredRecord Decode(ReadOnlySpan<byte> bytes) => Decoder(bytes);

    private static void Move(WriteTransaction tx, TableIndex<T> index, T? old, T? record, ulong at) => tx.Move(
        index.Slot, old is null ? null : index.KeyOf(old), record is null ? null : index.KeyOf(record), record, at);
}

/// <summary>Reads a record from its stored bytes.</summary>
public delegate T RecordDecoder<out T>(ReadOnlySpan<byte> bytes);
