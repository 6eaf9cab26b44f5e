using System.Text;

namespace Praetor.Agent.Checks;

/// <summary>Keeps the last bytes of an output, whatever its length. Thread-safe.</summary>
internal sealed class OutputCapture(int limit)
{
    private readonly Lock _gate = new();
    private readonly byte[] _ring = new byte[limit];
    private long _total;

    /// <summary>Bytes written so far, kept or not.</summary>
    public long Total
    {
        get { lock (_gate) { return _total; } }
    }

    public void Add(ReadOnlySpan<byte> bytes)
    {
        lock (_gate)
        {
            var kept = bytes.Length > limit ? bytes[^limit..] : bytes;
            var at = (int)((_total + bytes.Length - kept.Length) % limit);
            var first = Math.Min(kept.Length, limit - at);
            kept[..first].CopyTo(_ring.AsSpan(at));
            kept[first..].CopyTo(_ring);
            _total += bytes.Length;
        }
    }

    /// <summary><see cref="Add"/> for who hands over bytes as they come.</summary>
    public ValueTask TakeAsync(ReadOnlyMemory<byte> bytes)
    {
        Add(bytes.Span);
        return ValueTask.CompletedTask;
    }

    /// <summary>What was kept; bytes that are not UTF-8 show as U+FFFD.</summary>
    public string Text()
    {
        lock (_gate)
        {
            if (_total <= limit)
            {
                return Encoding.UTF8.GetString(_ring, 0, (int)_total);
            }

            var at = (int)(_total % limit);
            return Encoding.UTF8.GetString([.. _ring.AsSpan(at), .. _ring.AsSpan(0, at)]);
        }
    }

    /// <summary>What was kept, announced by a line that tells how much is missing, if any is.</summary>
    public string Summary()
    {
        var total = Total;
        return total <= limit ? Text() : $"Captured {limit} of {total} bytes\n...\n{Text()}";
    }
}
