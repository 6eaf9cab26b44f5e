namespace Praetor.Agent.Events;

/// <summary>Reads MessagePack; what is not there or not so is refused.</summary>
internal ref struct PackReader(ReadOnlySpan<byte> bytes)
{
    private ReadOnlySpan<byte> _rest = bytes;

    public bool TryMap(out int count)
    {
        count = 0;
        if (!TryTake(1, out var head))
        {
            return false;
        }

        switch (head[0])
        {
            case >= 0x80 and <= 0x8f:
                count = head[0] & 0x0f;
                return true;
            case 0xde:
                return TryLength(2, out count);
            default:
                return false;
        }
    }

    public bool TryRaw(out ReadOnlySpan<byte> raw)
    {
        raw = default;
        if (!TryTake(1, out var head))
        {
            return false;
        }

        int length;
        switch (head[0])
        {
            case >= 0xa0 and <= 0xbf:
                length = head[0] & 0x1f;
                break;
            case 0xc0:
                return true;
            case 0xc4 or 0xd9:
                if (!TryLength(1, out length))
                {
                    return false;
                }

                break;
            case 0xc5 or 0xda:
                if (!TryLength(2, out length))
                {
                    return false;
                }

                break;
            default:
                return false;
        }

        return TryTake(length, out raw);
    }

    public bool TryWhole(out long value)
    {
        value = 0;
        if (!TryTake(1, out var head))
        {
            return false;
        }

        var size = head[0] switch
        {
            0xcc or 0xd0 => 1,
            0xcd or 0xd1 => 2,
            0xce or 0xd2 => 4,
            0xcf or 0xd3 => 8,
            _ => 0,
        };
        if (size == 0)
        {
            value = (sbyte)head[0];
            return head[0] is <= 0x7f or >= 0xe0;
        }

        if (!TryTake(size, out var number))
        {
            return false;
        }

        value = head[0] >= 0xd0 && (number[0] & 0x80) != 0 ? -1 : 0;
        foreach (var b in number)
        {
            value = (value << 8) | b;
        }

        return true;
    }

    public bool TrySkip(int depth)
    {
        if (depth == 0 || _rest.IsEmpty)
        {
            return false;
        }

        var head = _rest[0];
        switch (head)
        {
            case >= 0xa0 and <= 0xbf or 0xc4 or 0xc5 or 0xd9 or 0xda:
                return TryRaw(out _);
            case >= 0x80 and <= 0x8f or 0xde:
                return TryMap(out var pairs) && TrySkipAll(2 * pairs, depth - 1);
            case >= 0x90 and <= 0x9f:
                _rest = _rest[1..];
                return TrySkipAll(head & 0x0f, depth - 1);
            case 0xdc:
                _rest = _rest[1..];
                return TryLength(2, out var items) && TrySkipAll(items, depth - 1);
            case 0xc0 or 0xc2 or 0xc3:
                _rest = _rest[1..];
                return true;
            case 0xca:
                return TryTake(1 + sizeof(float), out _);
            case 0xcb:
                return TryTake(1 + sizeof(double), out _);
            default:
                return TryWhole(out _);
        }
    }

    private bool TrySkipAll(int count, int depth)
    {
        for (var i = 0; i < count; i++)
        {
            if (!TrySkip(depth))
            {
                return false;
            }
        }

        return true;
    }

    private bool TryLength(int bytes, out int length)
    {
        length = 0;
        if (!TryTake(bytes, out var number))
        {
            return false;
        }

        foreach (var b in number)
        {
            length = (length << 8) | b;
        }

        return true;
    }

    private bool TryTake(int count, out ReadOnlySpan<byte> taken)
    {
        taken = default;
        if (count > _rest.Length)
        {
            return false;
        }

        taken = _rest[..count];
        _rest = _rest[count..];
        return true;
    }
}
