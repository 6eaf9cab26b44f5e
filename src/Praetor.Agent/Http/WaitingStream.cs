namespace Praetor.Agent.Http;

/// <summary>A body for who reads on a thread of its own and may wait there.</summary>
internal sealed class WaitingStream(Stream body, CancellationToken stop) : Stream
{
    private const int BufferBytes = 64 * 1024;

    private readonly byte[] _buffer = new byte[BufferBytes];
    private int _from;
    private int _to;

    public override bool CanRead => true;

    public override bool CanSeek => false;

    public override bool CanWrite => false;

    public override long Length => throw new NotSupportedException();

    public override long Position
    {
        get => throw new NotSupportedException();
        set => throw new NotSupportedException();
    }

    public override int Read(Span<byte> buffer)
    {
        if (_from == _to)
        {
            (_from, _to) = (0, body.ReadAsync(_buffer, stop).AsTask().GetAwaiter().GetResult());
        }

        var length = Math.Min(buffer.Length, _to - _from);
        _buffer.AsSpan(_from, length).CopyTo(buffer);
        _from += length;
        return length;
    }

    public override int Read(byte[] buffer, int offset, int count) => Read(buffer.AsSpan(offset, count));

    public override void Flush()
    {
        // Nothing is written.
    }

    public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

    public override void SetLength(long value) => throw new NotSupportedException();

    public override void Write(byte[] buffer, int offset, int count) => throw new NotSupportedException();
}
