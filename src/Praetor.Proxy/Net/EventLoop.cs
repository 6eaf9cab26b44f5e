using System.Runtime.InteropServices;
using Praetor.Proxy.Native;

namespace Praetor.Proxy.Net;

/// <summary>One thread that moves the bytes of many connections.</summary>
/// <remarks>
/// The problem: a readiness event that hops from the poller to a thread pool and through a continuation costs more
/// than the work it announces (stream copies of this platform carry half of what Consul's own proxy does).
/// The idea: one thread waits in epoll, edge-triggered, and calls the owner of the descriptor straight away. Nothing
/// here may block. All state of a connection belongs to its loop's thread; other threads only <see cref="Post"/>.
/// A descriptor's number can be reused within one batch of events, so every event carries the generation of the use
/// it was asked for, and events of a closed use are dropped.
/// </remarks>
internal sealed unsafe class EventLoop : IDisposable
{
    private const int TokenBytes = 8;
    private const int FirstSlots = 256;

    // On x86-64 struct epoll_event is packed (12 bytes); elsewhere the token is aligned (16 bytes).
    private static readonly int ItemBytes = RuntimeInformation.ProcessArchitecture == Architecture.X64 ? 12 : 16;
    private static readonly int TokenOffset = ItemBytes - TokenBytes;

    private readonly int _epoll;
    private readonly int _wake;
    private readonly byte* _items;
    private readonly Thread _thread;
    private readonly TimeProvider _time;
    private readonly Action<Exception> _onBug;
    private readonly Lock _postedLock = new();
    private readonly List<ITimed> _deadlines = [];
    private Queue<Action> _posted = new();
    private Queue<Action> _running = new();
    private Queue<IResumable> _again = new();
    private Queue<IResumable> _resuming = new();
    private Pollable?[] _slots = new Pollable?[FirstSlots];
    private uint _generation;
    private long _nextDeadline = long.MaxValue;
    private volatile bool _isStopping;

    /// <summary>Starts the loop's thread.</summary>
    /// <param name="onBug">Told of an exception that escaped a connection's code; the loop goes on.</param>
    public EventLoop(string name, TimeProvider time, Random random, Action<Exception> onBug)
    {
        _time = time;
        _onBug = onBug;
        Random = random;
        Scratch = (byte*)NativeMemory.Alloc(Limits.ScratchBytes);
        _items = (byte*)NativeMemory.AllocZeroed((nuint)(ItemBytes * Limits.EventsPerWait));
        _epoll = LibC.EpollCreate(LibC.EpollCloseOnExec);
        _wake = LibC.EventFd(0, LibC.SocketNonBlocking | LibC.SocketCloseOnExec);
        if (_epoll < 0 || _wake < 0)
        {
            throw new IOException($"cannot set up epoll: {LibC.ErrorText}");
        }

        Watch(_wake, 0, LibC.EventIn);
        Now = time.GetTimestamp();
        _thread = new Thread(Run) { Name = name, IsBackground = true };
        _thread.Start();
    }

    /// <summary>A buffer for the running callback; its content is void at the next one.</summary>
    public byte* Scratch { get; }

    /// <summary>Chance for this thread's decisions.</summary>
    public Random Random { get; }

    /// <summary>The time stamp of the running batch of events.</summary>
    public long Now { get; private set; }

    /// <summary>Runs an action on the loop's thread; false once the loop has stopped.</summary>
    public bool Post(Action action)
    {
        lock (_postedLock)
        {
            if (_isStopping || _posted.Count >= Limits.PostedActions)
            {
                return false;
            }

            _posted.Enqueue(action);
            if (_posted.Count > 1)
            {
                return true;
            }
        }

        Wake();
        return true;
    }

    /// <summary>Runs an action on the loop's thread and waits for it; at once when this is that thread.</summary>
    public Task PostAsync(Action action)
    {
        var done = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        var isPosted = Post(() =>
        {
            try
            {
                action();
            }
            finally
            {
                done.SetResult();
            }
        });
        return isPosted ? done.Task : Task.CompletedTask;
    }

    /// <summary>Watches a descriptor, edge-triggered, until it is closed.</summary>
    public bool Add(Pollable item)
    {
        var fd = item.Fd;
        if (fd >= _slots.Length)
        {
            Array.Resize(ref _slots, Math.Max(fd + 1, _slots.Length * 2));
        }

        item.Generation = ++_generation;
        _slots[fd] = item;
        const uint events = LibC.EventIn | LibC.EventOut | LibC.EventPeerEnded | LibC.EdgeTriggered;
        return Watch(fd, item.Generation, events) == 0;
    }

    /// <summary>Forgets a descriptor that is about to be closed.</summary>
    public void Remove(Pollable item)
    {
        if (item.Fd >= 0 && item.Fd < _slots.Length && _slots[item.Fd] == item)
        {
            _slots[item.Fd] = null;
        }
    }

    /// <summary>Calls <see cref="IResumable.Resume"/> after the other ready descriptors had their turn.</summary>
    public void Again(IResumable item) => _again.Enqueue(item);

    /// <summary>Sets or moves the deadline of something.</summary>
    public void Due(ITimed item, TimeSpan after)
    {
        item.Deadline = Now + (long)(after.TotalSeconds * _time.TimestampFrequency);
        _nextDeadline = Math.Min(_nextDeadline, item.Deadline);
        if (item.DeadlineSlot < 0)
        {
            item.DeadlineSlot = _deadlines.Count;
            _deadlines.Add(item);
        }
    }

    /// <summary>Forgets the deadline of something.</summary>
    public void NotDue(ITimed item)
    {
        var slot = item.DeadlineSlot;
        if (slot < 0)
        {
            return;
        }

        var last = _deadlines[^1];
        _deadlines[slot] = last;
        last.DeadlineSlot = slot;
        _deadlines.RemoveAt(_deadlines.Count - 1);
        item.DeadlineSlot = -1;
    }

    /// <summary>Ends the thread; connections that are still open must have been closed before.</summary>
    public void Dispose()
    {
        lock (_postedLock)
        {
            _isStopping = true;
        }

        Wake();
        if (Thread.CurrentThread != _thread)
        {
            _thread.Join();
        }
    }

    private void Wake()
    {
        ulong one = 1;
        _ = LibC.Write(_wake, (byte*)&one, TokenBytes);
    }

    private int Watch(int fd, uint generation, uint events)
    {
        var item = stackalloc byte[ItemBytes];
        *(uint*)item = events;
        *(ulong*)(item + TokenOffset) = ((ulong)generation << 32) | (uint)fd;
        return LibC.EpollControl(_epoll, LibC.EpollAdd, fd, item);
    }

    private void Run()
    {
        while (!_isStopping)
        {
            var count = LibC.EpollWait(_epoll, _items, Limits.EventsPerWait, WaitMilliseconds());
            Now = _time.GetTimestamp();
            for (var i = 0; i < count; i++)
            {
                var item = _items + (i * ItemBytes);
                Dispatch(*(uint*)item, *(ulong*)(item + TokenOffset));
            }

            RunAgain();
            if (Now >= _nextDeadline)
            {
                RunDeadlines();
            }
        }

        RunPosted();
        _ = LibC.Close(_epoll);
        _ = LibC.Close(_wake);
        NativeMemory.Free(Scratch);
        NativeMemory.Free(_items);
    }

    private int WaitMilliseconds()
    {
        if (_again.Count > 0)
        {
            return 0;
        }

        if (_nextDeadline == long.MaxValue)
        {
            return -1;
        }

        var left = (_nextDeadline - Now) * 1000.0 / _time.TimestampFrequency;
        return (int)Math.Clamp(Math.Ceiling(left), 0, int.MaxValue);
    }

    private void Dispatch(uint events, ulong token)
    {
        var fd = (int)(uint)token;
        if (fd == _wake)
        {
            RunPosted();
            return;
        }

        var item = _slots[fd];
        if (item is null || item.Generation != (uint)(token >> 32))
        {
            return;
        }

        try
        {
            item.OnReady(events);
        }
        catch (Exception bug)
        {
            // supervisor: one item's mistake must not end the loop that carries all the others.
            _onBug(bug);
            Guard(null, item.OnBug);
        }
    }

    /// <summary>The supervisor of connections' code: a mistake there ends that connection and nobody
    /// else's.</summary>
    /// <param name="owner">What to break when its code throws.</param>
    public void Guard(object? owner, Action run)
    {
        try
        {
            run();
        }
        catch (Exception bug)
        {
            // supervisor: one item's mistake must not end the loop that carries all the others.
            _onBug(bug);
            if (owner is IBreakable broken)
            {
                Guard(null, broken.Break);
            }
        }
    }

    private void RunPosted()
    {
        ulong ignored;
        _ = LibC.Read(_wake, (byte*)&ignored, TokenBytes);
        lock (_postedLock)
        {
            (_posted, _running) = (_running, _posted);
        }

        while (_running.TryDequeue(out var action))
        {
            Guard(null, action);
        }
    }

    private void RunAgain()
    {
        (_again, _resuming) = (_resuming, _again);
        while (_resuming.TryDequeue(out var item))
        {
            Guard(item, item.Resume);
        }
    }

    private void RunDeadlines()
    {
        _nextDeadline = long.MaxValue;
        for (var i = _deadlines.Count - 1; i >= 0; i--)
        {
            if (i >= _deadlines.Count)
            {
                continue;
            }

            var item = _deadlines[i];
            if (item.Deadline > Now)
            {
                _nextDeadline = Math.Min(_nextDeadline, item.Deadline);
                continue;
            }

            NotDue(item);
            Guard(item, item.OnDeadline);
        }

        foreach (var item in _deadlines)
        {
            _nextDeadline = Math.Min(_nextDeadline, item.Deadline);
        }
    }
}
