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

    internal abstract IEnumerable<(int Slot, byte[]? Old, byte[]? New)> KeysOf(StoredRecord? old, StoredRecord? record);

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

    internal override TableIndex PrimaryIndex => Primary;

    internal override byte[] PrimaryKeyOf(StoredRecord record) => Primary.KeyOf((T)record)!;

    internal override IEnumerable<(int Slot, byte[]? Old, byte[]? New)> KeysOf(StoredRecord? old, StoredRecord? record)
    {
        yield return KeyPair(Primary, (T?)old, (T?)record);
        foreach (var index in Secondary)
        {
            yield return KeyPair(index, (T?)old, (T?)record);
        }
    }

    internal override void Changed(WriteTransaction tx, StoredRecord? old, StoredRecord? record) =>
        OnChange?.Invoke(tx, (T?)old, (T?)record);

    /// <inheritdoc/>
    public override byte[] Encode(StoredRecord record) => Encoder((T)record);

    /// <inheritdoc/>
    public override StoredRecord Decode(ReadOnlySpan<byte> bytes) => Decoder(bytes);

    private static (int Slot, byte[]? Old, byte[]? New) KeyPair(TableIndex<T> index, T? old, T? record) =>
        (index.Slot, old is null ? null : index.KeyOf(old), record is null ? null : index.KeyOf(record));
}

/// <summary>Reads a record from its stored bytes.</summary>
public delegate T RecordDecoder<out T>(ReadOnlySpan<byte> bytes);
