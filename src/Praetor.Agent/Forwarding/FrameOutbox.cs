using System.Buffers;

namespace Praetor.Agent.Forwarding;

/// <summary>Gathers frames while others are being sent, so that many go out at once.</summary>
/// <param name="send">Sends bytes; called by one at a time.</param>
internal sealed class FrameOutbox(Func<ReadOnlyMemory<byte>, ValueTask> send) : IThreadPoolWorkItem
{
    /// <summary>How many bytes may wait for a receiver who does not read: 16 MiB.</summary>
    public const int WaitingBytesMax = 16 * 1024 * 1024;

    private const int FirstBytes = 16 * 1024;

    // A buffer that a burst made larger than this is not kept.
    private const int KeptBytesMax = 1024 * 1024;

    private readonly Lock _gate = new();
    private ArrayBufferWriter<byte> _gathering = new(FirstBytes);
    private ArrayBufferWriter<byte> _sending = new(FirstBytes);
    private bool _isSending;
    private volatile bool _isBroken;

    /// <summary>Adds a frame; false: the way is broken, or too much waits.</summary>
    /// <param name="state">Passed to the writer.</param>
    /// <param name="write">Writes the frame.</param>
    public bool Add<T>(T state, Action<ArrayBufferWriter<byte>, T> write)
    {
        lock (_gate)
        {
            if (_isBroken || _gathering.WrittenCount > WaitingBytesMax)
            {
                return false;
            }

            write(_gathering, state);
            return true;
        }
    }

    /// <summary>Begins to send what was added, off this thread.</summary>
    public void Flush()
    {
        if (TryBegin())
        {
            ThreadPool.UnsafeQueueUserWorkItem(this, preferLocal: false);
        }
    }

    /// <summary>Sends what was added, beginning on this thread.</summary>
    public void FlushNow()
    {
        if (TryBegin())
        {
            Execute();
        }
    }

    public void Execute() => _ = SendAsync();

    private bool TryBegin()
    {
        lock (_gate)
        {
            if (_isSending || _gathering.WrittenCount == 0)
            {
                return false;
            }

            _isSending = true;
            return true;
        }
    }

    private async Task SendAsync()
    {
        try
        {
            while (true)
            {
                lock (_gate)
                {
                    if (_gathering.WrittenCount == 0)
                    {
                        _isSending = false;
                        return;
                    }

                    (_gathering, _sending) = (_sending, _gathering);
                }

                await send(_sending.WrittenMemory);
                if (_sending.Capacity > KeptBytesMax)
                {
                    _sending = new ArrayBufferWriter<byte>(FirstBytes);
                }
                else
                {
                    _sending.ResetWrittenCount();
                }
            }
        }
        catch (Exception) // supervisor: whoever reads the other direction hears why, and tells all who wait
        {
            _isBroken = true;
        }
    }
}
