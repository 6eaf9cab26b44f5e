using System.Diagnostics;
using Praetor.Agent.Cluster;
using Praetor.Server.Storage.Etcd;
using Shouldly;
using Support;
using Xunit;

namespace Integration.Etcd;

/// <summary>Several members of the real etcd on loopback.</summary>
public sealed class EtcdClusterTests
{
    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Members_that_show_certificates_begin_together_and_outlive_their_leader()
    {
        using var folder = new TempFolder("etcd-tls");
        var members = await Member.StartClusterAsync(TestAuthority.Write(folder), "a", "b", "c");
        try
        {
            (await members[0].PutAsync("k", "1")).Succeeded.ShouldBeTrue();
            (await members[2].ReadAsync("k")).ShouldBe("1");
            var leader = await LeaderAsync(members);
            var others = members.Where(m => m != leader).ToArray();
            Process.GetProcessById(leader.Child.Status.ProcessId).Kill();
            (await others[0].PutAsync("k", "2")).Succeeded.ShouldBeTrue("another leads");
            (await others[1].ReadAsync("k")).ShouldBe("2");
            await leader.Child.WaitReadyAsync(Member.Limit, Stop);
            (await leader.ReadAsync("k")).ShouldBe("2", "the old one follows");
        }
        finally
        {
            await DisposeAsync(members);
        }
    }

    [Fact]
    public async Task A_member_joins_as_learner_gets_its_vote_leads_leaves_and_comes_back_as_a_new_one()
    {
        await using var first = await Member.StartAsync(Member.Calm);
        await first.PutAsync("k", "1");
        await using var second = Member.New("b");
        await JoinAsync(first, second);
        var id = (await second.Etcd.StatusAsync(Stop)).MemberId;
        (await first.Etcd.MembersAsync(Stop)).Count(static m => m.IsLearner).ShouldBe(1);
        (await second.Etcd.StatusAsync(Stop)).IsLearner.ShouldBeTrue();
        var refused = await Should.ThrowAsync<EtcdRefusedException>(() => second.ReadAsync("k"));
        refused.Message.ShouldContain("learner");

        await PromoteAsync(first, second, id);
        (await second.ReadAsync("k")).ShouldBe("1");
        await first.Etcd.ChangeMembersAsync(new EtcdMemberChange.MoveLeader(id), Stop);
        await Eventually.HoldsAsync(
            "the second leads", Member.Limit, async () => (await first.Etcd.StatusAsync(Stop)).LeaderId == id, Stop);
        (await Should.ThrowAsync<EtcdRefusedException>(() => first.Etcd.ChangeMembersAsync(
            new EtcdMemberChange.MoveLeader(id), Stop))).Message.ShouldBe("etcdserver: not leader");
        (await first.PutAsync("k", "2")).Succeeded.ShouldBeTrue();

        await ChangeAsync(first, new EtcdMemberChange.Remove(id));
        (await first.Etcd.MembersAsync(Stop)).ShouldHaveSingleItem().Name.ShouldBe("a");
        await Eventually.HoldsAsync(
            "the removed one ends", Member.Limit, () => Task.FromResult(second.Child.Status.Ends > 0), Stop);
        (await first.PutAsync("k", "3")).Succeeded.ShouldBeTrue("one is enough again");
        (await Should.ThrowAsync<EtcdRefusedException>(() => first.Etcd.ChangeMembersAsync(
            new EtcdMemberChange.Remove(id), Stop))).Message.ShouldBe("etcdserver: member not found");

        await second.StopAsync();
        EtcdFolder.Claim(second.Options.Folder, second.Options.NodeId, second.Options.ClusterToken).RemoveData();
        await JoinAsync(first, second);
        var again = (await second.Etcd.StatusAsync(Stop)).MemberId;
        again.ShouldNotBe(id);
        await PromoteAsync(first, second, again);
        (await second.ReadAsync("k")).ShouldBe("3");
    }

    [Fact]
    public async Task A_member_without_enough_others_takes_no_write_and_ends_its_watches()
    {
        var members = await Member.StartClusterAsync(null, "a", "b");
        try
        {
            await members[0].PutAsync("k", "1");
            var watch = members[0].Etcd.WatchAsync(Member.Of("k"), Member.Of("l"), 0, Stop).GetAsyncEnumerator(Stop);
            var next = watch.MoveNextAsync().AsTask();
            await members[1].StopAsync();
            using var impatient = members[0].Client(TimeSpan.FromSeconds(1));
            await Should.ThrowAsync<EtcdUnknownException>(() => impatient.CommitAsync(
                new EtcdTxn([], [new EtcdPut(Member.Of("k"), Member.Of("2"))], []), Stop));
            await Should.ThrowAsync<EtcdUnknownException>(
                () => next.WaitAsync(Member.Limit, TimeProvider.System, Stop));
        }
        finally
        {
            await DisposeAsync(members);
        }
    }

    private static async Task JoinAsync(Member first, Member second)
    {
        await ChangeAsync(first, new EtcdMemberChange.AddLearner(second.Url));
        second.Options = Member.Calm(second.Options) with
        {
            InitialCluster = [new("a", first.Url), new("b", second.Url)], IsNewCluster = false,
        };
        await second.StartAgainAsync();
    }

    private static async Task PromoteAsync(Member first, Member second, ulong id)
    {
        await ChangeAsync(first, new EtcdMemberChange.Promote(id));
        await Eventually.HoldsAsync(
            "it knows that it has a vote", Member.Limit,
            async () => !(await second.Etcd.StatusAsync(Stop)).IsLearner, Stop);
        (await first.Etcd.MembersAsync(Stop)).Count(static m => !m.IsLearner).ShouldBe(2);
    }

    // Refused until a learner has caught up (9), and until all members have been connected for 5 s (14).
    private static Task ChangeAsync(Member first, EtcdMemberChange change) => Eventually.HoldsAsync(
        $"{change} is done",
        Member.Limit,
        async () =>
        {
            try
            {
                await first.Etcd.ChangeMembersAsync(change, Stop);
                return true;
            }
            catch (EtcdRefusedException notYet) when (notYet.Code is 9 or 14)
            {
                return false;
            }
        },
        Stop);

    private static async Task<Member> LeaderAsync(Member[] members)
    {
        var leader = (await members[0].Etcd.StatusAsync(Stop)).LeaderId;
        foreach (var member in members)
        {
            if ((await member.Etcd.StatusAsync(Stop)).MemberId == leader)
            {
                return member;
            }
        }

        throw new InvalidOperationException("nobody leads");
    }

    private static async Task DisposeAsync(Member[] members)
    {
        foreach (var member in members)
        {
            await member.DisposeAsync();
        }
    }
}
