using System.Net;
using System.Net.Sockets;
using System.Threading.Channels;
using Gossip.Coordinates;
using Gossip.Serf;
using Gossip.Serf.Wire;
using Gossip.Wire;

namespace Gossip.Pool;

/// <summary>A member of a pool with its sockets, timer and threads: the shell around <see cref="SerfCore"/>.</summary>
/// <remarks>
/// One lock owns the core; it is held for microseconds, never while waiting for the network. Packets are read by a
/// thread of their own, streams by tasks, and what the core tells goes through a bounded queue to the listener.
/// </remarks>
public sealed partial class GossipPool : IAsyncDisposable
{
    /// <summary>Notices that wait for the listener; beyond it the oldest is lost, which a later look at
    /// <see cref="Members"/> makes good.</summary>
    private const int NoticesMax = 65_536;

    /// <summary>How long stopping waits for what is under way.</summary>
    private static readonly TimeSpan StopTime = TimeSpan.FromSeconds(2);

    private readonly Lock _gate = new();
    private readonly GossipPoolOptions _options;
    private readonly IPoolListener _listener;
    private readonly TimeProvider _time;
    private readonly Keyring _keyring;
    private readonly PoolSockets _sockets;
    private readonly PacketCodec _packets;
    private readonly StreamCodec _streams;
    private readonly SerfCore _core;
    private readonly long _began;
    private readonly ITimer _timer;
    private readonly CancellationTokenSource _stop = new();
    private readonly Dictionary<long, TaskCompletionSource<string?>> _joins = [];
    private readonly TaskCompletionSource _left = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly Channel<Action<IPoolListener>> _notices = Channel.CreateBounded<Action<IPoolListener>>(
        new BoundedChannelOptions(NoticesMax) { FullMode = BoundedChannelFullMode.DropOldest, SingleReader = true });
    private Thread? _reader;
    private Task _loops = Task.CompletedTask;
    private bool _isStopped;

    /// <summary>Opens the sockets; nothing is said yet.</summary>
    /// <param name="keyring">Empty: gossip is not encrypted.</param>
    /// <param name="keys">Changes the keyring when the pool asks for it; null: it cannot be changed.</param>
    /// <exception cref="SocketException">The port is taken, or the address is not this machine's.</exception>
    /// <exception cref="ArgumentException">The configuration has problems; the text names them.</exception>
    public GossipPool(
        GossipPoolOptions options, IPoolListener listener, Keyring keyring, ISerfKeyring? keys, TimeProvider time,
        Random random)
    {
        (_options, _listener, _time, _keyring) = (options, listener, time, keyring);
        _sockets = PoolSockets.Open(options.Bind);
        var serf = options.Serf;
        if (serf.Swim.Address.Port == 0)
        {
            var address = new IPEndPoint(serf.Swim.Address.Address, _sockets.Port);
            serf = serf with { Swim = serf.Swim with { Address = address } };
        }

        _packets = new PacketCodec(options.Wire, keyring);
        _streams = new StreamCodec(options.Wire, keyring);
        _core = new SerfCore(serf, new Way(this), new Ear(this), keys, random);
        _began = time.GetTimestamp();
        _timer = time.CreateTimer(
            static state => ((GossipPool)state!).Ticked(), this, Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);
    }

    /// <summary>The port that it listens on.</summary>
    public int Port => _sockets.Port;

    /// <summary>Whether what it says is encrypted.</summary>
    public bool IsEncrypted => !_keyring.IsEmpty;

    private TimeSpan Now => _time.GetElapsedTime(_began);

    /// <summary>Begins to take part.</summary>
    /// <exception cref="ArgumentException">The tags are too large.</exception>
    public void Start()
    {
        Locked(static (core, now) => core.Start(now));
        _reader = new Thread(ReadPackets) { IsBackground = true, Name = "gossip packets" };
        _reader.Start();
        _loops = Task.WhenAll(AcceptAsync(), TellAsync());
    }

    public IReadOnlyList<SerfMember> Members() => Locked(static (core, _) => core.Members());

    /// <summary>A member; null: not known.</summary>
    public SerfMember? Find(string name) => Locked((core, _) => core.Find(name));

    /// <summary>Where this member is in the network.</summary>
    public Coordinate Coordinate => Locked(static (core, _) => core.Coordinate);

    /// <summary>Where another member said it is; null: it never told.</summary>
    public Coordinate? CoordinateOf(string name) => Locked((core, _) => core.CoordinateOf(name));

    /// <summary>Numbers for people: Lamport times, queues, health.</summary>
    public PoolFigures Figures() =>
        Locked(static (core, _) => new PoolFigures(
            core.Clocks, core.Queued, core.HealthScore, core.CoordinateResets));

    /// <summary>Says other things about this member from now on.</summary>
    /// <exception cref="ArgumentException">They are too large.</exception>
    public void SetTags(IReadOnlyDictionary<string, string> tags) => Locked((core, now) => core.SetTags(tags, now));

    /// <summary>Tells everybody. Gives why not; null: on its way.</summary>
    public string? FireEvent(string name, ReadOnlyMemory<byte> payload, bool coalesces) =>
        Locked((core, now) => core.FireEvent(name, payload, coalesces, now));

    /// <summary>Asks everybody. The listener is called under the lock: it must only note what it hears.</summary>
    public string? Ask(QueryRequest request, IQueryListener answers) =>
        Locked((core, now) => core.Ask(request, answers, now));

    /// <summary>Answers a query. Gives why not; null: on its way.</summary>
    public string? Answer(ReceivedQuery query, ReadOnlyMemory<byte> payload) =>
        Locked((core, now) => core.Answer(query, payload, now));

    /// <summary>See <see cref="SerfCore.ForceLeave"/>.</summary>
    public bool ForceLeave(string name, bool prune) => Locked((core, now) => core.ForceLeave(name, prune, now));

    /// <summary>Joins by each of the addresses, all at once.</summary>
    public async Task<IReadOnlyList<JoinResult>> JoinAsync(IReadOnlyList<IPEndPoint> seeds, CancellationToken stop)
    {
        var waits = new List<(IPEndPoint Seed, Task<string?> Done)>(seeds.Count);
        foreach (var seed in seeds)
        {
            var done = new TaskCompletionSource<string?>(TaskCreationOptions.RunContinuationsAsynchronously);
            Locked((core, now) => _joins[core.Join(seed, now)] = done);
            waits.Add((seed, done.Task));
        }

        var results = new List<JoinResult>(waits.Count);
        foreach (var (seed, done) in waits)
        {
            results.Add(new JoinResult(seed, await done.WaitAsync(stop)));
        }

        return results;
    }

    /// <summary>Tells the others that this member goes; ends when they should have heard it.</summary>
    public Task LeaveAsync(CancellationToken stop)
    {
        Locked(static (core, now) => core.Leave(now));
        return _left.Task.WaitAsync(stop);
    }

    /// <summary>Ends at once, as if the machine had failed unless <see cref="LeaveAsync"/> was called before.</summary>
    public async ValueTask DisposeAsync()
    {
        lock (_gate)
        {
            if (_isStopped)
            {
                return;
            }

            _isStopped = true;
            foreach (var join in _joins.Values)
            {
                join.TrySetResult("the agent stops");
            }
        }

        await _stop.CancelAsync();
        await _timer.DisposeAsync();
        _sockets.Dispose();
        _notices.Writer.TryComplete();
        _left.TrySetResult();
        try
        {
            await _loops.WaitAsync(StopTime, _time);
        }
        catch (Exception e) when (e is TimeoutException or OperationCanceledException)
        {
            // What hangs is in a listener; the sockets are closed, so nothing more comes of it.
        }

        _reader?.Join(StopTime);
        _packets.Dispose();
        _stop.Dispose();
    }

    private void Locked(Action<SerfCore, TimeSpan> act) => Locked((core, now) =>
    {
        act(core, now);
        return true;
    });

    private T Locked<T>(Func<SerfCore, TimeSpan, T> act)
    {
        lock (_gate)
        {
            var result = act(_core, Now);
            Arm();
            return result;
        }
    }

    private void Arm()
    {
        if (_isStopped)
        {
            return;
        }

        var wait = _core.NextDeadline is { } due ? due - Now : Timeout.InfiniteTimeSpan;
        if (wait != Timeout.InfiniteTimeSpan && wait < TimeSpan.FromMilliseconds(1))
        {
            wait = TimeSpan.FromMilliseconds(1);
        }

        _timer.Change(wait, Timeout.InfiniteTimeSpan);
    }

    private void Ticked()
    {
        lock (_gate)
        {
            if (!_isStopped)
            {
                Tick();
                Arm();
            }
        }
    }

    private void Tick()
    {
        try
        {
            _core.Tick(Now);
        }
        catch (Exception e) // supervisor: a mistake in one duty must not end the others, nor the process
        {
            Tell(listener => listener.Note(Swim.SwimNote.Unexpected, e.ToString()));
        }
    }

    private async Task TellAsync()
    {
        await foreach (var notice in _notices.Reader.ReadAllAsync())
        {
            try
            {
                notice(_listener);
            }
            catch (Exception e) // supervisor: a listener that fails at one notice still gets the next
            {
                _listener.Note(Swim.SwimNote.Unexpected, e.ToString());
            }
        }
    }

    private bool Allows(IPAddress address) => _options.IsAllowed is not { } isAllowed || isAllowed(address);
}

/// <summary>Numbers about a pool.</summary>
public sealed record PoolFigures(
    (ulong Members, ulong Events, ulong Queries) Clocks, (int Intents, int Events, int Queries) Queued,
    int HealthScore, int CoordinateResets);
