using System.Text;
using Praetor.Server.Storage.Etcd;
using Shouldly;
using Support;
using Xunit;

namespace Integration.Etcd;

/// <summary>Our client and the real etcd.</summary>
public sealed class EtcdClientTests : IAsyncLifetime
{
    private Member _member = null!;

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    private EtcdClient Etcd => _member.Etcd;

    public async ValueTask InitializeAsync() => _member = await Member.StartAsync();

    public ValueTask DisposeAsync() => _member is null ? ValueTask.CompletedTask : _member.DisposeAsync();

    [Fact]
    public async Task A_transaction_is_done_only_when_its_conditions_hold()
    {
        var create = new EtcdTxn(
            [new EtcdCompare(Of("a"), 0)], [new EtcdPut(Of("a"), Of("1"))], [new EtcdRange(Of("a"), null)]);
        var first = await Etcd.CommitAsync(create, Stop);
        first.Succeeded.ShouldBeTrue();
        first.Answers.ShouldHaveSingleItem().Rows.ShouldBeEmpty();
        var second = await Etcd.CommitAsync(create, Stop);
        second.Succeeded.ShouldBeFalse();
        second.Revision.ShouldBe(first.Revision);
        var row = second.Answers.ShouldHaveSingleItem().Rows.ShouldHaveSingleItem();
        (Text(row.Key), Text(row.Value), row.ModRevision).ShouldBe(("a", "1", first.Revision));

        var change = new EtcdTxn([new EtcdCompare(Of("a"), first.Revision)], [new EtcdDelete(Of("a"), null)], []);
        (await Etcd.CommitAsync(change, Stop)).Succeeded.ShouldBeTrue();
        (await Etcd.CommitAsync(change, Stop)).Succeeded.ShouldBeFalse();
        (await _member.ReadAsync("a")).ShouldBeNull();
    }

    [Fact]
    public async Task A_transaction_of_many_operations_is_done_in_order_and_reads_at_its_place()
    {
        EtcdOp[] puts = [.. Enumerable.Range(0, 300).Select(i => new EtcdPut(Of($"m{i:000}"), Of($"v{i}")))];
        var answer = await Etcd.CommitAsync(
            new EtcdTxn([], [.. puts, new EtcdRange(Of("m"), Of("m01")), new EtcdRange(Of("m298"), Of("n"))], []),
            Stop);
        answer.Answers.Count.ShouldBe(302);
        answer.Answers[300].Rows.Select(static row => Text(row.Key)).ShouldBe(
            Enumerable.Range(0, 10).Select(static i => $"m{i:000}"));
        answer.Answers[301].Rows.Select(static row => Text(row.Value)).ShouldBe(["v298", "v299"]);
        answer.Answers[301].Rows.ShouldAllBe(row => row.ModRevision == answer.Revision);
        var rest = await Etcd.CommitAsync(
            new EtcdTxn(
                [], [new EtcdDelete(Of("m"), Of("n")), new EtcdPut(Of("x"), []), new EtcdRange(Of("a"), Of("z"))], []),
            Stop);
        rest.Answers[2].Rows.ShouldHaveSingleItem().Value.ShouldBeEmpty();
    }

    [Fact]
    public async Task A_value_of_a_megabyte_goes_there_and_back()
    {
        var value = new byte[1 << 20];
        new Random(1).NextBytes(value);
        for (var i = 0; i < 20; i++)
        {
            await Etcd.CommitAsync(new EtcdTxn([], [new EtcdPut(Of($"big{i:00}"), value)], []), Stop);
        }

        var all = await Etcd.CommitAsync(new EtcdTxn([], [new EtcdRange(Of("big"), Of("bih"))], []), Stop);
        all.Answers[0].Rows.Count.ShouldBe(20);
        all.Answers[0].Rows.Count(row => row.Value.AsSpan().SequenceEqual(value)).ShouldBe(20);
        using var modest = new EtcdClient(
            _member.Child.ClientOptions with { AnswerBytesMax = 1 << 20 }, TimeProvider.System);
        (await Should.ThrowAsync<EtcdUnknownException>(() => modest.CommitAsync(
            new EtcdTxn([], [new EtcdRange(Of("big"), Of("bih"))], []), Stop))).Message.ShouldContain("ask for less");
    }

    [Fact]
    public async Task A_transaction_on_the_callers_own_thread_is_the_same()
    {
        var create = new EtcdTxn(
            [new EtcdCompare(Of("a"), 0)], [new EtcdPut(Of("a"), Of("1"))], [new EtcdRange(Of("a"), null)]);
        Etcd.Commit(create, Member.Limit).Succeeded.ShouldBeTrue();
        var second = Etcd.Commit(create, Member.Limit);
        second.Succeeded.ShouldBeFalse();
        Text(second.Answers.ShouldHaveSingleItem().Rows.ShouldHaveSingleItem().Value).ShouldBe("1");
        (await _member.ReadAsync("a")).ShouldBe("1");

        // Far more than the windows of the connection, there and back, and more than etcd takes.
        var value = new byte[1 << 20];
        new Random(1).NextBytes(value);
        for (var i = 0; i < 20; i++)
        {
            Etcd.Commit(new EtcdTxn([], [new EtcdPut(Of($"big{i:00}"), value)], []), Member.Limit);
        }

        var all = Etcd.Commit(new EtcdTxn([], [new EtcdRange(Of("big"), Of("bih"))], []), Member.Limit);
        all.Answers[0].Rows.Count(row => row.Value.AsSpan().SequenceEqual(value)).ShouldBe(20);
        Should.Throw<EtcdRefusedException>(() => Etcd.Commit(
            new EtcdTxn([], [new EtcdPut(Of("a"), new byte[9 << 20])], []), Member.Limit));
        for (var i = 0; i < 1000; i++)
        {
            Etcd.Commit(new EtcdTxn([], [new EtcdPut(Of("n"), Of($"{i}"))], []), Member.Limit);
        }

        (await _member.ReadAsync("n")).ShouldBe("999");
    }

    [Fact]
    public async Task What_is_too_large_is_refused_by_us_or_by_etcd()
    {
        var large = new EtcdTxn([], [new EtcdPut(Of("k"), new byte[9 << 20])], []);
        (await Should.ThrowAsync<EtcdRefusedException>(() => Etcd.CommitAsync(large, Stop))).Code.ShouldBe(3);
        using var careless = new EtcdClient(
            _member.Child.ClientOptions with { RequestBytesMax = 100 << 20 }, TimeProvider.System);
        var refused = await Should.ThrowAsync<EtcdRefusedException>(() => careless.CommitAsync(large, Stop));
        refused.IsNoSpace.ShouldBeFalse(refused.Message);
        EtcdOp[] many = [.. Enumerable.Range(0, 3000).Select(i => new EtcdPut(Of($"k{i}"), []))];
        var tooMany = await Should.ThrowAsync<EtcdRefusedException>(
            () => Etcd.CommitAsync(new EtcdTxn([], many, []), Stop));
        (tooMany.Code, tooMany.Message).ShouldBe((3, "etcdserver: too many operations in txn request"));
        (await _member.PutAsync("after", "1")).Succeeded.ShouldBeTrue();
    }

    [Fact]
    public async Task A_watch_tells_in_order_what_changed_from_a_revision_on()
    {
        var first = await _member.PutAsync("w1", "one");
        await _member.PutAsync("other", "x");
        await _member.PutAsync("w2", "two");
        var events = Etcd.WatchAsync(Of("w"), Of("x"), first.Revision, Stop).GetAsyncEnumerator(Stop);
        await using var watch = events;
        (await TakeAsync(events)).ShouldBe("put w1 one");
        (await TakeAsync(events)).ShouldBe("put w2 two");
        await Etcd.CommitAsync(
            new EtcdTxn([], [new EtcdDelete(Of("w1"), null), new EtcdPut(Of("w3"), Of("three"))], []), Stop);
        (await TakeAsync(events)).ShouldBe("removed w1 ");
        (await TakeAsync(events)).ShouldBe("put w3 three");
        using var ending = CancellationTokenSource.CreateLinkedTokenSource(Stop);
        var other = Etcd.WatchAsync(Of("w"), Of("x"), 0, ending.Token).GetAsyncEnumerator(ending.Token);
        var next = other.MoveNextAsync().AsTask();
        await ending.CancelAsync();
        await Should.ThrowAsync<OperationCanceledException>(() => next);
    }

    [Fact]
    public async Task A_watch_gets_what_is_too_large_for_one_answer_in_parts()
    {
        EtcdOp[] puts = [.. Enumerable.Range(0, 7).Select(i => new EtcdPut(Of($"f{i}"), new byte[1 << 20]))];
        long first = 0;
        for (var i = 0; i < 3; i++)
        {
            var answer = await Etcd.CommitAsync(new EtcdTxn([], puts, []), Stop);
            first = first == 0 ? answer.Revision : first;
        }

        using var modest = new EtcdClient(
            _member.Child.ClientOptions with { AnswerBytesMax = 10 << 20 }, TimeProvider.System);
        var seen = 0;
        await foreach (var change in modest.WatchAsync(Of("f"), Of("g"), first, Stop))
        {
            Text(change.Row.Key).ShouldBe($"f{seen % 7}");
            change.Row.Value.Length.ShouldBe(1 << 20);
            if (++seen == 21)
            {
                break;
            }
        }
    }

    [Fact]
    public async Task A_watch_of_what_is_compacted_is_refused_and_so_is_compacting_twice()
    {
        var first = await _member.PutAsync("c", "1");
        var last = await _member.PutAsync("c", "2");
        await Etcd.CompactAsync(last.Revision, Stop);
        var watch = Etcd.WatchAsync(Of("c"), Of("d"), first.Revision, Stop).GetAsyncEnumerator(Stop);
        var refused = await Should.ThrowAsync<EtcdRefusedException>(async () => await watch.MoveNextAsync());
        refused.Code.ShouldBe(11);
        (await Should.ThrowAsync<EtcdRefusedException>(() => Etcd.CompactAsync(last.Revision, Stop))).Code.ShouldBe(11);
        (await _member.ReadAsync("c")).ShouldBe("2");
    }

    [Fact]
    public async Task The_status_tells_who_leads_and_how_much_room_is_used()
    {
        var put = await _member.PutAsync("s", "1");
        var status = await Etcd.StatusAsync(Stop);
        status.LeaderId.ShouldBe(status.MemberId);
        status.MemberId.ShouldNotBe(0UL);
        status.Revision.ShouldBe(put.Revision);
        status.Version.ShouldStartWith("3.");
        status.UsedBytes.ShouldBeInRange(1, status.FileBytes);
        (status.IsLearner, status.HasSpaceAlarm).ShouldBe((false, false));
        var member = (await Etcd.MembersAsync(Stop)).ShouldHaveSingleItem();
        (member.Id, member.Name, member.IsLearner).ShouldBe((status.MemberId, "a", false));
        member.PeerUrls.ShouldBe([_member.Url]);
    }

    [Fact]
    public async Task A_call_goes_on_to_the_next_endpoint_when_one_cannot_be_reached()
    {
        using var folder = new TempFolder("etcd-none");
        string[] endpoints =
        [
            $"unix://{folder.File("none")}", $"http://127.0.0.1:{FreePorts.Take()}",
            .. _member.Child.ClientOptions.Endpoints,
        ];
        using var client = new EtcdClient(new EtcdClientOptions { Endpoints = endpoints }, TimeProvider.System);
        (await client.StatusAsync(Stop)).MemberId.ShouldNotBe(0UL);
        (await client.StatusAsync(Stop)).MemberId.ShouldNotBe(0UL);
        using var lost = new EtcdClient(new EtcdClientOptions { Endpoints = endpoints[..2] }, TimeProvider.System);
        await Should.ThrowAsync<EtcdUnknownException>(() => lost.StatusAsync(Stop));
    }

    private static async Task<string> TakeAsync(IAsyncEnumerator<EtcdEvent> events)
    {
        (await events.MoveNextAsync().AsTask().WaitAsync(Member.Limit, TimeProvider.System, Stop)).ShouldBeTrue();
        var change = events.Current;
        return $"{(change.IsRemoved ? "removed" : "put")} {Text(change.Row.Key)} {Text(change.Row.Value)}";
    }

    private static byte[] Of(string text) => Member.Of(text);

    private static string Text(byte[] bytes) => Encoding.UTF8.GetString(bytes);
}
