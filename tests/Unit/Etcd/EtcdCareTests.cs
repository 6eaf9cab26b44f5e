using Microsoft.Extensions.Logging.Abstractions;
using Praetor.Agent.Cluster;
using Praetor.Server.Storage.Etcd;
using Shouldly;
using Support;
using Xunit;

namespace Unit.Etcd;

public sealed class EtcdCareTests : IDisposable
{
    private const long Quota = 4L << 30;

    private readonly ManualTime _time = new();
    private readonly MemberWithSpace _etcd = new();
    private readonly EtcdCare _care;

    public EtcdCareTests() => _care = Care();

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    public void Dispose() => _etcd.Dispose();

    [Fact]
    public async Task A_file_that_is_mostly_free_is_written_anew()
    {
        _etcd.Status = Of(fileMegabytes: 1000, usedMegabytes: 100);
        await TendAsync();
        _etcd.Did.ShouldBe(["defragment"]);
    }

    [Theory]
    [InlineData(200, 10)]
    [InlineData(1000, 700)]
    public async Task A_small_file_and_one_that_is_in_use_stay(long file, long used)
    {
        _etcd.Status = Of(file, used);
        await TendAsync();
        _etcd.Did.ShouldBeEmpty();
    }

    [Fact]
    public async Task Only_one_member_does_it_at_a_time_until_its_claim_is_old()
    {
        _etcd.IsClaimed = true;
        _etcd.Status = Of(1000, 100);
        await TendAsync();
        await TendAsync();
        _etcd.Did.ShouldBeEmpty();
        _time.Advance(TimeSpan.FromMinutes(5));
        await TendAsync();
        _etcd.Did.ShouldBe(["defragment"]);
    }

    [Fact]
    public async Task A_leader_that_writes_waits_for_a_quiet_moment()
    {
        _etcd.Status = Of(1000, 100) with { Revision = 1000 };
        await TendAsync(leads: true);
        _time.Advance(TimeSpan.FromSeconds(1));
        _etcd.Status = _etcd.Status with { Revision = 1500 };
        await TendAsync(leads: true);
        _etcd.Did.ShouldBeEmpty();
        _time.Advance(TimeSpan.FromSeconds(1));
        _etcd.Status = _etcd.Status with { Revision = 1502 };
        await TendAsync(leads: true);
        _etcd.Did.ShouldBe(["defragment"]);
    }

    [Fact]
    public async Task A_leader_that_writes_does_not_wait_when_space_is_short()
    {
        _etcd.Status = Of(3500, 1000);
        await TendAsync(leads: true);
        _etcd.Did.ShouldBe(["defragment"]);
    }

    [Fact]
    public async Task An_alarm_is_taken_back_when_history_and_defragmentation_have_made_room()
    {
        _etcd.Status = Of(4096, 2000) with { HasSpaceAlarm = true };
        await TendAsync();
        _etcd.Did.ShouldBe(["compact", "defragment", "disarm"]);
    }

    [Fact]
    public async Task An_alarm_stays_while_the_state_itself_is_too_large()
    {
        _etcd.Status = Of(4096, 4000) with { HasSpaceAlarm = true };
        await TendAsync();
        _etcd.Did.ShouldBe(["compact"]);
    }

    [Fact]
    public async Task Under_an_alarm_every_member_makes_room_and_the_leading_one_takes_it_back()
    {
        _etcd.Status = Of(4096, 2000) with { HasSpaceAlarm = true, LeaderId = 7 };
        await TendAsync();
        _etcd.Did.ShouldBe(["defragment"]);
    }

    private static EtcdStatus Of(long fileMegabytes, long usedMegabytes) => new(
        MemberId: 1, LeaderId: 1, Term: 2, "3.5.30", fileMegabytes << 20, usedMegabytes << 20, IsLearner: false,
        Revision: 100, HasSpaceAlarm: false);

    private EtcdCare Care() => new(_etcd, "dc1", Quota, _time, NullLogger.Instance);

    private Task TendAsync(bool leads = false) => _care.TendAsync(_etcd.Status, leads, Stop);

    /// <summary>A member whose file shrinks to what is used.</summary>
    private sealed class MemberWithSpace : IEtcd
    {
        public EtcdStatus Status { get; set; } = Of(1, 1);

        public bool IsClaimed { get; set; }

        public List<string> Did { get; } = [];

        public EtcdTxnAnswer Commit(EtcdTxn txn, TimeSpan within) => throw new NotSupportedException();

        public Task<EtcdTxnAnswer> CommitAsync(EtcdTxn txn, CancellationToken stop)
        {
            var holds = txn.If.All(c => c.ModRevision == (IsClaimed ? 5 : 0));
            EtcdRow[] rows = holds ? [] : [new EtcdRow(txn.If[0].Key, [], 5)];
            return Task.FromResult(new EtcdTxnAnswer(holds, 6, [new EtcdOpAnswer(rows, HasMore: false)]));
        }

        public Task<EtcdStatus> StatusAsync(CancellationToken stop) => Task.FromResult(Status);

        public Task CompactAsync(long revision, CancellationToken stop) => DoAsync("compact");

        public Task DefragmentAsync(CancellationToken stop)
        {
            Status = Status with { FileBytes = Status.UsedBytes };
            return DoAsync("defragment");
        }

        public Task ClearSpaceAlarmAsync(CancellationToken stop) => DoAsync("disarm");

        public IAsyncEnumerable<EtcdEvent> WatchAsync(
            byte[] key, byte[] end, long fromRevision, CancellationToken stop) => throw new NotSupportedException();

        public Task<IReadOnlyList<EtcdMember>> MembersAsync(CancellationToken stop) =>
            throw new NotSupportedException();

        public Task ChangeMembersAsync(EtcdMemberChange change, CancellationToken stop) =>
            throw new NotSupportedException();

        public void Dispose()
        {
            // Nothing is open.
        }

        private Task DoAsync(string what)
        {
            Did.Add(what);
            return Task.CompletedTask;
        }
    }
}
