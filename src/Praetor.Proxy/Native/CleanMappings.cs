using System.Buffers;
using System.Buffers.Text;

namespace Praetor.Proxy.Native;

/// <summary>Addresses at which a file is mapped, and which file from where.</summary>
internal readonly record struct Mapping(ulong Start, ulong End, ulong Offset, ulong Inode);

/// <summary>Reads the kernel's table of this process's memory (smaps), line by line, without garbage.</summary>
/// <remarks>Kept is what cannot be written, is not shared, and has no page of its own: its pages are all the
/// file's.</remarks>
internal sealed class CleanMappings
{
    private const int BufferBytes = 64 * 1024;

    private readonly HashSet<Mapping> _found = [];
    private Mapping? _candidate;

    public IReadOnlySet<Mapping> Found => _found;

    /// <summary>Those of this process; null: the table cannot be read.</summary>
    public static CleanMappings? OfThisProcess()
    {
        var buffer = ArrayPool<byte>.Shared.Rent(BufferBytes);
        try
        {
            var mappings = new CleanMappings();
            using var file = File.OpenHandle("/proc/self/smaps");
            var (kept, at) = (0, 0L);
            while (RandomAccess.Read(file, buffer.AsSpan(kept), at) is var count and > 0)
            {
                at += count;
                kept = mappings.TakeLines(buffer.AsSpan(0, kept + count));
            }

            return mappings;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return null;
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(buffer);
        }
    }

    /// <summary>Takes a line without its end.</summary>
    public void TakeLine(ReadOnlySpan<byte> line)
    {
        if (line is [(>= (byte)'0' and <= (byte)'9') or (>= (byte)'a' and <= (byte)'f'), ..])
        {
            _candidate = ReadOnly(line);
        }
        else if (_candidate is { } mapping && line.StartsWith("Anonymous:"u8))
        {
            _candidate = null;
            if (line.EndsWith(" 0 kB"u8))
            {
                _found.Add(mapping);
            }
        }
    }

    // Gives back how many bytes at the end are no whole line; they are moved to the front. A line longer than the
    // buffer (a path may be) is dropped.
    private int TakeLines(Span<byte> bytes)
    {
        ReadOnlySpan<byte> rest = bytes;
        while (rest.IndexOf((byte)'\n') is var end and >= 0)
        {
            TakeLine(rest[..end]);
            rest = rest[(end + 1)..];
        }

        if (rest.Length >= BufferBytes)
        {
            return 0;
        }

        rest.CopyTo(bytes);
        return rest.Length;
    }

    // 7f40e4000000-7f40e4200000 r-xp 00001000 fe:00 123   /usr/lib/x.so
    private static Mapping? ReadOnly(ReadOnlySpan<byte> line)
    {
        if (!TryTakeHex(ref line, (byte)'-', out var start) || !TryTakeHex(ref line, (byte)' ', out var end)
            || line is not [(byte)'r', (byte)'-', _, (byte)'p', (byte)' ', ..])
        {
            return null;
        }

        line = line["r-xp ".Length..];
        if (!TryTakeHex(ref line, (byte)' ', out var offset) || line.IndexOf((byte)' ') is not (> 0 and var device))
        {
            return null;
        }

        line = line[(device + 1)..];
        return Utf8Parser.TryParse(line, out ulong inode, out _) && inode != 0 && line.Contains((byte)'/')
            && !line.EndsWith("(deleted)"u8)
                ? new Mapping(start, end, offset, inode)
                : null;
    }

    private static bool TryTakeHex(ref ReadOnlySpan<byte> line, byte behind, out ulong value)
    {
        if (!Utf8Parser.TryParse(line, out value, out var length, 'x') || length >= line.Length
            || line[length] != behind)
        {
            return false;
        }

        line = line[(length + 1)..];
        return true;
    }
}
