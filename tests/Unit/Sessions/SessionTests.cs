using Praetor.Server.Catalog;
using Praetor.Server.Kv;
using Praetor.Server.Model;
using Praetor.Server.Sessions;
using Praetor.Server.State;
using Praetor.Server.Storage;
using Praetor.Server.Transactions;
using Shouldly;
using Support;
using Xunit;

namespace Unit.Sessions;

/// <summary>Sessions live and die with their node and checks, and their keys with them.</summary>
public sealed class SessionTests
{
    [Fact]
    public async Task A_session_ends_when_one_of_its_checks_turns_critical()
    {
        using var world = await SessionWorld.MakeAsync();
        var session = await world.SessionAsync(checks: ["disk"]);
        var other = await world.SessionAsync();
        await world.AcquireAsync("a", session);
        await world.CheckAsync("disk", "passing");
        world.IsAlive(session).ShouldBeTrue();
        await world.CheckAsync("DISK", "critical");
        world.IsAlive(session).ShouldBeFalse();
        world.IsAlive(other).ShouldBeTrue();
        world.HolderOf("a").ShouldBe("");
    }

    [Theory]
    [InlineData("", "disk")]
    [InlineData("web", "")]
    [InlineData("", "")]
    public async Task A_session_ends_when_its_check_its_service_or_its_node_is_deregistered(
        string service, string check)
    {
        using var world = await SessionWorld.MakeAsync();
        var session = await world.SessionAsync(checks: ["disk", "web"]);
        await world.AcquireAsync("a", session);
        await world.Store.SubmitAsync(new Deregister(SessionWorld.Node, service, check));
        world.IsAlive(session).ShouldBeFalse();
        world.HolderOf("a").ShouldBe("");
    }

    [Fact]
    public async Task A_session_ends_with_its_check_also_by_what_agents_bring_and_by_transactions()
    {
        using var world = await SessionWorld.MakeAsync();
        var first = await world.SessionAsync(checks: ["web"]);
        await world.Store.SubmitAsync(new SyncCatalog(
            new CatalogChanges(SessionWorld.Node, [new CatalogRemoval("web", "")], [])));
        world.IsAlive(first).ShouldBeFalse();
        var second = await world.SessionAsync(checks: ["disk"]);
        await world.Store.SubmitAsync(new RunTransaction(
            [new CheckOperation("delete", new CheckRecord { Node = SessionWorld.Node, Id = "disk" }, 0)]));
        world.IsAlive(second).ShouldBeFalse();
        var third = await world.SessionAsync();
        await world.Store.SubmitAsync(new RunTransaction([new SessionOperation("delete", third)]));
        world.IsAlive(third).ShouldBeFalse();
    }

    [Fact]
    public async Task A_session_that_names_a_check_twice_ends_once()
    {
        using var world = await SessionWorld.MakeAsync();
        var session = await world.SessionAsync(checks: ["disk", "disk"]);
        await world.CheckAsync("disk", "critical");
        world.IsAlive(session).ShouldBeFalse();
    }

    [Fact]
    public async Task A_session_is_not_made_on_what_is_missing_or_critical()
    {
        using var world = await SessionWorld.MakeAsync();
        await world.CheckAsync("disk", "critical");
        foreach (var (node, check, text) in new[]
        {
            ("nope", "serfHealth", "Missing node registration"),
            (SessionWorld.Node, "nope", "Missing check 'nope' registration"),
            (SessionWorld.Node, "disk", "Check 'disk' is in critical state"),
        })
        {
            var session = new SessionRecord
            {
                Id = "00000000-0000-0000-0000-0000000000ff", Node = node, NodeChecks = [check],
            };
            (await world.Store.SubmitAsync(new CreateSession(session))).Refusal!.Text.ShouldBe(text);
        }
    }

    [Fact]
    public async Task Keys_are_released_or_deleted_as_the_session_says()
    {
        using var world = await SessionWorld.MakeAsync();
        var releasing = await world.SessionAsync();
        var deleting = await world.SessionAsync(behavior: "delete");
        await world.AcquireAsync("kept", releasing, "value");
        await world.AcquireAsync("gone/1", deleting);
        await world.AcquireAsync("gone/2", deleting);
        await world.EndAsync(releasing);
        await world.EndAsync(deleting);
        var kept = KvQueries.Get(world.View, "kept").ShouldNotBeNull();
        kept.Session.ShouldBe("");
        kept.Value.ShouldBe("value"u8.ToArray());
        KvQueries.List(world.View, "gone/").ShouldBeEmpty();
    }

    [Fact]
    public async Task A_key_that_was_given_back_does_not_go_with_the_session()
    {
        using var world = await SessionWorld.MakeAsync();
        var deleting = await world.SessionAsync(behavior: "delete");
        await world.AcquireAsync("a", deleting);
        (await world.ReleaseAsync("a", deleting)).ShouldBeTrue();
        await world.EndAsync(deleting);
        KvQueries.Get(world.View, "a").ShouldNotBeNull();
    }

    [Fact]
    public async Task A_held_key_that_was_deleted_is_not_put_back_by_the_end_of_its_session()
    {
        using var world = await SessionWorld.MakeAsync();
        var session = await world.SessionAsync();
        await world.AcquireAsync("a", session);
        await world.Store.SubmitAsync(new DeleteKey("a", Recurse: false, Cas: null));
        await world.EndAsync(session);
        KvQueries.Get(world.View, "a").ShouldBeNull();
    }

    [Fact]
    public async Task Sessions_and_locks_are_found_again_after_a_restart()
    {
        using var folder = new TempFolder("sessions");
        var file = Path.Combine(folder.Path, "state.db");
        string session, other;
        using (var world = await SessionWorld.MakeAsync(new SqliteEngine(file)))
        {
            session = await world.SessionAsync(checks: ["disk"]);
            other = await world.SessionAsync(delaySeconds: 15);
            await world.AcquireAsync("a", session);
            await world.AcquireAsync("b", other);
            await world.EndAsync(other);
        }

        using var again = new SessionWorld(new SqliteEngine(file));
        again.HolderOf("a").ShouldBe(session);
        var third = await again.SessionAsync();
        (await again.AcquireAsync("a", third)).ShouldBeFalse();
        (await again.AcquireAsync("b", third)).ShouldBeFalse("its lock delay goes on");
        await again.CheckAsync("disk", "critical");
        again.IsAlive(session).ShouldBeFalse();
        again.HolderOf("a").ShouldBe("");
    }

    [Theory]
    [InlineData("", "UUID must be 36 characters")]
    [InlineData("zzzzzzzz-zzzz-zzzz-zzzz-zzzzzzzzzzzz", "Invalid UUID: encoding/hex: invalid byte: U+007A 'z'")]
    [InlineData("1-1-1-1-1-11-1111-1111-1111-11111111", "UUID should have maximum of 4 \"-\"; got 9")]
    [InlineData("1-11111111111111111111111111111111111", "UUID must be 36 characters")]
    [InlineData("1-1111111111111111111111111111111111", "Input (without hyphens) must be even length")]
    public void What_is_no_id_is_refused_in_the_words_that_clients_know(string text, string why)
    {
        SessionId.TryRead(text, out _, out var problem).ShouldBeFalse();
        problem.ShouldBe($"failed session lookup: index error: {why}");
    }
}
