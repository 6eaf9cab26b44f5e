using Codecs.MessagePack;

namespace Codecs.Snapshots;

/// <summary>Writes a record's value.</summary>
public delegate void WriteRecord<in T>(ref MessagePackWriter writer, T record);

/// <summary>Gathers the records of a state in blocks, in order. Used by one thread.</summary>
public sealed class SnapshotBlocks
{
    /// <summary>How large a block is, unless one record alone is larger: 1 MiB.</summary>
    public const int BlockBytes = 1024 * 1024;

    private byte[] _block = new byte[BlockBytes];
    private int _length;
    private ArraySegment<byte>? _full;

    /// <summary>How many bytes were added.</summary>
    public long Bytes { get; private set; }

    /// <summary>Adds the value that stands before all records.</summary>
    public void AddHeader(ulong index) => Add(null, index, static (ref MessagePackWriter writer, ulong last) =>
    {
        writer.WriteMapHeader(1);
        writer.WriteRaw("LastIndex"u8);
        writer.WriteUInt64(last);
    });

    /// <summary>Adds a record. A block that is full must be taken before the next is added.</summary>
    public void Add<T>(byte type, T record, WriteRecord<T> write) => Add((byte?)type, record, write);

    /// <summary>Takes a block that is full; it is the caller's then.</summary>
    public bool TryTake(out ArraySegment<byte> block)
    {
        block = _full ?? default;
        var has = _full is not null;
        _full = null;
        return has;
    }

    /// <summary>Takes what is left at the end, after the full blocks.</summary>
    public ArraySegment<byte> TakeRest()
    {
        var rest = new ArraySegment<byte>(_block, 0, _length);
        (_block, _length) = (new byte[BlockBytes], 0);
        return rest;
    }

    private void Add<T>(byte? type, T record, WriteRecord<T> write)
    {
        while (true)
        {
            var writer = new MessagePackWriter(_block, _length);
            if (type is { } number)
            {
                writer.WriteByte(number);
            }

            write(ref writer, record);
            if (!writer.Overflowed)
            {
                Bytes += writer.Length - _length;
                _length = writer.Length;
                return;
            }

            if (_length > 0 && _full is null)
            {
                (_full, _block, _length) = (new ArraySegment<byte>(_block, 0, _length), new byte[BlockBytes], 0);
            }
            else
            {
                Array.Resize(ref _block, _block.Length * 2);
            }
        }
    }
}
