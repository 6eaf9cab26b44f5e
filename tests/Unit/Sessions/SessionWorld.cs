using System.Text;
using Praetor.Server.Catalog;
using Praetor.Server.Kv;
using Praetor.Server.Model;
using Praetor.Server.Sessions;
using Praetor.Server.State;
using Praetor.Server.Storage;
using Shouldly;
using Support;

namespace Unit.Sessions;

/// <summary>A state with one node, its checks, and the timers of whoever leads, by a clock moved by hand.</summary>
internal sealed class SessionWorld : IDisposable
{
    public const string Node = "n1";
    private static int _made;

    public SessionWorld(IStorageEngine? engine = null)
    {
        Store = new StateStore(engine ?? new MemoryEngine());
        Timers = new SessionTimers(Store, Time);
    }

    public ManualTime Time { get; } = new();

    public StateStore Store { get; }

    public SessionTimers Timers { get; private set; }

    public ReadView View => new(Store.Current, tracks: false);

    public static async Task<SessionWorld> MakeAsync(IStorageEngine? engine = null)
    {
        var world = new SessionWorld(engine);
        await world.Store.SubmitAsync(new Register(new Registration
        {
            Node = new NodeRecord { Name = Node, Address = "10.0.0.1" },
            Service = new ServiceRecord { Id = "web", Name = "web" },
            Checks =
            [
                new CheckRecord { Id = "serfHealth", Status = "passing" },
                new CheckRecord { Id = "disk", Status = "warning" },
                new CheckRecord { Id = "web", ServiceId = "web", Status = "passing" },
            ],
        }));
        return world;
    }

    /// <summary>Makes a session; without a lock delay unless one is given.</summary>
    public async Task<string> SessionAsync(
        string ttl = "", int delaySeconds = 0, string behavior = "release", params string[] checks)
    {
        var id = $"00000000-0000-0000-0000-{Interlocked.Increment(ref _made):x12}";
        var outcome = await Store.SubmitAsync(new CreateSession(new SessionRecord
        {
            Id = id,
            Node = Node,
            Ttl = ttl,
            LockDelay = delaySeconds * 1_000_000_000L,
            Behavior = behavior,
            NodeChecks = checks.Length > 0 ? checks : ["serfHealth"],
        }));
        outcome.Refusal.ShouldBeNull();
        return id;
    }

    public async Task<bool> AcquireAsync(string key, string session, string value = "v")
    {
        var outcome = await Store.SubmitAsync(new AcquireKey(key, Encoding.UTF8.GetBytes(value), 0, session));
        outcome.Refusal.ShouldBeNull();
        return outcome.Value;
    }

    public async Task<bool> ReleaseAsync(string key, string session) =>
        (await Store.SubmitAsync(new ReleaseKey(key, [], 0, session))).Value;

    public Task EndAsync(string session) => Store.SubmitAsync(new EndSessions([session]));

    public Task CheckAsync(string id, string status, string service = "") => Store.SubmitAsync(
        new Register(new Registration
        {
            Node = new NodeRecord { Name = Node, Address = "10.0.0.1" },
            Checks = [new CheckRecord { Id = id, ServiceId = service, Status = status }],
        }));

    public bool IsAlive(string session) => SessionQueries.Peek(View, session) is not null;

    public string? HolderOf(string key) => KvQueries.Get(View, key)?.Session;

    /// <summary>Another server begins to lead.</summary>
    public void Succeed() => Timers = new SessionTimers(Store, Time);

    /// <summary>Moves the clock, and has the timers look whenever they want to on the way.</summary>
    public async Task AdvanceAsync(double seconds)
    {
        var left = TimeSpan.FromSeconds(seconds);
        while (await Timers.TickAsync() is { } next && next <= left && left > TimeSpan.Zero)
        {
            Time.Advance(next);
            left -= next;
        }

        Time.Advance(left);
        await Timers.TickAsync();
    }

    public void Dispose() => Store.Dispose();
}
