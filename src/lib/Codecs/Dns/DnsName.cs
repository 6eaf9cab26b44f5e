using System.Text;

namespace Codecs.Dns;

/// <summary>Names between their wire form (labels with lengths) and their text form ("web.service.consul.").</summary>
public static class DnsName
{
    private const int EscapeDigits = 3;

    /// <summary>The wire form of a dotted name; null when a label or the whole is too long or empty inside.</summary>
    /// <remarks>A backslash takes the next character, or the byte of three decimal digits, as it is.</remarks>
    public static byte[]? Encode(string text)
    {
        var wire = new byte[DnsLimits.NameBytesMax];
        int length = 1;
        int label = 0;
        byte[] bytes = Encoding.UTF8.GetBytes(text);
        for (int i = 0; i < bytes.Length; i++)
        {
            int value = bytes[i];
            if (value == '.')
            {
                if (bytes.Length == 1)
                {
                    return [0];
                }
                if (!Close(wire, ref label, ref length))
                {
                    return null;
                }
                continue;
            }
            value = value == '\\' ? Unescape(bytes, ref i) : value;
            if (length >= wire.Length)
            {
                return null;
            }
            wire[length++] = (byte)value;
        }
        bool open = length > label + 1;
        return open && !Close(wire, ref label, ref length) || length > wire.Length ? null : wire[..length];
    }

    /// <summary>The text form of an expanded name, ending in a dot; bytes that would mislead are escaped.</summary>
    public static string Decode(ReadOnlySpan<byte> wire)
    {
        if (wire.IsEmpty || wire[0] == 0)
        {
            return ".";
        }
        var text = new StringBuilder(wire.Length);
        int at = 0;
        while (at < wire.Length && wire[at] != 0)
        {
            int size = Math.Min(wire[at], wire.Length - at - 1);
            foreach (byte b in wire.Slice(at + 1, size))
            {
                AppendEscaped(text, b);
            }
            text.Append('.');
            at += size + 1;
        }
        return text.ToString();
    }

    /// <summary>Makes ASCII letters small, in place; length bytes are below 'A' and therefore untouched.</summary>
    public static void ToLower(Span<byte> wire)
    {
        foreach (ref byte b in wire)
        {
            b = b is >= (byte)'A' and <= (byte)'Z' ? (byte)(b | 0x20) : b;
        }
    }

    /// <summary>Whether two expanded names are equal but for the case of ASCII letters.</summary>
    public static bool EqualsIgnoreCase(ReadOnlySpan<byte> left, ReadOnlySpan<byte> right) =>
        Ascii.EqualsIgnoreCase(left, right) || left.SequenceEqual(right);

    private static bool Close(byte[] wire, ref int label, ref int length)
    {
        int size = length - label - 1;
        if (size is < 1 or > DnsLimits.LabelBytesMax || length >= wire.Length)
        {
            return false;
        }
        wire[label] = (byte)size;
        label = length;
        wire[length++] = 0;
        return true;
    }

    private static int Unescape(byte[] bytes, ref int at)
    {
        if (at + EscapeDigits < bytes.Length && int.TryParse(bytes.AsSpan(at + 1, EscapeDigits), out int code)
            && code <= byte.MaxValue)
        {
            at += EscapeDigits;
            return code;
        }
        return at + 1 < bytes.Length ? bytes[++at] : '\\';
    }

    private static void AppendEscaped(StringBuilder text, byte b)
    {
        if (b is (byte)'.' or (byte)'\\')
        {
            text.Append('\\').Append((char)b);
        }
        else if (b is > (byte)' ' and < 0x7F)
        {
            text.Append((char)b);
        }
        else
        {
            text.Append('\\').Append(b.ToString("D3", System.Globalization.CultureInfo.InvariantCulture));
        }
    }
}
