using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using Codecs.MessagePack;

namespace Codecs.Snapshots;

/// <summary>Takes one record of a state; its bytes hold one MessagePack value and are gone afterwards.</summary>
/// <exception cref="SnapshotException">The record is not what its type says.</exception>
public delegate void TakeRecord(byte type, ReadOnlySpan<byte> value);

/// <summary>Reads an archive as Consul writes it: a packed tar of a description, a state and their checksums.</summary>
/// <remarks>
/// What it hands over is certain only when it returned, for the checksums stand at the end. It reads once from the
/// beginning to the end, keeps one record in memory, and throws nothing but <see cref="SnapshotException"/> for bytes
/// that are not an archive; what the stream below throws goes through.
/// </remarks>
public sealed class SnapshotReader : IDisposable
{
    private const string MetaName = "meta.json";
    private const string StateName = "state.bin";
    private const string SumsName = "SHA256SUMS";
    private const int BufferBytesMin = 4 * 1024;
    private const int BufferBytes = 256 * 1024;

    private readonly Unpacking _archive;
    private readonly Dictionary<string, byte[]> _sums = new(StringComparer.Ordinal);
    private SnapshotMeta? _meta;
    private byte[]? _list;
    private byte[] _buffer = [];

    private SnapshotReader(Stream archive) => _archive = new Unpacking(archive);

    /// <summary>Reads a whole archive.</summary>
    /// <param name="archive">The archive; left open.</param>
    /// <param name="header">Takes the index of the state's last change, before all records.</param>
    /// <param name="take">Takes each record in order.</param>
    /// <exception cref="SnapshotException">It is no sound archive; nothing that was handed over counts.</exception>
    public static SnapshotMeta Read(Stream archive, Action<ulong> header, TakeRecord take)
    {
        using var reader = new SnapshotReader(archive);
        return reader.ReadAll(header, take);
    }

    /// <inheritdoc/>
    public void Dispose() => _archive.Dispose();

    private SnapshotMeta ReadAll(Action<ulong> header, TakeRecord take)
    {
        var block = new byte[TarHeader.BlockBytes];
        while (_archive.Fill(block) is var read and > 0)
        {
            if (read == block.Length && !block.AsSpan().ContainsAnyExcept((byte)0))
            {
                // Zero blocks end a tar; what follows is filling.
                continue;
            }

            if (!TarHeader.TryRead(block.AsSpan(0, read), out var name, out var size))
            {
                throw new SnapshotException("failed reading snapshot: archive/tar: invalid tar header");
            }

            ReadFile(name, size, header, take);
        }

        return Verified();
    }

    private void ReadFile(string name, long size, Action<ulong> header, TakeRecord take)
    {
        if (name is not (MetaName or StateName or SumsName))
        {
            throw new SnapshotException($"failed reading snapshot: unexpected file \"{name}\" in snapshot");
        }

        if (name == SumsName ? _list is not null : _sums.ContainsKey(name))
        {
            throw new SnapshotException($"failed reading snapshot: \"{name}\" is in it twice");
        }

        switch (name)
        {
            case MetaName:
                var json = Whole(name, size, SnapshotLimits.MetaBytesMax);
                _sums[name] = SHA256.HashData(json);
                _meta = SnapshotMeta.Read(json)
                    ?? throw new SnapshotException("failed to decode snapshot metadata: it cannot be read");
                break;
            case StateName:
                _sums[name] = ReadState(size, header, take);
                break;
            default:
                _list = Whole(name, size, SnapshotLimits.SumsBytesMax);
                break;
        }

        Require(TarHeader.PaddingOf(size), new byte[TarHeader.BlockBytes]);
    }

    private byte[] Whole(string name, long size, int max)
    {
        if (size > max)
        {
            throw new SnapshotException($"failed reading snapshot: \"{name}\" has {size} bytes, {max} is the most");
        }

        var bytes = new byte[size];
        Require(bytes.Length, bytes);
        return bytes;
    }

    private void Require(int count, byte[] into)
    {
        if (_archive.Fill(into.AsSpan(0, count)) < count)
        {
            throw new SnapshotException("failed reading snapshot: unexpected EOF");
        }
    }

    // Records stand one behind the other without their lengths, so each is looked over first; one that is not whole yet
    // waits for more.
    private byte[] ReadState(long size, Action<ulong> header, TakeRecord take)
    {
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        _buffer = new byte[(int)Math.Clamp(size, BufferBytesMin, BufferBytes)];
        int from = 0, to = 0;
        var hasHeader = false;
        var left = size;
        while (true)
        {
            var wanted = (int)Math.Min(left, _buffer.Length - to);
            if (_archive.Fill(_buffer.AsSpan(to, wanted)) < wanted)
            {
                throw new SnapshotException("failed to read or write snapshot data: unexpected EOF");
            }

            hash.AppendData(_buffer, to, wanted);
            to += wanted;
            left -= wanted;
            while (from < to && TryRecord(_buffer.AsSpan(from, to - from), ref hasHeader, header, take, out var length))
            {
                from += length;
            }

            if (from == to && left == 0)
            {
                return hasHeader ? hash.GetHashAndReset()
                    : throw new SnapshotException("failed to read or write snapshot data: the state is empty");
            }

            if (left == 0)
            {
                throw new SnapshotException("failed to read or write snapshot data: the last record is not whole");
            }

            (from, to) = (0, MakeRoom(from, to));
        }
    }

    private int MakeRoom(int from, int to)
    {
        var rest = _buffer.AsSpan(from, to - from);
        if (rest.Length >= SnapshotLimits.RecordBytesMax)
        {
            throw new SnapshotException(
                "failed to read or write snapshot data: a record is larger than "
                + $"{SnapshotLimits.RecordBytesMax} bytes");
        }

        var next = from == 0 ? new byte[_buffer.Length * 2] : _buffer;
        rest.CopyTo(next);
        _buffer = next;
        return rest.Length;
    }

    private static bool TryRecord(
        ReadOnlySpan<byte> bytes, ref bool hasHeader, Action<ulong> header, TakeRecord take, out int length)
    {
        // Before the first record stands a value without a type.
        var start = hasHeader ? 1 : 0;
        length = 0;
        if (bytes.Length <= start)
        {
            return false;
        }

        var reader = new MessagePackReader(bytes, start);
        if (!reader.TrySkip())
        {
            return reader.Error == MessagePackReadError.Truncated ? false
                : throw new SnapshotException($"failed to read or write snapshot data: a record cannot be read");
        }

        length = reader.Position;
        var value = bytes[start..length];
        if (hasHeader)
        {
            take(bytes[0], value);
            return true;
        }

        hasHeader = true;
        header(IndexOf(value));
        return true;
    }

    private static ulong IndexOf(ReadOnlySpan<byte> value)
    {
        var map = MessagePackMap.Open(value);
        var index = map.Number("LastIndex"u8);
        return map.Problem is null && index <= SnapshotLimits.IndexMax ? index
            : throw new SnapshotException("failed to read or write snapshot data: the header cannot be read");
    }

    private SnapshotMeta Verified()
    {
        var seen = new HashSet<string>(StringComparer.Ordinal);
        foreach (var line in Encoding.UTF8.GetString(_list ?? []).Split('\n', StringSplitOptions.RemoveEmptyEntries))
        {
            var parts = line.Split(' ', 2, StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries);
            var name = parts.Length == 2 ? parts[1] : line;
            if (!_sums.TryGetValue(name, out var sum))
            {
                throw Broken($"list missing hash for \"{name}\"");
            }

            if (!Convert.ToHexString(sum).Equals(parts[0], StringComparison.OrdinalIgnoreCase))
            {
                throw Broken($"hash check failed for \"{name}\"");
            }

            seen.Add(name);
        }

        foreach (var name in (string[])[MetaName, StateName])
        {
            if (!seen.Contains(name))
            {
                throw Broken($"file missing for \"{name}\"");
            }
        }

        return _meta!.Version == 1 ? _meta : throw new SnapshotException(string.Create(
            CultureInfo.InvariantCulture, $"snapshot version {_meta.Version} is not known; version 1 is"));
    }

    private static SnapshotException Broken(string why) => new("failed checking integrity of snapshot: " + why);
}
