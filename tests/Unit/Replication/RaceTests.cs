using Praetor.Server.Model;
using Praetor.Server.Replication;
using Praetor.Server.State;
using Praetor.Server.Storage.Etcd;
using Shouldly;
using Xunit;

namespace Unit.Replication;

/// <summary>What rarely happens at the same moment, made to happen.</summary>
public sealed class RaceTests : IAsyncLifetime
{
    private const int TooMany = 8;

    private readonly SimulatedCluster _cluster = new(seed: 1);

    public ValueTask InitializeAsync() => ValueTask.CompletedTask;

    public ValueTask DisposeAsync() => _cluster.DisposeAsync();

    [Fact]
    public async Task Who_was_behind_when_a_state_was_restored_has_it_when_it_leads()
    {
        var leader = _cluster.Start("a");
        await _cluster.LeaderAsync();
        var follower = _cluster.Start("b");
        await _cluster.UntilAsync(() => follower.Replica.Leader is not null && follower.Pulse.IsWatched);
        follower.Etcd.LosesEvents = true;
        await PutAsync(leader, "before");
        (await _cluster.PumpAsync(leader.Store.SubmitAsync(new Restore("restored")))).Refusal.ShouldBeNull();
        await PutAsync(leader, "after");

        // It leads without having read the log in between: what it reads then begins with the state that was replaced.
        leader.Etcd.LosesRequests = true;
        await _cluster.UntilAsync(() =>
        {
            follower.Pulse.Break();
            return follower.Replica.Leads;
        });
        Keys(follower).ShouldBe(["after", "restored"]);
        await PutAsync(follower, "last");
        leader.Etcd.Heal();
        await _cluster.UntilAsync(() => leader.Index == follower.Index);
        Keys(leader).ShouldBe(["after", "last", "restored"]);
    }

    [Fact]
    public async Task A_snapshot_that_cuts_the_log_does_not_take_the_place_of_a_state_that_was_restored_meanwhile()
    {
        var leader = _cluster.Start("a", new ReplicationOptions { LogBytes = 2000, EntriesKept = 2 });
        await _cluster.LeaderAsync();
        var (isOnItsWay, isLate) = (Signal(), Signal());
        leader.Etcd.Before = txn => txn.Then.Any(static o => o is EtcdPut put && Is(put.Key, "/base"))
            && isOnItsWay.TrySetResult() ? isLate.Task : Task.CompletedTask;
        for (var i = 0; i < 3; i++)
        {
            (await _cluster.PumpAsync(leader.SubmitAsync($"k{i}", new string('v', 1000)))).Refusal.ShouldBeNull();
        }

        // Its last step is given up by who sent it, and arrives when the restored state is there.
        await _cluster.UntilAsync(() => isOnItsWay.Task.IsCompleted);
        (await _cluster.PumpAsync(leader.Store.SubmitAsync(new Restore("restored")))).Refusal.ShouldBeNull();
        isLate.SetResult();
        await PutAsync(leader, "after");
        var other = _cluster.Start("b");
        await _cluster.UntilAsync(() => other.Index == leader.Index);
        Keys(other).ShouldBe(["after", "restored"]);
    }

    /// <summary>The first try is done and its answer lost; the second is refused, which says nothing of the
    /// first.</summary>
    [Fact]
    public async Task A_write_that_may_be_there_is_not_said_to_be_refused_because_the_next_try_was()
    {
        var server = _cluster.Start("a");
        await _cluster.LeaderAsync();
        var (tries, never) = (0, Signal().Task);
        server.Etcd.Before = txn => IsEntry(txn) && ++tries == 2
            ? throw new EtcdRefusedException("etcdserver: too many requests", TooMany) : Task.CompletedTask;
        server.Etcd.After = txn => IsEntry(txn) && tries == 1 ? never : Task.CompletedTask;
        (await _cluster.PumpAsync(server.SubmitAsync("k", "v"))).Refusal.ShouldBeNull();
        tries.ShouldBe(3);
        await PutAsync(server, "next");
        Keys(server).ShouldBe(["k", "next"]);
    }

    /// <summary>Two that asked before the leader was deposed, one that asks afterwards: the second's proof, which is
    /// under way since before, must not serve the third.</summary>
    [Fact]
    public async Task A_proof_that_was_sent_before_somebody_asks_does_not_serve_him()
    {
        var leader = _cluster.Start("a");
        await _cluster.LeaderAsync();
        await _cluster.PumpAsync(Ask(leader));
        var (done, answers) = (0, (TaskCompletionSource[])[Signal(), Signal(), Signal(), Signal()]);
        leader.Etcd.After =
            txn => IsProof(txn) ? answers[Interlocked.Increment(ref done) - 1].Task : Task.CompletedTask;
        var first = Ask(leader);
        await TurnsUntilAsync(() => Volatile.Read(ref done) == 1);
        var second = Ask(leader);
        answers[0].SetResult();
        await TurnsUntilAsync(() => Volatile.Read(ref done) == 2);
        var third = Ask(leader);
        var deposed = new LeaderRecord(99, "x", "x", "127.0.0.1:8300", 2);
        _cluster.Etcd.Commit(new EtcdTxn(
            [], [new EtcdPut(new LogKeys("dc1").Leader, ReplicationJson.Bytes(deposed))], []));
        var fourth = Ask(leader);
        Array.ForEach(answers, static a => a.TrySetResult());
        (await first).ShouldBeTrue();
        (await second).ShouldBeTrue();
        (await fourth).ShouldBeFalse();
        await third;
    }

    private static Task<bool> Ask(SimulatedServer server) =>
        server.Replica.IsNewestAsync(isStrict: true, CancellationToken.None).AsTask();

    private static bool IsProof(EtcdTxn txn) =>
        txn.If.Count == 1 && txn.Then is [EtcdPut { Key: var key }] && Is(key, "/beat");

    private static bool IsEntry(EtcdTxn txn) => txn.Then is [EtcdPut { Key: var key }] && Is(key, "/log/");

    private static bool Is(byte[] key, string part) =>
        System.Text.Encoding.UTF8.GetString(key).Contains(part, StringComparison.Ordinal);

    private static TaskCompletionSource Signal() => new(TaskCreationOptions.RunContinuationsAsynchronously);

    private static List<string> Keys(SimulatedServer server) => [.. server.All().Select(static r => r.Key)];

    // Others get turns, and no time passes.
    private static async Task TurnsUntilAsync(Func<bool> isSo)
    {
        for (var i = 0; !isSo(); i++)
        {
            i.ShouldBeLessThan(10_000_000, "it does not come to be");
            await Task.Yield();
        }
    }

    private async Task PutAsync(SimulatedServer server, string key) =>
        (await _cluster.PumpAsync(server.SubmitAsync(key, "v"))).Refusal.ShouldBeNull();

    private sealed class Restore(string key) : Command<bool>
    {
        protected override Outcome<bool> Apply(WriteTransaction tx)
        {
            var image = new StateImage();
            image.TryAdd(Tables.Kv, new KvRecord { Key = key, Value = [1], CreateIndex = 1, ModifyIndex = 1 });
            tx.ReplaceAll(image);
            return true;
        }
    }
}
