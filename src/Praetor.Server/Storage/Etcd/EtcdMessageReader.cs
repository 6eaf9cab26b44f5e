using System.Buffers;
using Codecs.Protobuf;

namespace Praetor.Server.Storage.Etcd;

/// <summary>Takes the messages of an answer out of their frames, one after another, in a buffer from the
/// pool.</summary>
internal sealed class EtcdMessageReader(Stream stream, int messageBytesMax) : IDisposable
{
    private const int FirstBytes = 4096;

    private byte[] _buffer = ArrayPool<byte>.Shared.Rent(FirstBytes);
    private int _start;
    private int _end;

    /// <summary>The message that was read last; valid until the next is read.</summary>
    public ReadOnlyMemory<byte> Message { get; private set; }

    /// <summary>Reads the next message; false when the answer is over.</summary>
    /// <exception cref="InvalidDataException">It is cut off, too large, or not gRPC.</exception>
    public async ValueTask<bool> NextAsync(CancellationToken stop)
    {
        if (!await FillAsync(GrpcFrame.HeaderBytes, stop))
        {
            return _start == _end ? false : throw new InvalidDataException("the answer is cut off");
        }

        if (!GrpcFrame.TryReadHeader(_buffer.AsSpan(_start, _end - _start), out var length))
        {
            throw new InvalidDataException("the answer is compressed, which nobody asked for");
        }

        if (length > messageBytesMax)
        {
            throw new InvalidDataException($"the answer has {length} bytes, more than {messageBytesMax}: ask for less");
        }

        if (!await FillAsync(GrpcFrame.HeaderBytes + (int)length, stop))
        {
            throw new InvalidDataException("the answer is cut off");
        }

        Message = _buffer.AsMemory(_start + GrpcFrame.HeaderBytes, (int)length);
        _start += GrpcFrame.HeaderBytes + (int)length;
        return true;
    }

    public void Dispose()
    {
        Message = default;
        var buffer = Interlocked.Exchange(ref _buffer, []);
        if (buffer.Length > 0)
        {
            ArrayPool<byte>.Shared.Return(buffer);
        }
    }

    // Reads on until so many bytes are there; false when the stream ends before.
    private async ValueTask<bool> FillAsync(int count, CancellationToken stop)
    {
        MakeRoom(count);
        while (_end - _start < count)
        {
            var read = await stream.ReadAsync(_buffer.AsMemory(_end), stop);
            if (read == 0)
            {
                return false;
            }

            _end += read;
        }

        return true;
    }

    // A frame always stands in one piece; what was read before it is given up.
    private void MakeRoom(int count)
    {
        if (_start == _end)
        {
            (_start, _end) = (0, 0);
        }

        if (_start + count <= _buffer.Length)
        {
            return;
        }

        var into = count <= _buffer.Length ? _buffer : ArrayPool<byte>.Shared.Rent(count);
        Buffer.BlockCopy(_buffer, _start, into, 0, _end - _start);
        (_start, _end) = (0, _end - _start);
        if (into != _buffer)
        {
            ArrayPool<byte>.Shared.Return(_buffer);
            _buffer = into;
        }
    }
}
