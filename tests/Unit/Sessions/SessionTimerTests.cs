using Praetor.Server.Kv;
using Praetor.Server.Model;
using Praetor.Server.Queries;
using Praetor.Server.Sessions;
using Praetor.Server.State;
using Praetor.Server.Storage;
using Shouldly;
using Xunit;

namespace Unit.Sessions;

/// <summary>When sessions end that are not renewed, and when lock delays do.</summary>
public sealed class SessionTimerTests
{
    [Fact]
    public async Task A_session_that_is_not_renewed_ends_after_twice_its_TTL_and_not_before()
    {
        using var world = await SessionWorld.MakeAsync();
        var session = await world.SessionAsync(ttl: "10s");
        var lasting = await world.SessionAsync();
        await world.AcquireAsync("a", session);
        await world.AdvanceAsync(0);
        await world.AdvanceAsync(19.9);
        world.IsAlive(session).ShouldBeTrue();
        await world.AdvanceAsync(0.1);
        world.IsAlive(session).ShouldBeFalse();
        world.IsAlive(lasting).ShouldBeTrue();
        world.HolderOf("a").ShouldBe("");
    }

    [Fact]
    public async Task A_renewal_gives_the_whole_time_again()
    {
        using var world = await SessionWorld.MakeAsync();
        var session = await world.SessionAsync(ttl: "10s");
        await world.AdvanceAsync(0);
        for (var i = 0; i < 10; i++)
        {
            await world.AdvanceAsync(19.9);
            world.Timers.Renew(SessionQueries.Peek(world.View, session)!).ShouldBeTrue();
        }

        await world.AdvanceAsync(19.9);
        world.IsAlive(session).ShouldBeTrue();
        await world.AdvanceAsync(0.1);
        world.IsAlive(session).ShouldBeFalse();
    }

    [Fact]
    public async Task Whoever_begins_to_lead_gives_every_session_its_whole_time()
    {
        using var world = await SessionWorld.MakeAsync();
        var session = await world.SessionAsync(ttl: "10s");
        await world.AdvanceAsync(0);
        await world.AdvanceAsync(15);
        world.Succeed();
        await world.AdvanceAsync(0);
        await world.AdvanceAsync(19.9);
        world.IsAlive(session).ShouldBeTrue();
        await world.AdvanceAsync(0.1);
        world.IsAlive(session).ShouldBeFalse();
    }

    [Fact]
    public async Task A_state_that_was_replaced_gives_every_session_its_whole_time()
    {
        using var world = await SessionWorld.MakeAsync();
        var session = await world.SessionAsync(ttl: "10s");
        await world.AdvanceAsync(0);
        await world.AdvanceAsync(15);
        world.Timers.BeginAnew();
        await world.AdvanceAsync(19.9);
        world.IsAlive(session).ShouldBeTrue();
        await world.AdvanceAsync(0.1);
        world.IsAlive(session).ShouldBeFalse();
    }

    [Fact]
    public async Task Many_sessions_end_each_at_its_time()
    {
        using var world = await SessionWorld.MakeAsync();
        var sessions = new List<string>();
        for (var i = 0; i < 300; i++)
        {
            sessions.Add(await world.SessionAsync(ttl: $"{10 + (i % 3)}s"));
        }

        await world.AdvanceAsync(0);
        foreach (var (seconds, alive) in new[] { (19.9, 300), (0.1, 200), (1.9, 200), (0.1, 100), (2.0, 0) })
        {
            await world.AdvanceAsync(seconds);
            sessions.Count(world.IsAlive).ShouldBe(alive);
        }
    }

    [Fact]
    public async Task A_session_that_cannot_be_ended_for_lack_of_room_is_ended_once_there_is_some()
    {
        var engine = new FullEngine();
        using var world = await SessionWorld.MakeAsync(engine);
        var session = await world.SessionAsync(ttl: "10s");
        await world.AdvanceAsync(0);
        engine.IsFull = true;
        await world.AdvanceAsync(20);
        world.IsAlive(session).ShouldBeTrue();
        engine.IsFull = false;
        await world.AdvanceAsync(1);
        world.IsAlive(session).ShouldBeFalse();
    }

    [Fact]
    public async Task Nobody_gets_a_key_until_its_lock_delay_is_over()
    {
        using var world = await SessionWorld.MakeAsync();
        var dead = await world.SessionAsync(delaySeconds: 15);
        var next = await world.SessionAsync();
        await world.AcquireAsync("a", dead);
        await world.AcquireAsync("a/b", dead);
        await world.EndAsync(dead);
        await world.AdvanceAsync(0);
        await world.AdvanceAsync(14.9);
        (await world.AcquireAsync("a", next)).ShouldBeFalse();
        (await world.Store.SubmitAsync(new PutKey("a", [1], 0, null))).Value.ShouldBeTrue("writing is no locking");
        await world.AdvanceAsync(0.1);
        (await world.AcquireAsync("a", next)).ShouldBeTrue();
        (await world.AcquireAsync("a/b", next)).ShouldBeTrue();
        world.View.Count(Tables.LockDelaysByKey).ShouldBe(0);
    }

    [Fact]
    public async Task A_later_delay_of_a_key_below_does_not_lengthen_that_of_the_key_above()
    {
        using var world = await SessionWorld.MakeAsync();
        var first = await world.SessionAsync(delaySeconds: 15);
        var second = await world.SessionAsync(delaySeconds: 15);
        await world.AcquireAsync("a", first);
        await world.AcquireAsync("a/b", second);
        await world.EndAsync(first);
        await world.AdvanceAsync(0);
        await world.AdvanceAsync(10);
        await world.EndAsync(second);
        await world.AdvanceAsync(5);
        var next = await world.SessionAsync();
        (await world.AcquireAsync("a", next)).ShouldBeTrue();
        (await world.AcquireAsync("a/b", next)).ShouldBeFalse();
    }

    [Fact]
    public async Task A_lock_delay_is_a_minute_at_most()
    {
        using var world = await SessionWorld.MakeAsync();
        var dead = await world.SessionAsync(delaySeconds: 999);
        var next = await world.SessionAsync();
        await world.AcquireAsync("a", dead);
        await world.EndAsync(dead);
        await world.AdvanceAsync(0);
        await world.AdvanceAsync(60);
        (await world.AcquireAsync("a", next)).ShouldBeTrue();
    }

    [Fact]
    public async Task Whoever_waits_for_a_key_is_woken_when_its_lock_delay_is_over()
    {
        using var world = await SessionWorld.MakeAsync();
        var dead = await world.SessionAsync(delaySeconds: 15);
        await world.AcquireAsync("a", dead);
        await world.EndAsync(dead);
        await world.AdvanceAsync(0);
        var hub = new QueryHub(world.Store, TimeProvider.System);
        static QueryAnswer Answer(ReadView view)
        {
            var body = KvQueries.Get(view, "a")!.Value;
            return new QueryAnswer(view.Index, 200, "", body);
        }

        var before = await hub.ReadAsync("a", Answer);
        var waiting = hub.WaitAsync(
            "a", Answer, ignoresEqual: false, before.Index, TimeSpan.FromSeconds(60), CancellationToken.None);
        await world.AdvanceAsync(15);
        (await waiting.WaitAsync(TimeSpan.FromSeconds(20))).Index.ShouldBeGreaterThan(before.Index);
    }

    [Fact]
    public async Task No_session_ends_because_the_server_stood_still()
    {
        using var world = await SessionWorld.MakeAsync();
        var session = await world.SessionAsync(ttl: "10s");
        await world.AdvanceAsync(0);
        world.Time.Advance(TimeSpan.FromSeconds(60));
        await world.Timers.TickAsync();
        world.IsAlive(session).ShouldBeTrue("nobody could renew it");
        await world.AdvanceAsync(19.9);
        world.IsAlive(session).ShouldBeTrue();
        await world.AdvanceAsync(0.1);
        world.IsAlive(session).ShouldBeFalse();
    }

    [Fact]
    public async Task The_timers_wake_by_themselves_for_what_is_new_and_for_what_is_due()
    {
        using var world = await SessionWorld.MakeAsync();
        using var stop = new CancellationTokenSource();
        var running = world.Timers.RunAsync(stop.Token);
        var dead = await world.SessionAsync(delaySeconds: 15);
        await world.AcquireAsync("a", dead);
        var asleep = world.Time.TimersAsync(1);
        await world.EndAsync(dead);
        await asleep;
        var hub = new QueryHub(world.Store, TimeProvider.System);
        QueryAnswer Delays(ReadView view)
        {
            var count = view.Scan(Tables.LockDelaysByKey, []).Count();
            return new QueryAnswer(view.Index, 200, "", [(byte)count]);
        }

        var before = await hub.ReadAsync("delays", Delays);
        before.Body.ShouldBe([1]);
        world.Time.Advance(TimeSpan.FromSeconds(15));
        var after = await hub.WaitAsync(
            "delays", Delays, ignoresEqual: false, before.Index, TimeSpan.FromSeconds(60), CancellationToken.None);
        after.Body.ShouldBe([0]);
        await stop.CancelAsync();
        await Should.ThrowAsync<OperationCanceledException>(() => running);
    }

    private sealed class FullEngine : IStorageEngine
    {
        public bool IsFull { get; set; }

        public string Name => "test";

        public ulong Load(Action<StoredRow> visit) => 0;

        public void Commit(CommitBatch batch)
        {
            if (IsFull)
            {
                throw new StorageFullException("no space");
            }
        }

        public void Dispose()
        {
            // Nothing is held.
        }
    }
}
