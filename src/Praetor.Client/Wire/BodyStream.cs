using System.Globalization;
using System.Net.Sockets;

namespace Praetor.Client.Wire;

/// <summary>A body as it comes: of a length that was said, in chunks, or until the connection ends.</summary>
/// <remarks>Read to its end it gives the connection back; disposed of before, it closes it.</remarks>
internal sealed class BodyStream : Stream
{
    private readonly PlainConnection _connection;
    private readonly Action<PlainConnection>? _giveBack;
    private readonly bool _isChunked;

    // Of the body, or of this chunk; null: until the connection ends.
    private long? _left;
    private bool _isFirstChunk = true;
    private bool _isOver;

    /// <param name="giveBack">Takes the connection when all was read. Null: it is of no more use then.</param>
    public BodyStream(PlainConnection connection, WireHead head, Action<PlainConnection>? giveBack)
    {
        (_connection, _giveBack, _isChunked) = (connection, giveBack, head.IsChunked);
        _left = _isChunked ? 0 : head.Length;
    }

    public override bool CanRead => true;

    public override bool CanSeek => false;

    public override bool CanWrite => false;

    public override long Length => throw new NotSupportedException();

    public override long Position
    {
        get => throw new NotSupportedException();
        set => throw new NotSupportedException();
    }

    public override async ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default)
    {
        try
        {
            return _isOver || buffer.IsEmpty ? 0 : await ReadSomeAsync(buffer, cancellationToken);
        }
        catch (SocketException broken)
        {
            throw new IOException(broken.Message, broken);
        }
    }

    public override Task<int> ReadAsync(byte[] buffer, int offset, int count, CancellationToken cancellationToken) =>
        ReadAsync(buffer.AsMemory(offset, count), cancellationToken).AsTask();

    public override int Read(byte[] buffer, int offset, int count) =>
        ReadAsync(buffer.AsMemory(offset, count)).AsTask().GetAwaiter().GetResult();

    public override void Flush()
    {
    }

    public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

    public override void SetLength(long value) => throw new NotSupportedException();

    public override void Write(byte[] buffer, int offset, int count) => throw new NotSupportedException();

    protected override void Dispose(bool disposing)
    {
        End(giveBack: null);
        base.Dispose(disposing);
    }

    private async ValueTask<int> ReadSomeAsync(Memory<byte> buffer, CancellationToken stop)
    {
        if (_left == 0 && !(_isChunked && await NextChunkAsync(stop)))
        {
            End(_giveBack);
            return 0;
        }

        var wanted = _left is { } left && left < buffer.Length ? (int)left : buffer.Length;
        var count = await _connection.ReadAsync(buffer[..wanted], stop);
        if (count == 0)
        {
            End(giveBack: null);
            return _left is null ? 0 : throw PlainConnection.Ended();
        }

        _left -= count;
        return count;
    }

    private async ValueTask<bool> NextChunkAsync(CancellationToken stop)
    {
        if (!_isFirstChunk && (await _connection.ReadLineAsync(stop)).Length > 0)
        {
            throw PlainConnection.Malformed("a chunk is longer than it says");
        }

        _isFirstChunk = false;
        var line = await _connection.ReadLineAsync(stop);
        var end = line.IndexOf(';');
        var digits = (end < 0 ? line : line[..end]).Trim();
        if (!long.TryParse(digits, NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out var size)
            || size < 0)
        {
            throw PlainConnection.Malformed("a chunk's length is no number");
        }

        _left = size;
        if (size > 0)
        {
            return true;
        }

        // Headers may follow the body; there is nothing in them that is wanted.
        while ((await _connection.ReadLineAsync(stop)).Length > 0)
        {
        }

        return false;
    }

    private void End(Action<PlainConnection>? giveBack)
    {
        if (_isOver)
        {
            return;
        }

        _isOver = true;
        if (giveBack is null)
        {
            _connection.Dispose();
        }
        else
        {
            giveBack(_connection);
        }
    }
}
