using System.Runtime.CompilerServices;

namespace Codecs.MessagePack;

/// <summary>A map with text keys, opened for looking its members up by name; a view of the bytes it came in.</summary>
/// <remarks>
/// A member that is not there is the empty or zero value of what is asked for, as nil is. One of another type, or one
/// that is no UTF-8, is noted in <see cref="Problem"/>: who reads a record asks for all its members and looks once.
/// Where the members stand is looked up once. They are mostly written in the order of their names; asked for in that
/// order, each is found at once.
/// </remarks>
public ref struct MessagePackMap
{
    private readonly ReadOnlySpan<byte> _bytes;
    private readonly MessagePackPool? _pool;
    private readonly int _count;
    private readonly int _behind;
    private Places _places;
    private int _noted;
    private int _next;

    private MessagePackMap(ReadOnlySpan<byte> bytes, int start, int count, MessagePackPool? pool)
    {
        _bytes = bytes;
        _count = count;
        _pool = pool;
        _behind = start;
        while (_noted < Math.Min(count, Places.Max) && TryMember(_behind, out var place))
        {
            _places[_noted++] = place;
            _behind = place.End;
        }
    }

    /// <summary>What is wrong with the map or with a member that was asked for. Null: nothing so far.</summary>
    public string? Problem { get; private set; }

    /// <summary>Whether there are no members.</summary>
    public readonly bool IsEmpty => _count == 0;

    /// <summary>Opens a map; nil opens as one without members, and so does what is none, with a problem.</summary>
    /// <param name="value">One whole value, as <see cref="MessagePackReader.TrySkip"/> saw it.</param>
    /// <param name="pool">What is the same in many maps comes from here. Null: everything is made anew.</param>
    public static MessagePackMap Open(ReadOnlySpan<byte> value, MessagePackPool? pool = null)
    {
        var reader = new MessagePackReader(value);
        return reader.TryReadMapHeader(out var count)
            ? new MessagePackMap(value, reader.Position, count, pool)
            : new MessagePackMap(default, 0, 0, pool) { Problem = "a map is wanted" };
    }

    /// <summary>A member's bytes, one whole value. Empty: it is not there.</summary>
    public ReadOnlySpan<byte> Raw(scoped ReadOnlySpan<byte> name)
    {
        // Once around, from behind the member that was found last.
        for (var i = 0; i < _noted; i++)
        {
            _next = _next < _noted ? _next : 0;
            var place = _places[_next++];
            if (_bytes[place.Name..place.Value].SequenceEqual(name))
            {
                return _bytes[place.Value..place.End];
            }
        }

        var at = _behind;
        for (var i = _noted; i < _count && TryMember(at, out var place); i++)
        {
            if (_bytes[place.Name..place.Value].SequenceEqual(name))
            {
                return _bytes[place.Value..place.End];
            }

            at = place.End;
        }

        return default;
    }

    /// <summary>A text.</summary>
    public string Text(scoped ReadOnlySpan<byte> name)
    {
        var raw = Raw(name);
        if (raw.IsEmpty)
        {
            return "";
        }

        var reader = new MessagePackReader(raw);
        return TryString(ref reader, out var text) ? text : Wrong(name, "");
    }

    /// <summary>Bytes, as a view.</summary>
    public ReadOnlySpan<byte> Bytes(scoped ReadOnlySpan<byte> name)
    {
        var raw = Raw(name);
        var reader = new MessagePackReader(raw);
        if (!raw.IsEmpty && !reader.TryReadRaw(out raw))
        {
            Wrong(name, 0);
            return default;
        }

        return raw;
    }

    /// <summary>A number that is not negative.</summary>
    public ulong Number(scoped ReadOnlySpan<byte> name)
    {
        var raw = Raw(name);
        if (raw.IsEmpty)
        {
            return 0;
        }

        var reader = new MessagePackReader(raw);
        return reader.TryReadUInt64(out var value) ? value : Wrong(name, 0UL);
    }

    /// <summary>A whole number.</summary>
    public long Whole(scoped ReadOnlySpan<byte> name)
    {
        var raw = Raw(name);
        if (raw.IsEmpty)
        {
            return 0;
        }

        var reader = new MessagePackReader(raw);
        return reader.TryReadInt64(out var value) ? value : Wrong(name, 0L);
    }

    /// <summary>A whole number of 32 bits.</summary>
    public int Int(scoped ReadOnlySpan<byte> name) =>
        Whole(name) is var value and >= int.MinValue and <= int.MaxValue ? (int)value : Wrong(name, 0);

    /// <summary>A number of any kind.</summary>
    public double Double(scoped ReadOnlySpan<byte> name)
    {
        var raw = Raw(name);
        if (raw.IsEmpty)
        {
            return 0;
        }

        var reader = new MessagePackReader(raw);
        return reader.TryReadDouble(out var value) ? value : Wrong(name, 0.0);
    }

    /// <summary>Yes or no.</summary>
    public bool Flag(scoped ReadOnlySpan<byte> name)
    {
        var raw = Raw(name);
        if (raw.IsEmpty)
        {
            return false;
        }

        var reader = new MessagePackReader(raw);
        return reader.TryReadBoolean(out var value) ? value : Wrong(name, false);
    }

    /// <summary>A list of texts. Null: it is not there, or nil.</summary>
    public IReadOnlyList<string>? Texts(scoped ReadOnlySpan<byte> name)
    {
        var raw = Raw(name);
        if (IsNil(raw))
        {
            return null;
        }

        if (_pool?.Find<IReadOnlyList<string>>(raw) is { } known)
        {
            return known;
        }

        var reader = new MessagePackReader(raw);
        if (!reader.TryReadArrayHeader(out var count))
        {
            return Wrong<IReadOnlyList<string>?>(name, null);
        }

        var texts = new string[count];
        for (var i = 0; i < count; i++)
        {
            if (!TryString(ref reader, out texts[i]))
            {
                return Wrong<IReadOnlyList<string>?>(name, null);
            }
        }

        _pool?.Keep(raw, texts);
        return texts;
    }

    /// <summary>A map of texts. Null: it is not there, or nil.</summary>
    public IReadOnlyDictionary<string, string>? TextMap(scoped ReadOnlySpan<byte> name)
    {
        var raw = Raw(name);
        if (IsNil(raw))
        {
            return null;
        }

        if (_pool?.Find<IReadOnlyDictionary<string, string>>(raw) is { } known)
        {
            return known;
        }

        var reader = new MessagePackReader(raw);
        if (!reader.TryReadMapHeader(out var count))
        {
            return Wrong<IReadOnlyDictionary<string, string>?>(name, null);
        }

        var map = new Dictionary<string, string>(count, StringComparer.Ordinal);
        for (var i = 0; i < count; i++)
        {
            if (!TryString(ref reader, out var key) || !TryString(ref reader, out var value))
            {
                return Wrong<IReadOnlyDictionary<string, string>?>(name, null);
            }

            map[key] = value;
        }

        _pool?.Keep(raw, map);
        return map;
    }

    /// <summary>A map within.</summary>
    public MessagePackMap Map(scoped ReadOnlySpan<byte> name)
    {
        var raw = Raw(name);
        return raw.IsEmpty ? default : Open(raw, _pool);
    }

    /// <summary>Notes what is wrong with a map within.</summary>
    public void Take(scoped in MessagePackMap inner) => Problem ??= inner.Problem;

    /// <summary>Whether a member is not there, or nil.</summary>
    public bool Lacks(scoped ReadOnlySpan<byte> name) => IsNil(Raw(name));

    private static bool IsNil(ReadOnlySpan<byte> raw) => raw.IsEmpty || raw[0] == MessagePackFormat.Nil;

    private readonly bool TryString(ref MessagePackReader reader, out string text)
    {
        if (_pool is null)
        {
            return reader.TryReadString(out text);
        }

        text = "";
        return reader.TryReadRaw(out var raw) && _pool.TryText(raw, out text);
    }

    private bool TryMember(int start, out Place place)
    {
        place = default;
        var reader = new MessagePackReader(_bytes, start);
        if (!reader.TryReadRaw(out var name))
        {
            Problem ??= "a member's name is no text";
            return false;
        }

        var value = reader.Position;
        if (!reader.TrySkip())
        {
            Problem ??= "a member is cut short";
            return false;
        }

        place = new Place(value - name.Length, value, reader.Position);
        return true;
    }

    private T Wrong<T>(scoped ReadOnlySpan<byte> name, T value)
    {
        Problem ??= $"\"{System.Text.Encoding.UTF8.GetString(name)}\" is of another type";
        return value;
    }

    /// <summary>Where a member's name and value begin, and where it ends.</summary>
    private readonly record struct Place(int Name, int Value, int End);

    /// <summary>Where the members are; of a larger map the rest is looked for each time.</summary>
    [InlineArray(Max)]
    private struct Places
    {
        public const int Max = 24;

        private Place _first;
    }
}
