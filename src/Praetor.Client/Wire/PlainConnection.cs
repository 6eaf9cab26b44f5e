using System.Net.Sockets;

namespace Praetor.Client.Wire;

/// <summary>One connection of HTTP/1.1 without TLS; one request at a time.</summary>
internal sealed class PlainConnection(Socket socket) : IDisposable
{
    /// <summary>What status line and headers may weigh; more is no answer.</summary>
    public const int HeadBytesMax = 64 * 1024;

    private const int BufferBytes = 4096;

    private byte[] _buffer = new byte[BufferBytes];
    private int _start;
    private int _end;

    /// <summary>Whether reads and writes keep the thread.</summary>
    public bool KeepsThread { get; set; }

    /// <summary>Whether anything of the answer to the request that was begun last has come.</summary>
    public bool HasAnswered { get; private set; }

    /// <summary>Whether the agent has ended it, or said something that nobody asked for.</summary>
    public bool IsStale => _start < _end || socket.Poll(0, SelectMode.SelectRead);

    public void Begin(bool keepsThread) => (KeepsThread, HasAnswered) = (keepsThread, false);

    public async ValueTask SendAsync(ReadOnlyMemory<byte> bytes, CancellationToken stop)
    {
        while (!bytes.IsEmpty)
        {
            var sent = KeepsThread
                ? socket.Send(bytes.Span, SocketFlags.None)
                : await socket.SendAsync(bytes, SocketFlags.None, stop);
            bytes = bytes[sent..];
        }
    }

    public async ValueTask<WireHead> ReadHeadAsync(CancellationToken stop)
    {
        while (true)
        {
            if (TryTakeHead() is { } head)
            {
                const int switching = 101;
                if (head.Status is >= 200 or switching)
                {
                    return head;
                }

                continue;
            }

            if (_end - _start >= HeadBytesMax)
            {
                throw Malformed($"more than {HeadBytesMax} bytes of headers");
            }

            if (!await FillAsync(stop))
            {
                throw Ended();
            }
        }
    }

    /// <summary>Reads a line without its end; the lines between chunks are short.</summary>
    public async ValueTask<string> ReadLineAsync(CancellationToken stop)
    {
        while (true)
        {
            var end = _buffer.AsSpan(_start, _end - _start).IndexOf("\r\n"u8);
            if (end >= 0)
            {
                var line = System.Text.Encoding.Latin1.GetString(_buffer, _start, end);
                _start += end + 2;
                return line;
            }

            if (_end - _start >= BufferBytes)
            {
                throw Malformed("a chunk's length has no end");
            }

            if (!await FillAsync(stop))
            {
                throw Ended();
            }
        }
    }

    /// <summary>Reads some bytes; 0: the connection ended.</summary>
    public async ValueTask<int> ReadAsync(Memory<byte> to, CancellationToken stop)
    {
        if (_start == _end)
        {
            return await ReceiveAsync(to, stop);
        }

        var count = Math.Min(to.Length, _end - _start);
        _buffer.AsMemory(_start, count).CopyTo(to);
        _start += count;
        return count;
    }

    public async ValueTask<byte[]> ReadWholeAsync(int length, CancellationToken stop)
    {
        var body = new byte[length];
        for (var at = 0; at < length;)
        {
            var count = await ReadAsync(body.AsMemory(at), stop);
            at += count > 0 ? count : throw Ended();
        }

        return body;
    }

    public void Dispose() => socket.Dispose();

    public static HttpIOException Ended() =>
        new(HttpRequestError.ResponseEnded, "the agent closed the connection before its answer was complete");

    public static HttpIOException Malformed(string what) =>
        new(HttpRequestError.InvalidResponse, $"malformed HTTP response: {what}");

    private WireHead? TryTakeHead()
    {
        var bytes = _buffer.AsSpan(_start, _end - _start);
        var end = bytes.IndexOf("\r\n\r\n"u8);
        if (end < 0)
        {
            return null;
        }

        _start += end + 4;
        return WireHead.Parse(bytes[..end]) ?? throw Malformed("it does not begin as HTTP does");
    }

    private async ValueTask<bool> FillAsync(CancellationToken stop)
    {
        if (_start > 0)
        {
            _buffer.AsSpan(_start, _end - _start).CopyTo(_buffer);
            (_start, _end) = (0, _end - _start);
        }

        if (_end == _buffer.Length)
        {
            Array.Resize(ref _buffer, Math.Min(2 * _buffer.Length, HeadBytesMax));
        }

        var count = await ReceiveAsync(_buffer.AsMemory(_end), stop);
        _end += count;
        return count > 0;
    }

    private async ValueTask<int> ReceiveAsync(Memory<byte> to, CancellationToken stop)
    {
        var count = KeepsThread
            ? socket.Receive(to.Span, SocketFlags.None)
            : await socket.ReceiveAsync(to, SocketFlags.None, stop);
        HasAnswered |= count > 0;
        return count;
    }
}
