using System.Buffers;

namespace Praetor.Agent.Forwarding;

/// <summary>Gathers frames, so that many go out at once.</summary>
/// <remarks>
/// Sending costs the same for one frame as for fifty, and it is so quick that few come while another is being sent. So
/// whoever is to send first stands at the end of the thread pool's queue again while more keep coming: under load the
/// requests that stand before it there add theirs; without load it comes at once, and sends.
/// </remarks>
/// <param name="send">Sends bytes; called by one at a time.</param>
internal sealed class FrameOutbox(Func<ReadOnlyMemory<byte>, ValueTask> send) : IThreadPoolWorkItem
{
    /// <summary>How many bytes may wait for a receiver who does not read: 16 MiB.</summary>
    public const int WaitingBytesMax = 16 * 1024 * 1024;

    // How often a sending stands back for more.
    private const int PassesMax = 12;

    // With so many frames nothing is gained by waiting.
    private const int FramesEnough = 64;
    private const int FirstBytes = 16 * 1024;

    // A buffer that a burst made larger than this is not kept.
    private const int KeptBytesMax = 1024 * 1024;

    private readonly Lock _gate = new();
    private ArrayBufferWriter<byte> _gathering = new(FirstBytes);
    private ArrayBufferWriter<byte> _sending = new(FirstBytes);
    private int _frames;
    private int _framesSeen;
    private int _passes;
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
            _frames++;
            return true;
        }
    }

    /// <summary>Begins to send what was added, together with what comes meanwhile.</summary>
    public void Flush()
    {
        if (TryBegin())
        {
            Queue();
        }
    }

    /// <summary>Sends what was added, beginning on this thread.</summary>
    public void FlushNow()
    {
        if (TryBegin())
        {
            _ = SendAsync();
        }
    }

    /// <summary>The turn of a sending that was queued.</summary>
    public void Execute()
    {
        if (StandsBack())
        {
            Queue();
        }
        else
        {
            _ = SendAsync();
        }
    }

    private void Queue() => ThreadPool.UnsafeQueueUserWorkItem(this, preferLocal: false);

    private bool StandsBack()
    {
        lock (_gate)
        {
            if (_frames == _framesSeen || _frames >= FramesEnough || _passes == PassesMax)
            {
                return false;
            }

            _framesSeen = _frames;
            _passes++;
            return true;
        }
    }

    private bool TryBegin()
    {
        lock (_gate)
        {
            if (_isSending || _frames == 0)
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
            lock (_gate)
            {
                (_gathering, _sending) = (_sending, _gathering);
                (_frames, _framesSeen, _passes) = (0, 0, 0);
            }

            await send(_sending.WrittenMemory);
            if (EndsSending())
            {
                return;
            }

            Queue();
        }
        catch (Exception) // supervisor: whoever reads the other direction hears why, and tells all who wait
        {
            _isBroken = true;
        }
    }

    private bool EndsSending()
    {
        lock (_gate)
        {
            if (_sending.Capacity > KeptBytesMax)
            {
                _sending = new ArrayBufferWriter<byte>(FirstBytes);
            }
            else
            {
                _sending.ResetWrittenCount();
            }

            _isSending = _frames > 0;
            return !_isSending;
        }
    }
}
