using System.Text;
using Praetor.Server.Kv;
using Praetor.Server.Model;
using Praetor.Server.Replication;
using Praetor.Server.State;
using Shouldly;
using Support;

namespace Unit.Replication;

/// <summary>Servers on one etcd in memory and a clock that moves only when the test says so.</summary>
internal sealed class SimulatedCluster(int seed) : IAsyncDisposable
{
    // So many that what takes turns on other threads is done in a few milliseconds of the clock, as it is in life.
    private const int TurnsPerStep = 20;
    private const int StepsMax = 1_000_000;

    private readonly List<SimulatedServer> _servers = [];

    public ManualTime Time { get; } = new();

    public FakeEtcdStore Etcd { get; } = new();

    public IReadOnlyList<SimulatedServer> Servers => _servers;

    public SimulatedServer Start(string name, ReplicationOptions? options = null)
    {
        var etcd = new FaultyEtcd(Etcd, Time, new Random(seed + name[0]));
        var pulse = new FakePulse();
        var replica = new Replica(
            etcd, "dc1", pulse, options ?? new ReplicationOptions(), Time, new Random(seed + name[0]),
            static (_, _) => { });
        var server = new SimulatedServer(name, etcd, pulse, replica);
        _servers.Add(server);
        replica.Start(new ReplicaIdentity(name, name, "127.0.0.1:8300", 1));
        return server;
    }

    public async Task<SimulatedServer> LeaderAsync(IEnumerable<SimulatedServer>? among = null)
    {
        var all = (among ?? _servers).ToList();
        await UntilAsync(() => all.Exists(static s => s.Replica.Leads));
        return all.First(static s => s.Replica.Leads);
    }

    /// <summary>The clock moves a little, and those on other threads get a turn.</summary>
    public async Task StepAsync()
    {
        Time.Advance(TimeSpan.FromMilliseconds(1));
        for (var i = 0; i < TurnsPerStep; i++)
        {
            await Task.Yield();
        }

        // The writers have threads of their own, which may wait for a processor.
        Thread.Yield();
    }

    public async Task StepAsync(TimeSpan span)
    {
        for (var i = 0; i < span.TotalMilliseconds; i++)
        {
            await StepAsync();
        }
    }

    public async Task UntilAsync(Func<bool> isSo)
    {
        for (var i = 0; !isSo(); i++)
        {
            i.ShouldBeLessThan(StepsMax, "it does not come to be");
            await StepAsync();
        }
    }

    public async Task<T> PumpAsync<T>(Task<T> task)
    {
        await UntilAsync(() => task.IsCompleted);
        return await task;
    }

    public async ValueTask DisposeAsync()
    {
        foreach (var server in _servers)
        {
            server.Etcd.Heal();
            var ending = server.Replica.DisposeAsync().AsTask();
            await UntilAsync(() => ending.IsCompleted);
            await ending;
        }
    }
}

/// <summary>One of them.</summary>
internal sealed record SimulatedServer(string Name, FaultyEtcd Etcd, FakePulse Pulse, Replica Replica)
{
    public StateStore Store => Replica.Store;

    public ulong Index => Store.Current.Index;

    public Task<Outcome<bool>> SubmitAsync(string key, string value) =>
        Store.SubmitAsync(new PutKey(key, Encoding.UTF8.GetBytes(value), 0, null));

    public KvRecord? Record(string key) =>
        new ReadView(Store.Current, tracks: false).Peek(Tables.KvByKey, KeyBytes.Exact(key));

    public List<(string Key, string Value, ulong Created, ulong Modified)> All() =>
    [
        .. KvQueries.List(new ReadView(Store.Current, tracks: false), "").Select(static r =>
            (r.Key, Encoding.UTF8.GetString(r.Value), r.CreateIndex, r.ModifyIndex)),
    ];
}
