using System.Buffers;
using System.Buffers.Binary;
using Praetor.Server.State;

namespace Praetor.Server.Storage;

/// <summary>Rows of a whole state as they are stored, one behind the other in one buffer.</summary>
internal sealed class RowBlock
{
    /// <summary>How many bytes of a row its indexes take, before the value.</summary>
    public const int IndexBytes = 16;

    private const int RowsMax = 2048;
    private const int BytesMax = 1024 * 1024;
    private const int BytesUsual = 64 * 1024;

    private readonly ArrayBufferWriter<byte> _values = new(BytesUsual);
    private readonly List<(byte Table, byte[] Key, int End)> _rows = new(RowsMax);

    public int Count => _rows.Count;

    /// <summary>Whether no records were left behind the last row.</summary>
    public bool IsLast { get; private set; }

    public (byte Table, byte[] Key) this[int row] => (_rows[row].Table, _rows[row].Key);

    public ReadOnlySpan<byte> Value(int row)
    {
        var start = row == 0 ? 0 : _rows[row - 1].End;
        return _values.WrittenSpan[start.._rows[row].End];
    }

    /// <summary>Fills it anew with the next records.</summary>
    public RowBlock Fill(IEnumerator<RecordChange> records)
    {
        _rows.Clear();
        _values.ResetWrittenCount();
        while (_rows.Count < RowsMax && _values.WrittenCount < BytesMax)
        {
            if (!records.MoveNext())
            {
                IsLast = true;
                break;
            }

            var change = records.Current;
            Write(_values, change);
            _rows.Add((change.Table.Id, change.Key, _values.WrittenCount));
        }

        return this;
    }

    /// <summary>Writes a row: its indexes and its value.</summary>
    public static void Write(IBufferWriter<byte> to, RecordChange change)
    {
        var head = to.GetSpan(IndexBytes);
        BinaryPrimitives.WriteUInt64LittleEndian(head, change.Record!.CreateIndex);
        BinaryPrimitives.WriteUInt64LittleEndian(head[sizeof(ulong)..], change.Record.ModifyIndex);
        to.Advance(IndexBytes);
        to.Write(change.Table.Encode(change.Record));
    }
}
