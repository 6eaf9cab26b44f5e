using System.Text;
using Praetor.Server.Kv;
using Praetor.Server.Model;
using Praetor.Server.Replication;
using Praetor.Server.State;
using Praetor.Server.Storage.Etcd;
using Shouldly;
using Support;
using Xunit;

namespace Unit.Replication;

public sealed class ReplicaTests : IAsyncLifetime
{
    // Some writes are answered before the next thing breaks, some are not.
    private const int StepsPerWrite = 600;

    // So many that what takes turns on other threads is done in a few milliseconds of the clock, as it is in life.
    private const int TurnsPerStep = 20;
    private const int StepsMax = 1_000_000;

    private readonly ManualTime _time = new();
    private readonly FakeEtcdStore _etcd = new();
    private readonly List<Server> _servers = [];

    public ValueTask InitializeAsync() => ValueTask.CompletedTask;

    public async ValueTask DisposeAsync()
    {
        foreach (var server in _servers)
        {
            server.Etcd.IsCut = false;
            await PumpAsync(server.Replica.DisposeAsync().AsTask());
        }
    }

    [Fact]
    public async Task A_server_alone_leads_and_takes_writes()
    {
        var server = Start("a");
        await UntilAsync(() => server.Replica.Leads);
        await server.PutAsync("k", "v");
        server.Get("k").ShouldBe("v");
        server.Replica.Leader!.Name.ShouldBe("a");
    }

    [Fact]
    public async Task One_of_three_leads_and_the_others_have_what_it_wrote_with_the_same_indexes()
    {
        var servers = StartThree();
        var leader = await LeaderAsync(servers);
        for (var i = 0; i < 50; i++)
        {
            await leader.PutAsync($"k{i}", $"v{i}");
        }

        await leader.DeleteAsync("k7");
        foreach (var follower in servers)
        {
            await UntilAsync(() => follower.Index == leader.Index);
            follower.Get("k7").ShouldBeNull();
            follower.All().ShouldBe(leader.All());
            await UntilAsync(() => follower.Replica.Leader is { } known && known == leader.Replica.Leader);
        }
    }

    [Fact]
    public async Task A_follower_takes_no_writes()
    {
        var servers = StartThree();
        var leader = await LeaderAsync(servers);
        var follower = servers.First(s => s != leader);
        (await follower.SubmitAsync("k", "v")).Refusal!.Text.ShouldBe("No cluster leader");
    }

    /// <summary>The clock stands still in this one.</summary>
    [Fact]
    public async Task When_the_leaders_process_ends_another_leads_without_waiting_for_silence()
    {
        var servers = StartThree();
        await TurnsUntilAsync(() => servers.Exists(static s => s.Replica.Leads));
        var leader = servers.First(static s => s.Replica.Leads);
        await leader.PutAsync("k", "v");
        leader.Etcd.IsCut = true;
        var others = servers.Where(s => s != leader).ToList();
        await TurnsUntilAsync(() => others.TrueForAll(static s => s.Pulse.IsWatched));

        // Again and again, as it may just be listening anew.
        var next = others[0];
        await TurnsUntilAsync(() =>
        {
            next.Pulse.Break();
            return next.Replica.Leads;
        });
        next.Get("k").ShouldBe("v");
        await next.PutAsync("k", "w");
        next.Get("k").ShouldBe("w");
    }

    [Fact]
    public async Task A_leader_that_is_cut_off_silently_is_replaced_after_its_lease_and_writes_nothing_more()
    {
        var servers = StartThree();
        var leader = await LeaderAsync(servers);
        await leader.PutAsync("k", "1");
        leader.Etcd.IsCut = true;
        var lost = leader.SubmitAsync("k", "lost");
        var others = servers.Where(s => s != leader).ToList();
        await UntilAsync(() => others.Exists(static s => s.Replica.Leads));
        var isNewest = leader.Replica.IsNewestAsync(isStrict: false, CancellationToken.None).AsTask();
        (await PumpAsync(isNewest)).ShouldBeFalse();
        var next = others.First(static s => s.Replica.Leads);
        await next.PutAsync("k", "2");

        leader.Etcd.IsCut = false;
        (await PumpAsync(lost)).Refusal.ShouldNotBeNull();
        await UntilAsync(() => leader.Get("k") == "2");
        leader.Replica.Leads.ShouldBeFalse();
    }

    [Fact]
    public async Task A_deposed_leader_does_not_answer_what_changes_nothing_either()
    {
        var servers = StartThree();
        var leader = await LeaderAsync(servers);
        await leader.PutAsync("k", "1");
        var index = leader.Record("k")!.ModifyIndex;
        leader.Etcd.LosesEvents = true;
        servers.Where(s => s != leader).ToList().ForEach(static s => s.Pulse.Break());
        var next = await LeaderAsync(servers.Where(s => s != leader));
        await next.PutAsync("k", "2");

        // Its own state says that the index is the right one, or a wrong one: neither is its to say.
        _time.Advance(new ReplicationOptions().Lease);
        var answer = await PumpAsync(leader.Replica.Store.SubmitAsync(new PutKey("k", [1], 0, index + 1)));
        answer.Refusal.ShouldNotBeNull();
    }

    [Fact]
    public async Task A_write_whose_answer_is_lost_is_done_once_and_acknowledged()
    {
        var server = Start("a");
        await UntilAsync(() => server.Replica.Leads);
        server.Etcd.AnswersToLose = 1;
        await PumpAsync(server.PutAsync("k", "v"));
        await server.PutAsync("k", "w");
        var other = Start("b");
        await UntilAsync(() => other.Index == server.Index);
        other.All().ShouldBe(server.All());
    }

    [Fact]
    public async Task A_lack_of_space_refuses_the_write_and_the_next_one_works()
    {
        var server = Start("a");
        await UntilAsync(() => server.Replica.Leads);
        server.Etcd.Refusal = new EtcdRefusedException("etcdserver: mvcc: database space exceeded", 8);
        (await PumpAsync(server.SubmitAsync("k", "v"))).Refusal!.Text.ShouldContain("no space left");
        server.Etcd.Refusal = null;
        await server.PutAsync("k", "v");
        server.Get("k").ShouldBe("v");
    }

    [Fact]
    public async Task Without_space_reads_go_on_and_are_proven_and_nobody_else_takes_the_lead()
    {
        var servers = StartThree();
        var leader = await LeaderAsync(servers);
        await PumpAsync(leader.PutAsync("k", "v"));
        servers.ForEach(static s => s.Etcd.Refusal = FakeEtcd.NoSpace());
        for (var i = 0; i < 10_000; i++)
        {
            await StepAsync();
        }

        leader.Replica.Leads.ShouldBeTrue();
        foreach (var isStrict in new[] { false, true })
        {
            var newest = leader.Replica.IsNewestAsync(isStrict, CancellationToken.None).AsTask();
            (await PumpAsync(newest)).ShouldBeTrue();
        }

        (await PumpAsync(leader.SubmitAsync("k", "w"))).Refusal!.Text.ShouldContain("no space left");
        servers.ForEach(static s => s.Etcd.Refusal = null);
        (await LeaderAsync(servers)).ShouldNotBeNull();
        await PumpAsync(leader.SubmitAsync("k", "w"));
        await UntilAsync(() => servers.TrueForAll(s => s.All().SequenceEqual(servers[0].All())));
    }

    [Fact]
    public async Task A_write_that_etcd_does_and_then_calls_refused_for_lack_of_space_is_acknowledged()
    {
        var server = Start("a");
        await UntilAsync(() => server.Replica.Leads);
        var write = server.PutAsync("k", "v");
        server.Etcd.DoneWithoutSpace = 1;
        await PumpAsync(write);
        server.Etcd.DoneWithoutSpace = 1;
        await PumpAsync(server.PutAsync("k", "w"));
        server.Get("k").ShouldBe("w");
        server.Replica.Leads.ShouldBeTrue();
    }

    [Fact]
    public async Task A_refusal_after_a_lost_answer_does_not_make_the_write_undone()
    {
        var server = Start("a");
        await UntilAsync(() => server.Replica.Leads);
        server.Etcd.AnswersToLose = 1;
        server.Etcd.RefusalAfterLoss = new EtcdRefusedException("etcd does not run", 14) { IsAbsent = true };
        var refused = (await PumpAsync(server.SubmitAsync("k", "v"))).Refusal!.Text;
        refused.ShouldContain("leadership lost");
        refused.ShouldContain("etcd does not run");
        server.Etcd.Refusal = null;
        await UntilAsync(() => server.Get("k") == "v");
    }

    [Fact]
    public async Task Without_room_for_a_snapshot_its_parts_go_and_only_removals_are_taken_until_there_is_room()
    {
        var server = Start("a", new ReplicationOptions { LogBytes = 10_000, PartBytes = 2000 });
        await UntilAsync(() => server.Replica.Leads);
        server.Etcd.IsPartRefused = true;
        var refusal = "";
        for (var i = 0; refusal.Length == 0; i++)
        {
            var put = server.SubmitAsync($"k{i % 50}", Guid.NewGuid() + new string('x', 1000));
            refusal = (await PumpAsync(put)).Refusal?.Text ?? "";
            await StepAsync();
        }

        refusal.ShouldContain("no space left");
        server.Etcd.PartsRefused.ShouldBeGreaterThan(0);
        await UntilAsync(() => !_etcd.Keys.Any(static k => k.Contains("/part/", StringComparison.Ordinal)));
        server.Etcd.IsPartRefused = false;
        await PumpAsync(server.DeleteAsync("k3"));
        await UntilAsync(() => _etcd.CompactedAt > 0);
        await PumpAsync(server.PutAsync("k", "v"));
    }

    [Fact]
    public async Task A_log_that_grew_is_cut_and_a_new_server_begins_from_the_snapshot()
    {
        var server = Start("a", new ReplicationOptions { LogBytes = 10_000, EntriesKept = 2, PartBytes = 4000 });
        await UntilAsync(() => server.Replica.Leads);
        for (var i = 0; i < 40; i++)
        {
            await server.PutAsync($"k{i % 25}", new string((char)('a' + (i % 26)), 1000));
        }

        await UntilAsync(() => _etcd.CompactedAt > 0);
        _etcd.Keys.Count(static k => k.Contains("/log/", StringComparison.Ordinal)).ShouldBeLessThan(40);
        _etcd.Keys.Count(static k => k.Contains("/part/", StringComparison.Ordinal)).ShouldBeGreaterThan(1);
        var other = Start("b");
        await UntilAsync(() => other.Index == server.Index);
        other.All().ShouldBe(server.All());
    }

    [Fact]
    public async Task A_log_of_many_small_entries_is_cut_before_it_has_many_bytes()
    {
        var server = Start("a", new ReplicationOptions { LogBytes = 20_000, EntriesKept = 2 });
        await UntilAsync(() => server.Replica.Leads);
        for (var i = 0; i < 40; i++)
        {
            await server.PutAsync("k", $"{i}");
        }

        await UntilAsync(() => _etcd.CompactedAt > 0);
        _etcd.Keys.Count(static k => k.Contains("/log/", StringComparison.Ordinal)).ShouldBeLessThan(40);
    }

    [Fact]
    public async Task What_follows_a_snapshot_is_read_before_a_server_has_the_state()
    {
        var server = Start("a", new ReplicationOptions { LogBytes = 60_000, EntriesKept = 2 });
        await UntilAsync(() => server.Replica.Leads);
        for (var i = 0; i < 70; i++)
        {
            await server.PutAsync("k", $"{i}");
        }

        await UntilAsync(() => _etcd.CompactedAt > 0);
        for (var i = 0; i < 30; i++)
        {
            await server.PutAsync("k", $"then {i}");
        }

        // Nothing is told any more, so all that it knows it has read.
        var deaf = Start("b");
        deaf.Etcd.LosesEvents = true;
        await UntilAsync(() => deaf.Replica.HasState);
        deaf.Get("k").ShouldBe("then 29");
    }

    [Fact]
    public async Task A_long_log_is_read_in_parts_none_of_which_makes_etcd_look_at_all_of_it()
    {
        var server = Start("a");
        await UntilAsync(() => server.Replica.Leads);
        for (var i = 0; i < 600; i++)
        {
            await server.PutAsync("k", $"{i}");
        }

        var other = Start("b");
        await UntilAsync(() => other.Index == server.Index);
        other.Get("k").ShouldBe("599");
        _etcd.LargestRange.ShouldBe(256, "of readings of 8, 16 and so on");
    }

    [Fact]
    public async Task Large_entries_that_follow_many_small_ones_are_read_in_smaller_parts_when_an_answer_is_too_large()
    {
        var server = Start("a");
        await UntilAsync(() => server.Replica.Leads);
        for (var i = 0; i < 300; i++)
        {
            await server.PutAsync("small", $"{i}");
        }

        var random = new Random(1);
        for (var i = 0; i < 60; i++)
        {
            await server.PutAsync("large", random.GetHexString(10_000));
        }

        var other = Start("b");
        other.Etcd.AnswerBytesMax = 100_000;
        await UntilAsync(() => other.Index == server.Index);
        other.All().ShouldBe(server.All());
        other.Etcd.AnswersTooLarge.ShouldBeGreaterThan(0);
    }

    [Fact]
    public async Task A_follower_that_hears_nothing_reads_again_and_leaves_a_living_leader_in_place()
    {
        var servers = StartThree();
        var leader = await LeaderAsync(servers);
        servers.ForEach(static s => s.Etcd.LosesEvents = true);
        await leader.PutAsync("k", "v");
        foreach (var follower in servers)
        {
            await UntilAsync(() => follower.Get("k") == "v");
        }

        for (var i = 0; i < 500; i++)
        {
            await StepAsync();
        }

        leader.Replica.Leads.ShouldBeTrue();
    }

    [Fact]
    public async Task The_lead_is_given_to_who_is_named()
    {
        var servers = StartThree();
        var leader = await LeaderAsync(servers);
        var named = servers.Last(s => s != leader);
        leader.Replica.Resign(named.Name).ShouldBeTrue();
        await UntilAsync(() => named.Replica.Leads && !leader.Replica.Leads);
    }

    [Fact]
    public async Task A_command_larger_than_an_entry_is_one_entry_and_many_commands_are_several()
    {
        var server = Start("a", new ReplicationOptions { EntryBytes = 1000 });
        await UntilAsync(() => server.Replica.Leads);
        await PumpAsync(Task.WhenAll(Enumerable.Range(0, 100)
            .Select(i => server.SubmitAsync($"k{i}", new string('v', i == 50 ? 5000 : 100)))));
        var other = Start("b");
        await UntilAsync(() => other.Index == server.Index);
        other.All().ShouldBe(server.All());
        other.All().Count.ShouldBe(100);
    }

    /// <summary>Whatever breaks and in whatever order: what was acknowledged is there in the end, everywhere.</summary>
    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    [InlineData(4)]
    [InlineData(5)]
    public async Task Nothing_that_was_acknowledged_is_lost_whatever_breaks(int seed)
    {
        var random = new Random(seed);
        var options = new ReplicationOptions { LogBytes = 13_000, EntriesKept = 2, PartBytes = 1000, EntryBytes = 300 };
        List<Server> servers = [Start("a", options), Start("b", options), Start("c", options)];
        var acknowledged = new Dictionary<string, ulong>(StringComparer.Ordinal);
        var writes = new List<(string Key, Task<Outcome<bool>> Done)>();
        for (var i = 0; i < 150; i++)
        {
            Break(servers, random);
            var server = servers[random.Next(3)];
            var key = $"k{i}";
            var done = server.SubmitAsync(key, "v");
            writes.Add((key, done));
            for (var step = 0; step < StepsPerWrite && !done.IsCompleted; step++)
            {
                await StepAsync();
            }
        }

        servers.ForEach(static s => s.Etcd.IsCut = s.Etcd.LosesEvents = false);
        foreach (var (key, done) in writes)
        {
            if ((await PumpAsync(done)).Refusal is null)
            {
                acknowledged[key] = 1;
            }
        }

        var leader = await LeaderAsync(servers);
        await UntilAsync(() => servers.TrueForAll(s => s.Index == leader.Index));
        acknowledged.Count.ShouldBeGreaterThan(20);
        acknowledged.Keys.ShouldBeSubsetOf(leader.All().Select(static r => r.Key));
        servers.ForEach(s => s.All().ShouldBe(leader.All()));
    }

    private static void Break(List<Server> servers, Random random)
    {
        var server = servers[random.Next(servers.Count)];
        switch (random.Next(16))
        {
            case 0:
                server.Etcd.IsCut = true;
                break;
            case 1:
                server.Etcd.LosesEvents = !server.Etcd.LosesEvents;
                break;
            case 2:
                server.Etcd.AnswersToLose = 1;
                break;
            case 3:
                server.Pulse.Break();
                break;
            default:
                server.Etcd.IsCut = false;
                break;
        }
    }

    private List<Server> StartThree() => [Start("a"), Start("b"), Start("c")];

    private Server Start(string name, ReplicationOptions? options = null)
    {
        var etcd = new FakeEtcd(_etcd);
        var pulse = new FakePulse();
        var replica = new Replica(
            etcd, "dc1", pulse, options ?? new ReplicationOptions(), _time, new Random(name[0]), static (_, _) => { });
        var server = new Server(name, etcd, pulse, replica);
        _servers.Add(server);
        replica.Start(new ReplicaIdentity(name, name, "127.0.0.1:8300", 1));
        return server;
    }

    private async Task<Server> LeaderAsync(IEnumerable<Server> servers)
    {
        var all = servers.ToList();
        await UntilAsync(() => all.Exists(static s => s.Replica.Leads));
        return all.First(static s => s.Replica.Leads);
    }

    private async Task UntilAsync(Func<bool> isSo)
    {
        for (var i = 0; !isSo(); i++)
        {
            i.ShouldBeLessThan(StepsMax, "it does not come to be");
            await StepAsync();
        }
    }

    private async Task<T> PumpAsync<T>(Task<T> task)
    {
        await PumpAsync((Task)task);
        return await task;
    }

    private async Task PumpAsync(Task task)
    {
        for (var i = 0; !task.IsCompleted; i++)
        {
            i.ShouldBeLessThan(StepsMax, "it does not end");
            await StepAsync();
        }
    }

    // Others get turns, and no time passes.
    private static async Task TurnsUntilAsync(Func<bool> isSo)
    {
        for (var i = 0; !isSo(); i++)
        {
            i.ShouldBeLessThan(10_000_000, "it does not come to be");
            await Task.Yield();
        }
    }

    // The clock moves a little, and those on other threads get a turn.
    private async Task StepAsync()
    {
        _time.Advance(TimeSpan.FromMilliseconds(1));
        for (var i = 0; i < TurnsPerStep; i++)
        {
            await Task.Yield();
        }

        // The writers have threads of their own, which may wait for a processor.
        Thread.Yield();
    }

    private sealed record Server(string Name, FakeEtcd Etcd, FakePulse Pulse, Replica Replica)
    {
        public ulong Index => Replica.Store.Current.Index;

        public Task<Outcome<bool>> SubmitAsync(string key, string value) =>
            Replica.Store.SubmitAsync(new PutKey(key, Encoding.UTF8.GetBytes(value), 0, null));

        public async Task PutAsync(string key, string value) =>
            (await SubmitAsync(key, value)).Refusal.ShouldBeNull();

        public async Task DeleteAsync(string key) =>
            (await Replica.Store.SubmitAsync(new DeleteKey(key, Recurse: false, Cas: null))).Refusal.ShouldBeNull();

        public KvRecord? Record(string key) =>
            new ReadView(Replica.Store.Current, tracks: false).Peek(Tables.KvByKey, KeyBytes.Exact(key));

        public string? Get(string key) => Record(key) is { } record ? Encoding.UTF8.GetString(record.Value) : null;

        public List<(string Key, string Value, ulong Created, ulong Modified)> All() =>
        [
            .. KvQueries.List(new ReadView(Replica.Store.Current, tracks: false), "").Select(static r =>
                (r.Key, Encoding.UTF8.GetString(r.Value), r.CreateIndex, r.ModifyIndex)),
        ];
    }
}
