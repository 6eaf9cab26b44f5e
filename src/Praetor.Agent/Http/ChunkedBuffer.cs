using System.Buffers;

namespace Praetor.Agent.Http;

/// <summary>Gathers an answer in pieces, so that a large one is not copied each time it outgrows its array.</summary>
/// <remarks>The answer of 10,000 nodes is 52 MB: one array that doubles would leave 120 MB behind.</remarks>
internal sealed class ChunkedBuffer : IBufferWriter<byte>, IDisposable
{
    // Most answers fit into the first.
    private const int FirstBytes = 1024;

    // The pool keeps some of them, which is not to be much.
    private const int ChunkBytesMax = 256 * 1024;

    private readonly List<ArraySegment<byte>> _full = [];
    private byte[] _chunk = ArrayPool<byte>.Shared.Rent(FirstBytes);
    private int _count;

    public void Advance(int count)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(count);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(count, _chunk.Length - _count);
        _count += count;
    }

    public Memory<byte> GetMemory(int sizeHint = 0)
    {
        Reserve(sizeHint);
        return _chunk.AsMemory(_count);
    }

    public Span<byte> GetSpan(int sizeHint = 0)
    {
        Reserve(sizeHint);
        return _chunk.AsSpan(_count);
    }

    /// <summary>All that was written.</summary>
    public byte[] ToArray()
    {
        var all = new byte[checked(_full.Sum(static piece => piece.Count) + _count)];
        var at = 0;
        foreach (var piece in _full)
        {
            piece.CopyTo(all, at);
            at += piece.Count;
        }

        _chunk.AsSpan(0, _count).CopyTo(all.AsSpan(at));
        return all;
    }

    public void Dispose()
    {
        foreach (var piece in _full)
        {
            ArrayPool<byte>.Shared.Return(piece.Array!);
        }

        _full.Clear();
        ArrayPool<byte>.Shared.Return(_chunk);
        (_chunk, _count) = ([], 0);
    }

    private void Reserve(int size)
    {
        if (_chunk.Length - _count >= Math.Max(size, 1))
        {
            return;
        }

        var next = Math.Max(size, Math.Min(2 * _chunk.Length, ChunkBytesMax));
        _full.Add(new ArraySegment<byte>(_chunk, 0, _count));
        (_chunk, _count) = (ArrayPool<byte>.Shared.Rent(next), 0);
    }
}
