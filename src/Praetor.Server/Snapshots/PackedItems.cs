using Codecs.MessagePack;

namespace Praetor.Server.Snapshots;

/// <summary>The maps in a list, one after the other; a view of the bytes.</summary>
internal ref struct PackedItems
{
    private readonly ReadOnlySpan<byte> _value;
    private int _at;
    private int _left;

    /// <param name="value">One whole value; what is no list is one without items.</param>
    public PackedItems(ReadOnlySpan<byte> value)
    {
        var reader = new MessagePackReader(value);
        if (!value.IsEmpty && reader.TryReadArrayHeader(out var count))
        {
            _value = value;
            (_at, _left, Count) = (reader.Position, count, count);
        }
    }

    /// <summary>How many there are.</summary>
    public int Count { get; }

    public bool TryNext(out MessagePackMap item)
    {
        item = default;
        var reader = new MessagePackReader(_value, _at);
        if (_left == 0 || !reader.TrySkip())
        {
            return false;
        }

        item = MessagePackMap.Open(_value[_at..reader.Position]);
        (_at, _left) = (reader.Position, _left - 1);
        return true;
    }
}
