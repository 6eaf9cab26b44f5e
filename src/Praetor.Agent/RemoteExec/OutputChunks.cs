using System.Threading.Channels;

namespace Praetor.Agent.RemoteExec;

/// <summary>Cuts a program's output into pieces: full ones at once, others when nothing came for a while.</summary>
internal sealed class OutputChunks(TimeProvider time)
{
    private readonly Channel<byte[]> _written = Channel.CreateBounded<byte[]>(
        new BoundedChannelOptions(ExecLimits.PendingChunks) { SingleReader = true });

    /// <summary>Takes output; waits while too much of it is on its way.</summary>
    public async ValueTask TakeAsync(ReadOnlyMemory<byte> bytes)
    {
        // When nobody reads any more the program is being killed, and its last words are for nobody.
        if (await _written.Writer.WaitToWriteAsync())
        {
            await _written.Writer.WriteAsync(bytes.ToArray());
        }
    }

    /// <summary>No more will come.</summary>
    public void End() => _written.Writer.TryComplete();

    /// <summary>The pieces; an empty one means that nothing came for a heartbeat.</summary>
    public async IAsyncEnumerable<ReadOnlyMemory<byte>> ReadAsync(TimeSpan heartbeat)
    {
        var gathered = new List<byte>(ExecLimits.ChunkBytes);
        Task<bool>? coming = null;
        var began = time.GetTimestamp();
        while (true)
        {
            coming ??= _written.Reader.WaitToReadAsync().AsTask();
            var wait = (gathered.Count > 0 ? ExecLimits.ChunkWait : heartbeat) - time.GetElapsedTime(began);
            if (await IsLateAsync(coming, wait))
            {
                yield return gathered.ToArray();
                gathered.Clear();
                began = time.GetTimestamp();
                continue;
            }

            if (!await coming)
            {
                break;
            }

            coming = null;
            began = gathered.Count == 0 ? time.GetTimestamp() : began;
            while (_written.Reader.TryRead(out var bytes))
            {
                gathered.AddRange(bytes);
                while (gathered.Count >= ExecLimits.ChunkBytes)
                {
                    yield return gathered[..ExecLimits.ChunkBytes].ToArray();
                    gathered.RemoveRange(0, ExecLimits.ChunkBytes);
                }
            }
        }

        if (gathered.Count > 0)
        {
            yield return gathered.ToArray();
        }
    }

    private async Task<bool> IsLateAsync(Task<bool> coming, TimeSpan wait)
    {
        try
        {
            await coming.WaitAsync(wait > TimeSpan.Zero ? wait : TimeSpan.Zero, time);
            return false;
        }
        catch (TimeoutException)
        {
            return true;
        }
    }
}
