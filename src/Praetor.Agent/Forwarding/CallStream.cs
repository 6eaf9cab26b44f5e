using System.Buffers;
using System.Collections.Concurrent;
using System.Diagnostics.CodeAnalysis;

namespace Praetor.Agent.Forwarding;

/// <summary>One request to a server that carries many calls: they share what a request of HTTP/2 costs.</summary>
/// <remarks>
/// The problem: a request through .NET's HTTP/2 client and Kestrel's HTTP/2 costs four times as much processor as
/// answering it.
/// The idea: calls that wait for nothing stand as frames in the body of one long request, and their answers as frames
/// in the body of its response; all that gather while the former were being sent go out at once. The request has a
/// connection of its own, <see cref="CallConnection"/>, on both ends.
/// One beat looks after the time limits of all of them, while there are any.
/// </remarks>
internal sealed class CallStream : IDisposable
{
    /// <summary>Calls that may be under way; more are made as requests of their own.</summary>
    public const int PendingMax = CallServer.CallsMax;

    /// <summary>After so long without a call the stream ends.</summary>
    /// <remarks>For as long as it is there its connection is pinged every second, which a thousand agents that tell
    /// their coordinate now and then would have a server pay for; another one costs less than a few pings.</remarks>
    private static readonly TimeSpan IdleMax = TimeSpan.FromSeconds(2);

    /// <summary>What is added to <see cref="_count"/> so that no call is taken any more.</summary>
    private const int Unused = int.MinValue / 2;

    private static readonly TimeSpan Beat = TimeSpan.FromMilliseconds(250);

    private readonly ConcurrentDictionary<uint, Pending> _pending = new();
    private readonly CancellationTokenSource _end = new();
    private readonly ServerLink _link;
    private readonly TimeProvider _time;
    private readonly FrameOutbox _outbox;
    private readonly TaskCompletionSource<CallClientConnection> _connected =
        new(TaskCreationOptions.RunContinuationsAsynchronously);

    private readonly ITimer _beat;
    private readonly Action<ServerPeer> _slow;
    private long _lastCall;
    private int _numbers;
    private int _count;
    private int _isBeating;
    private volatile CallClientConnection? _connection;
    private volatile Exception? _failure;

    /// <param name="link">The connections to the server.</param>
    /// <param name="trail">Who opens it.</param>
    /// <param name="time">The clock.</param>
    /// <param name="slow">Told when an answer takes longer than <see cref="RpcLimits.LeaveAfter"/>.</param>
    public CallStream(ServerLink link, string trail, TimeProvider time, Action<ServerPeer> slow)
    {
        (_link, _time, _slow, _lastCall) = (link, time, slow, time.GetTimestamp());
        _outbox = new FrameOutbox(SendAsync);
        _beat = time.CreateTimer(static self => ((CallStream)self!).OnBeat(), this, IdleMax, Timeout.InfiniteTimeSpan);
        _ = Task.Run(() => RunAsync(trail));
    }

    /// <summary>Whether calls may still be made here.</summary>
    public bool IsOpen => _failure is null && _connection is not { IsLeaving: true };

    /// <summary>Makes a call; ends with its answer, or with why there is none.</summary>
    /// <returns>Null: nothing was sent, as there is no room, or the stream ends for want of calls.</returns>
    /// <exception cref="HttpRequestException">The server cannot be reached, or broke off.</exception>
    /// <exception cref="OperationCanceledException">It did not answer in time.</exception>
    public async Task<FramedAnswer?> CallAsync(ServerCall call, string trail, TimeSpan limit)
    {
        var others = Interlocked.Increment(ref _count) - 1;
        if (others is >= PendingMax or < 0)
        {
            Interlocked.Decrement(ref _count);
            return null;
        }

        var now = _time.GetTimestamp();
        Volatile.Write(ref _lastCall, now);
        var pending = new Pending(_link.Server, After(now, limit), After(now, call.LeaveAfter), call.IsOwn);
        var number = (uint)Interlocked.Increment(ref _numbers);
        _pending[number] = pending;

        // Who comes after the end looked through all that wait is told by the failure.
        if (_failure is { } failure)
        {
            TryTake(number, out _);
            throw new HttpRequestException(HttpRequestError.ConnectionError, failure.Message, failure);
        }

        KeepBeating();
        if (!_outbox.Add((number, call, trail), static (to, it) => CallFrames.WriteCall(
            to, it.number, it.call, it.trail)))
        {
            TryTake(number, out _);
            return null;
        }

        // One that is alone goes at once; of many, those that come while others are being sent go together.
        if (others == 0)
        {
            _outbox.FlushNow();
        }
        else
        {
            _outbox.Flush();
        }

        return await pending.Task;
    }

    public void Dispose() => Fail(new IOException("the server is not there any more"));

    private bool TryTake(uint number, [NotNullWhen(true)] out Pending? pending)
    {
        if (!_pending.TryRemove(number, out pending))
        {
            return false;
        }

        Interlocked.Decrement(ref _count);
        return true;
    }

    // The beat finds it at the latest so much later.
    private long After(long now, TimeSpan span) =>
        now + (long)((span - Beat).TotalSeconds * _time.TimestampFrequency);

    private async Task RunAsync(string trail)
    {
        try
        {
            using var connection = new CallClientConnection(await _link.ConnectAsync(_end.Token), _time);
            await using var ends = _end.Token.UnsafeRegister(
                static connection => ((CallClientConnection)connection!).Dispose(), connection);
            await connection.BeginAsync(
                _link.Server.Rpc.ToString(), RpcRoutes.Calls,
                [new(HopTrail.Header, trail), new(Forwarder.OwnHeader, "1")], _end.Token);
            _connection = connection;
            _connected.TrySetResult(connection);
            await ReadAsync(connection);
            Fail(new IOException("the server ended the connection"));
        }
        catch (Exception e) // supervisor: whoever waits for an answer is told, and the next call opens another stream
        {
            Fail(e);
        }
    }

    private async Task ReadAsync(CallClientConnection connection)
    {
        while (await connection.ReadAsync())
        {
            var came = new ReadOnlySequence<byte>(connection.Body);
            var rest = came;
            bool isSound;
            while (CallFrames.TryTake(ref rest, out var frame, out isSound))
            {
                if (!CallFrames.TryReadAnswer(
                    frame.ToArray(), out var number, out var status, out var headers, out var body))
                {
                    throw new IOException("an answer cannot be read");
                }

                if (TryTake(number, out var pending))
                {
                    pending.Complete(status, headers, body);
                }
            }

            connection.Advance((int)(came.Length - rest.Length));
            if (!isSound)
            {
                throw new IOException("an answer cannot be read");
            }
        }
    }

    private async ValueTask SendAsync(ReadOnlyMemory<byte> bytes)
    {
        var connection = _connection ?? await _connected.Task.WaitAsync(_end.Token);
        await connection.SendAsync(bytes, _end.Token);
    }

    private void OnBeat()
    {
        var now = _time.GetTimestamp();
        foreach (var (number, pending) in _pending)
        {
            if (pending.Due < now && TryTake(number, out _))
            {
                pending.Fail(new OperationCanceledException("no answer in time"));
            }
            else if (pending.IsSlow(now))
            {
                // Whoever waits goes on waiting, for the change may have been made; others ask another server.
                _slow(_link.Server);
            }
        }

        if (!_pending.IsEmpty)
        {
            if (_connection?.IsAlive(RpcLimits.PingAfter - Beat) == false)
            {
                Fail(new IOException("the server is silent"));
                return;
            }

            _beat.Change(Beat, Timeout.InfiniteTimeSpan);
            return;
        }

        // A call that comes at this moment either stands in the count or goes as a request of its own.
        var left = IdleMax - _time.GetElapsedTime(Volatile.Read(ref _lastCall), now);
        if (left < TimeSpan.Zero && Interlocked.CompareExchange(ref _count, Unused, 0) == 0)
        {
            Fail(new IOException("the stream was not used"));
            return;
        }

        // In this order: a call that comes meanwhile either sees that nothing beats, or is seen here.
        _beat.Change(left < TimeSpan.Zero ? Beat : left + Beat, Timeout.InfiniteTimeSpan);
        Interlocked.Exchange(ref _isBeating, 0);
        if (!_pending.IsEmpty)
        {
            KeepBeating();
        }
    }

    private void KeepBeating()
    {
        Interlocked.MemoryBarrier();
        if (Volatile.Read(ref _isBeating) == 0 && Interlocked.Exchange(ref _isBeating, 1) == 0)
        {
            _beat.Change(Beat, Timeout.InfiniteTimeSpan);
        }
    }

    private void Fail(Exception e)
    {
        // What ends because the stream does is no news.
        e = _failure ??= e;
        _beat.Dispose();
        _end.Cancel();
        foreach (var (number, pending) in _pending)
        {
            if (TryTake(number, out _))
            {
                pending.Fail(e is HttpRequestException or IOException
                    ? e : new IOException("the connection to the server ended", e));
            }
        }
    }

    private sealed class Pending(ServerPeer server, long due, long slowFrom, bool isOwn)
    {
        private bool _isTold;

        // Who asks for a user goes on at once, on the reader's thread: it writes the answer out, which waits for
        // nobody, and a thread for each answer costs more than that. Meanwhile the next answers gather. What the
        // agent asks for itself goes on elsewhere, for it may do anything.
        private readonly TaskCompletionSource<FramedAnswer> _done = new(
            isOwn ? TaskCreationOptions.RunContinuationsAsynchronously : TaskCreationOptions.None);

        public long Due => due;

        public Task<FramedAnswer> Task => _done.Task;

        /// <summary>Whether it has become slow; true once, and for the beat only.</summary>
        public bool IsSlow(long now)
        {
            if (_isTold || now < slowFrom)
            {
                return false;
            }

            _isTold = true;
            return true;
        }

        public void Complete(int status, ReadOnlyMemory<byte> headers, ReadOnlyMemory<byte> body) =>
            _done.TrySetResult(new FramedAnswer(status, headers, body, server));

        // Off this thread: whoever ends a stream may hold a lock, and who waits asks another server next.
        public void Fail(Exception e) => ThreadPool.UnsafeQueueUserWorkItem(
            static state => state._done.TrySetException(state.e), (_done, e), preferLocal: false);
    }
}
