using System.Buffers;
using System.Buffers.Binary;
using System.Text;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Primitives;

namespace Praetor.Agent.Forwarding;

/// <summary>How calls and answers stand in a stream that carries many of them. Bytes from outside never
/// throw.</summary>
/// <remarks>
/// A frame: its length without itself (4 bytes, big-endian), the call's number (4), then
/// of a call: method, target, headers, body; of an answer: status (2), headers, body.
/// A text: its length (2) and its UTF-8. Headers: how many (1), then for each a number of <see cref="Names"/> (1), or 0
/// and the name, and the value. The body is the rest.
/// </remarks>
internal static class CallFrames
{
    /// <summary>The largest frame: 1 MiB. What is larger goes as a request of its own.</summary>
    public const int BytesMax = 1024 * 1024;

    /// <summary>The status of an answer that does not fit into a frame: the call is to be made alone.</summary>
    public const int TooLarge = 0;

    /// <summary>The largest body of a call in a frame.</summary>
    private const int CallBodyMax = 16 * 1024;

    // A text has two bytes for its length, and a character three bytes at most.
    private const int TextMax = 16 * 1024;
    private const int LengthBytes = 4;
    private const int HeadersMax = 64;

    // Headers by number, from 1. Append-only: agents of several versions talk to each other.
    private static readonly string[] Names =
    [
        "Content-Type", "Content-Length", "Content-Encoding", "Vary", "X-Content-Type-Options",
        "X-Consul-Default-ACL-Policy", "X-Consul-Index", "X-Consul-KnownLeader", "X-Consul-LastContact",
        "X-Consul-Effective-Consistency", "X-Consul-Query-Backend", "X-Cache", "Age", "Content-Security-Policy",
        "Allow", "Location", "Accept-Encoding", "Cache-Control", "X-Consul-Token", HopTrail.Header,
        Forwarder.OwnHeader, Forwarder.NotDoneHeader,
    ];

    // What each mostly says.
    private static readonly string[] Usual =
    [
        "application/json", "", "", "Accept-Encoding", "nosniff", "allow", "", "true", "0", "leader", "blocking-query",
        "MISS", "", "", "", "", "gzip", "", "", "", "1", "",
    ];

    private static readonly Dictionary<string, byte> Numbers = Names.Select(static (name, i) => (name, i))
        .ToDictionary(static p => p.name, static p => (byte)(p.i + 1), StringComparer.OrdinalIgnoreCase);

    /// <summary>Whether a call fits into a frame; what does not is rare.</summary>
    public static bool Takes(ServerCall call) => call.Body.Length <= CallBodyMax && call.Target.Length <= TextMax
        && call.Token.Length <= TextMax && call.Headers.Count < HeadersMax / 2
        && call.Headers.All(static header => header.Value.Length <= TextMax);

    /// <summary>Takes a frame off the front; false: it is not whole yet.</summary>
    /// <param name="bytes">The bytes; what was taken is left out.</param>
    /// <param name="frame">The frame without its length.</param>
    /// <param name="isSound">False: what follows is no frame, and never will be.</param>
    public static bool TryTake(
        ref ReadOnlySequence<byte> bytes, out ReadOnlySequence<byte> frame, out bool isSound)
    {
        (frame, isSound) = (default, true);
        if (bytes.Length < LengthBytes)
        {
            return false;
        }

        Span<byte> head = stackalloc byte[LengthBytes];
        bytes.Slice(0, LengthBytes).CopyTo(head);
        var length = BinaryPrimitives.ReadUInt32BigEndian(head);
        if (length is < LengthBytes or > BytesMax)
        {
            isSound = false;
            return false;
        }

        if (bytes.Length < LengthBytes + length)
        {
            return false;
        }

        frame = bytes.Slice(LengthBytes, length);
        bytes = bytes.Slice(frame.End);
        return true;
    }

    public static void WriteCall(ArrayBufferWriter<byte> to, uint number, ServerCall call, string trail)
    {
        var start = Begin(to, number);
        WriteText(to, call.Method);
        WriteText(to, call.Target);
        var count = call.Headers.Count + 1 + (call.IsOwn ? 1 : 0) + (call.Token.Length > 0 ? 1 : 0)
            + (call.Body.Length > 0 ? 1 : 0);
        WriteByte(to, (byte)count);
        WriteHeader(to, HopTrail.Header, trail);
        if (call.IsOwn)
        {
            WriteHeader(to, Forwarder.OwnHeader, "1");
        }

        if (call.Token.Length > 0)
        {
            WriteHeader(to, "X-Consul-Token", call.Token);
        }

        if (call.Body.Length > 0)
        {
            WriteHeader(to, "Content-Length", call.Body.Length.ToString(
                System.Globalization.CultureInfo.InvariantCulture));
        }

        foreach (var (name, value) in call.Headers)
        {
            WriteHeader(to, name, value);
        }

        to.Write(call.Body.Span);
        End(to, start);
    }

    public static void WriteAnswer(
        ArrayBufferWriter<byte> to, uint number, int status, IHeaderDictionary headers, ReadOnlySpan<byte> body)
    {
        var start = Begin(to, number);
        WriteShort(to, status);
        WriteByte(to, (byte)Math.Min(headers.Count, HeadersMax));
        var written = 0;
        foreach (var (name, value) in headers)
        {
            if (written++ < HeadersMax)
            {
                WriteHeader(to, name, value.ToString());
            }
        }

        to.Write(body);
        End(to, start);
    }

    /// <summary>Reads a call; false: it is none.</summary>
    public static bool TryReadCall(
        ReadOnlyMemory<byte> frame, out uint number, out string method, out string target, HeaderDictionary headers,
        out ReadOnlyMemory<byte> body)
    {
        (method, target, body) = ("", "", default);
        var reader = new Reader(frame.Span);
        return reader.TryNumber(out number) && reader.TryText(out method) && reader.TryText(out target)
            && reader.TryHeaders(headers) && reader.TakeRest(frame, out body);
    }

    /// <summary>Reads an answer; false: it is none. The headers are left as they stand, and are sound.</summary>
    public static bool TryReadAnswer(
        ReadOnlyMemory<byte> frame, out uint number, out int status, out ReadOnlyMemory<byte> headers,
        out ReadOnlyMemory<byte> body)
    {
        const int HeadersAt = sizeof(uint) + sizeof(ushort);
        (status, headers, body) = (0, default, default);
        var reader = new Reader(frame.Span);
        if (!reader.TryNumber(out number) || !reader.TryShort(out status) || !reader.TryHeaders(to: null)
            || !reader.TakeRest(frame, out body))
        {
            return false;
        }

        headers = frame[HeadersAt..^body.Length];
        return true;
    }

    /// <summary>Reads the headers of an answer.</summary>
    public static void CopyHeaders(ReadOnlySpan<byte> headers, IHeaderDictionary to) =>
        new Reader(headers).TryHeaders(to);

    private static int Begin(ArrayBufferWriter<byte> to, uint number)
    {
        var start = to.WrittenCount;
        var head = to.GetSpan(2 * LengthBytes);
        BinaryPrimitives.WriteUInt32BigEndian(head[LengthBytes..], number);
        to.Advance(2 * LengthBytes);
        return start;
    }

    // The length is known now; the buffer is written to in the place that was left for it.
    private static void End(ArrayBufferWriter<byte> to, int start)
    {
        var length = to.WrittenCount - start - LengthBytes;
        var written = System.Runtime.InteropServices.MemoryMarshal.AsMemory(to.WrittenMemory).Span;
        BinaryPrimitives.WriteUInt32BigEndian(written[start..], (uint)length);
    }

    private static void WriteHeader(ArrayBufferWriter<byte> to, string name, string value)
    {
        if (Numbers.TryGetValue(name, out var number))
        {
            WriteByte(to, number);
        }
        else
        {
            WriteByte(to, 0);
            WriteText(to, name);
        }

        WriteText(to, value);
    }

    private static void WriteText(ArrayBufferWriter<byte> to, string text)
    {
        var span = to.GetSpan(sizeof(ushort) + Encoding.UTF8.GetMaxByteCount(text.Length));
        var length = Encoding.UTF8.GetBytes(text, span[sizeof(ushort)..]);
        BinaryPrimitives.WriteUInt16BigEndian(span, checked((ushort)length));
        to.Advance(sizeof(ushort) + length);
    }

    private static void WriteShort(ArrayBufferWriter<byte> to, int value)
    {
        BinaryPrimitives.WriteUInt16BigEndian(to.GetSpan(sizeof(ushort)), (ushort)value);
        to.Advance(sizeof(ushort));
    }

    private static void WriteByte(ArrayBufferWriter<byte> to, byte value)
    {
        to.GetSpan(1)[0] = value;
        to.Advance(1);
    }

    private ref struct Reader(ReadOnlySpan<byte> bytes)
    {
        private readonly ReadOnlySpan<byte> _bytes = bytes;
        private int _at;

        public bool TryNumber(out uint number)
        {
            number = 0;
            if (_bytes.Length - _at < sizeof(uint))
            {
                return false;
            }

            number = BinaryPrimitives.ReadUInt32BigEndian(_bytes[_at..]);
            _at += sizeof(uint);
            return true;
        }

        public bool TryShort(out int value)
        {
            value = 0;
            if (_bytes.Length - _at < sizeof(ushort))
            {
                return false;
            }

            value = BinaryPrimitives.ReadUInt16BigEndian(_bytes[_at..]);
            _at += sizeof(ushort);
            return true;
        }

        public bool TryText(out string text)
        {
            text = "";
            if (!TryShort(out var length) || _bytes.Length - _at < length)
            {
                return false;
            }

            text = Encoding.UTF8.GetString(_bytes.Slice(_at, length));
            _at += length;
            return true;
        }

        /// <summary>Reads headers; null: passes over them.</summary>
        public bool TryHeaders(IHeaderDictionary? to)
        {
            if (_at >= _bytes.Length)
            {
                return false;
            }

            int count = _bytes[_at++];
            for (var i = 0; i < count; i++)
            {
                if (count > HeadersMax || !TryName(to is not null, out var name, out var usual)
                    || !TryValue(to is not null, usual, out var value))
                {
                    return false;
                }

                if (to is not null)
                {
                    to[name] = new StringValues(value);
                }
            }

            return true;
        }

        public readonly bool TakeRest(ReadOnlyMemory<byte> frame, out ReadOnlyMemory<byte> rest)
        {
            rest = frame[_at..];
            return true;
        }

        private bool TryName(bool isWanted, out string name, out string usual)
        {
            (name, usual) = ("", "");
            if (_at >= _bytes.Length)
            {
                return false;
            }

            int number = _bytes[_at++];
            if (number == 0)
            {
                return TryValue(isWanted, "", out name) && (name.Length > 0 || !isWanted);
            }

            if (number > Names.Length)
            {
                return false;
            }

            (name, usual) = (Names[number - 1], Usual[number - 1]);
            return true;
        }

        // Most answers say the same in most headers: those texts are there already.
        private bool TryValue(bool isWanted, string usual, out string value)
        {
            value = usual;
            if (!TryShort(out var length) || _bytes.Length - _at < length)
            {
                return false;
            }

            var text = _bytes.Slice(_at, length);
            _at += length;
            if (isWanted && !Ascii.Equals(text, usual))
            {
                value = Encoding.UTF8.GetString(text);
            }

            return true;
        }
    }
}
