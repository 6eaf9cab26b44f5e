using Praetor.Server.Kv;
using Praetor.Server.Model;
using Praetor.Server.State;
using Praetor.Server.Transactions;
using Shouldly;
using Xunit;

namespace Unit.Sessions;

/// <summary>Keys as locks, and what other writes do to them.</summary>
public sealed class LockTests
{
    [Fact]
    public async Task One_session_holds_a_key_at_a_time()
    {
        using var world = await SessionWorld.MakeAsync();
        var (a, b) = (await world.SessionAsync(), await world.SessionAsync());
        (await world.AcquireAsync("k", a)).ShouldBeTrue();
        (await world.AcquireAsync("k", a, "again")).ShouldBeTrue();
        (await world.AcquireAsync("k", b)).ShouldBeFalse();
        (await world.ReleaseAsync("k", b)).ShouldBeFalse();
        (await world.ReleaseAsync("k", a)).ShouldBeTrue();
        (await world.AcquireAsync("k", b)).ShouldBeTrue();
        world.HolderOf("k").ShouldBe(b);
    }

    [Fact]
    public async Task An_id_in_capitals_is_the_same_session()
    {
        using var world = await SessionWorld.MakeAsync();
        var id = await world.SessionAsync();
        (await world.AcquireAsync("k", id.ToUpperInvariant())).ShouldBeTrue();
        world.HolderOf("k").ShouldBe(id);
        (await world.ReleaseAsync("k", id.ToUpperInvariant())).ShouldBeTrue();
    }

    [Theory]
    [InlineData("", "missing session")]
    [InlineData("abc", "failed session lookup: index error: UUID must be 36 characters")]
    [InlineData("11111111-1111-1111-1111-111111111111", "invalid session \"11111111-1111-1111-1111-111111111111\"")]
    public async Task A_session_that_is_none_is_told_in_the_words_that_clients_know(string session, string why)
    {
        using var world = await SessionWorld.MakeAsync();
        (await world.Store.SubmitAsync(new AcquireKey("k", [], 0, session))).Refusal!.Text.ShouldBe(why);
        var step = new KvOperation("lock", "k") { Session = session };
        (await world.Store.SubmitAsync(new RunTransaction([step]))).Value.Errors.Single().What.ShouldBe(why);
    }

    [Fact]
    public async Task Plain_writes_and_check_and_set_keep_the_holder_and_the_count()
    {
        using var world = await SessionWorld.MakeAsync();
        var a = await world.SessionAsync();
        await world.AcquireAsync("k", a);
        await world.Store.SubmitAsync(new PutKey("k", [1], 5, null));
        var put = KvQueries.Get(world.View, "k")!;
        (put.Session, put.LockIndex).ShouldBe((a, 1UL));
        (await world.Store.SubmitAsync(new PutKey("k", [2], 5, put.ModifyIndex))).Value.ShouldBeTrue();
        (await world.Store.SubmitAsync(new RunTransaction([new KvOperation("set", "k") { Value = [3] }])))
            .Value.Errors.ShouldBeEmpty();
        var set = KvQueries.Get(world.View, "k")!;
        (set.Session, set.LockIndex).ShouldBe((a, 1UL));
    }

    [Fact]
    public async Task Deleting_a_held_key_frees_it_whichever_way_it_is_deleted()
    {
        using var world = await SessionWorld.MakeAsync();
        var (a, b) = (await world.SessionAsync(), await world.SessionAsync(delaySeconds: 15));
        Command<bool>[] ways =
        [
            new DeleteKey("t/k", Recurse: false, null), new DeleteKey("t/", Recurse: true, null),
        ];
        foreach (var way in ways)
        {
            await world.AcquireAsync("t/k", b);
            (await world.Store.SubmitAsync(way)).Value.ShouldBeTrue();
            (await world.AcquireAsync("t/k", a)).ShouldBeTrue();
            await world.Store.SubmitAsync(new DeleteKey("t/k", Recurse: false, null));
        }

        await world.AcquireAsync("t/k", b);
        var index = KvQueries.Get(world.View, "t/k")!.ModifyIndex;
        (await world.Store.SubmitAsync(new DeleteKey("t/k", false, index - 1))).Value.ShouldBeFalse();
        world.HolderOf("t/k").ShouldBe(b);
        (await world.Store.SubmitAsync(new DeleteKey("t/k", false, index))).Value.ShouldBeTrue();
        await world.EndAsync(b);
        world.View.Count(Tables.LockDelaysByKey).ShouldBe(0, "what it does not hold any more is not delayed");
        world.View.Count(Tables.KvByHolder).ShouldBe(0);
    }

    [Fact]
    public async Task Every_hold_has_a_larger_token_than_all_before_it()
    {
        using var world = await SessionWorld.MakeAsync();
        var random = new Random(17);
        var sessions = new[] { await world.SessionAsync(), await world.SessionAsync(), await world.SessionAsync() };
        var (index, token) = (0UL, 0UL);
        for (var i = 0; i < 2000; i++)
        {
            var session = sessions[random.Next(sessions.Length)];
            var before = KvQueries.Get(world.View, "k")?.Session ?? "";
            switch (random.Next(6))
            {
                case 0:
                    await world.Store.SubmitAsync(new PutKey("k", [(byte)i], 0, null));
                    continue;
                case 1 or 2:
                    await world.ReleaseAsync("k", session);
                    continue;
                case 3 when random.Next(20) == 0:
                    await world.Store.SubmitAsync(new DeleteKey("k", false, null));
                    index = 0;
                    continue;
                default:
                    break;
            }

            if (await world.AcquireAsync("k", session, $"{i}") && before != session)
            {
                before.ShouldBe("", "two would hold it");
                var held = KvQueries.Get(world.View, "k")!;
                held.LockIndex.ShouldBeGreaterThan(index);
                held.ModifyIndex.ShouldBeGreaterThan(token);
                (index, token) = (held.LockIndex, held.ModifyIndex);
            }
        }

        token.ShouldBeGreaterThan(300UL);
    }

    [Fact]
    public async Task A_transaction_that_fails_neither_locks_nor_ends_anything()
    {
        using var world = await SessionWorld.MakeAsync();
        var (a, b) = (await world.SessionAsync(), await world.SessionAsync());
        await world.AcquireAsync("held", a);
        var outcome = await world.Store.SubmitAsync(new RunTransaction(
        [
            new KvOperation("lock", "free") { Session = b },
            new SessionOperation("delete", a),
            new NodeOperation("delete", new NodeRecord { Name = SessionWorld.Node }, 0),
            new KvOperation("check-index", "held") { Index = 1 },
        ]));
        outcome.Value.Errors.Single().OperationIndex.ShouldBe(3);
        world.IsAlive(a).ShouldBeTrue();
        world.HolderOf("held").ShouldBe(a);
        world.HolderOf("free").ShouldBeNull();
    }

    [Fact]
    public async Task A_transaction_takes_several_locks_or_none()
    {
        using var world = await SessionWorld.MakeAsync();
        var (a, b) = (await world.SessionAsync(), await world.SessionAsync());
        KvOperation Lock(string key, string session) => new("lock", key) { Session = session };
        (await world.Store.SubmitAsync(new RunTransaction([Lock("x", a), Lock("y", a)]))).Value.Errors.ShouldBeEmpty();
        var second = await world.Store.SubmitAsync(new RunTransaction([Lock("z", b), Lock("y", b)]));
        second.Value.Errors.Single().What.ShouldBe("failed to lock key \"y\", lock is already held");
        world.HolderOf("z").ShouldBeNull();
        world.HolderOf("y").ShouldBe(a);
    }
}
