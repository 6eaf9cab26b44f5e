using System.IO.Compression;

namespace Codecs.Snapshots;

/// <summary>Unpacks an archive as it is read, and keeps account of how much larger it gets.</summary>
internal sealed class Unpacking : IDisposable
{
    private readonly Counted _packed;
    private readonly GZipStream _gzip;
    private long _unpacked;

    public Unpacking(Stream archive)
    {
        _packed = new Counted(archive);
        _gzip = new GZipStream(_packed, CompressionMode.Decompress, leaveOpen: true);
    }

    /// <summary>Reads until the buffer is full or the archive ends; gives how many bytes there were.</summary>
    /// <exception cref="SnapshotException">It cannot be unpacked, or is too large.</exception>
    public int Fill(Span<byte> buffer)
    {
        var filled = 0;
        while (filled < buffer.Length)
        {
            var read = Read(buffer[filled..]);
            if (read == 0)
            {
                break;
            }

            filled += read;
        }

        return filled;
    }

    public void Dispose() => _gzip.Dispose();

    private int Read(Span<byte> buffer)
    {
        int read;
        try
        {
            read = _gzip.Read(buffer);
        }
        catch (InvalidDataException e)
        {
            throw new SnapshotException("failed to decompress snapshot: " + Reason(), e);
        }

        if (read == 0 && _unpacked == 0)
        {
            throw new SnapshotException("failed to decompress snapshot: " + Reason());
        }

        _unpacked += read;
        if (_unpacked > SnapshotLimits.StateBytesMax)
        {
            throw new SnapshotException(
                $"failed to decompress snapshot: it is larger than {SnapshotLimits.StateBytesMax} bytes");
        }

        if (_unpacked > SnapshotLimits.ExpansionFreeBytes && _unpacked / SnapshotLimits.ExpansionMax > _packed.Bytes)
        {
            throw new SnapshotException(
                $"failed to decompress snapshot: it gets more than {SnapshotLimits.ExpansionMax} times larger, which "
                + "no snapshot does");
        }

        return read;
    }

    // In the words of Go, which scripts know.
    private string Reason() => !_packed.LooksLikeGzip && _packed.Bytes >= 10 ? "gzip: invalid header"
        : _packed.Bytes < 10 ? "unexpected EOF"
        : "flate: corrupt input, or its end is missing";

    /// <summary>Counts what is read.</summary>
    private sealed class Counted(Stream inner) : Stream
    {
        private readonly byte[] _first = new byte[2];

        public long Bytes { get; private set; }

        public bool LooksLikeGzip => Bytes >= 2 && _first is [0x1f, 0x8b];

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
            var read = inner.Read(buffer);
            for (var i = 0; i < read && Bytes + i < _first.Length; i++)
            {
                _first[Bytes + i] = buffer[i];
            }

            Bytes += read;
            return read;
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
}
