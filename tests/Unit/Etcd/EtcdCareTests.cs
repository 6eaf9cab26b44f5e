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
    private readonly Others _others;
    private readonly EtcdCare _care;

    public EtcdCareTests()
    {
        _others = new Others(_etcd.Did);
        _care = new EtcdCare(_etcd, _others, Quota, _time, new Random(1), NullLogger.Instance);
    }

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    public void Dispose() => _etcd.Dispose();

    [Fact]
    public async Task A_file_that_is_mostly_free_is_written_anew()
    {
        _etcd.Status = Of(fileMegabytes: 1000, usedMegabytes: 100);
        await TendAsync();
        _etcd.Did.ShouldBe(["turn", "step aside", "expect silence", "defragment", "silence over", "turn over"]);
        _others.Limit.ShouldBe(EtcdClientOptions.DefragmentLimit);
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
    public async Task A_member_waits_for_its_turn_and_keeps_the_lead_until_then()
    {
        _others.HaveTurn = true;
        _etcd.Status = Of(1000, 100);
        await TendAsync();
        _etcd.Did.ShouldBe(["turn"]);
        _others.HaveTurn = false;
        await TendAsync();
        Deeds.ShouldBe(["defragment"]);
    }

    [Fact]
    public async Task A_member_whose_lead_nobody_takes_stays_and_lets_others_have_the_turn()
    {
        _others.TakeLead = false;
        _etcd.Status = Of(1000, 100);
        await TendAsync();
        await TendAsync();
        _etcd.Did.ShouldBe(["turn", "step aside", "turn over"]);
        _others.TakeLead = true;
        _time.Advance(EtcdCare.RetryMin);
        await TendAsync();
        Deeds.ShouldBe(["defragment"]);
    }

    [Fact]
    public async Task One_that_failed_is_tried_again_after_pauses_that_grow_up_to_a_limit()
    {
        _etcd.Status = Of(1000, 100);
        _etcd.Problem = new EtcdUnknownException("no space left on device");
        var pauses = new List<TimeSpan>();
        var last = TimeSpan.Zero;
        for (var (i, waited) = (0, TimeSpan.Zero); pauses.Count < 10; i++, waited += TimeSpan.FromSeconds(30))
        {
            var before = _etcd.Tries;
            await TendAsync();
            if (_etcd.Tries > before)
            {
                pauses.Add(waited - last);
                last = waited;
            }

            _time.Advance(TimeSpan.FromSeconds(30));
        }

        pauses[1].ShouldBeLessThanOrEqualTo(EtcdCare.RetryMin);
        pauses[4].ShouldBeGreaterThan(TimeSpan.FromMinutes(3));
        pauses[9].ShouldBeInRange(EtcdCare.RetryMax / 2, EtcdCare.RetryMax + TimeSpan.FromMinutes(1));
        _etcd.Did.Count(static d => d == "turn").ShouldBe(_etcd.Did.Count(static d => d == "turn over"));
    }

    [Fact]
    public async Task A_turn_whose_end_nobody_knows_is_not_given_to_others()
    {
        _etcd.Status = Of(1000, 100);
        _etcd.Problem = new EtcdUnknownException("no answer");
        _etcd.Meanwhile = () => _time.Advance(EtcdClientOptions.DefragmentLimit);
        await TendAsync();
        _etcd.Did.ShouldBe(["turn", "step aside", "expect silence", "silence over"]);
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
        Deeds.ShouldBe(["defragment"]);
    }

    [Fact]
    public async Task A_leader_that_writes_does_not_wait_when_space_is_short()
    {
        _etcd.Status = Of(3500, 1000);
        await TendAsync(leads: true);
        Deeds.ShouldBe(["defragment"]);
    }

    [Fact]
    public async Task An_alarm_is_taken_back_when_history_and_defragmentation_have_made_room()
    {
        _etcd.Status = Of(4096, 2000) with { HasSpaceAlarm = true };
        await TendAsync();
        Deeds.ShouldBe(["compact", "defragment", "disarm"]);
        _etcd.Did.ShouldContain("turn");
        _etcd.Did.ShouldNotContain("step aside", "giving the lead away is a write");
    }

    [Fact]
    public async Task An_alarm_stays_until_the_files_of_all_have_room()
    {
        _etcd.Status = Of(4096, 2000) with { HasSpaceAlarm = true };
        _others.AreFull = true;
        await TendAsync();
        Deeds.ShouldBe(["compact", "defragment"]);
        _others.AreFull = false;
        await TendAsync();
        Deeds.ShouldBe(["compact", "defragment", "compact", "disarm"]);
    }

    [Fact]
    public async Task An_alarm_stays_while_the_state_itself_is_too_large()
    {
        _etcd.Status = Of(4096, 4000) with { HasSpaceAlarm = true };
        await TendAsync();
        Deeds.ShouldBe(["compact"]);
    }

    [Fact]
    public async Task Under_an_alarm_every_member_makes_room_and_the_leading_one_takes_it_back()
    {
        _etcd.Status = Of(4096, 2000) with { HasSpaceAlarm = true, LeaderId = 7 };
        await TendAsync();
        Deeds.ShouldBe(["defragment"]);
    }

    // What was done to etcd.
    private IEnumerable<string> Deeds =>
        _etcd.Did.Where(static d => d is "compact" or "defragment" or "disarm");

    private static EtcdStatus Of(long fileMegabytes, long usedMegabytes) => new(
        MemberId: 1, LeaderId: 1, Term: 2, "3.5.30", fileMegabytes << 20, usedMegabytes << 20, IsLearner: false,
        Revision: 100, HasSpaceAlarm: false);

    private Task TendAsync(bool leads = false) => _care.TendAsync(_etcd.Status, leads, Stop);

    /// <summary>A member whose file shrinks to what is used.</summary>
    private sealed class MemberWithSpace : IEtcd
    {
        public EtcdStatus Status { get; set; } = Of(1, 1);

        public Exception? Problem { get; set; }

        public Action Meanwhile { get; set; } = static () => { };

        public int Tries { get; private set; }

        public List<string> Did { get; } = [];

        public EtcdTxnAnswer Commit(EtcdTxn txn, TimeSpan within) => throw new NotSupportedException();

        public Task<EtcdTxnAnswer> CommitAsync(EtcdTxn txn, CancellationToken stop) =>
            throw new NotSupportedException();

        public Task<EtcdStatus> StatusAsync(CancellationToken stop) => Task.FromResult(Status);

        public Task CompactAsync(long revision, CancellationToken stop) => DoAsync("compact");

        public Task DefragmentAsync(CancellationToken stop)
        {
            Tries++;
            Meanwhile();
            if (Problem is { } problem)
            {
                throw problem;
            }

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

    /// <summary>The other servers, as a test wants them.</summary>
    private sealed class Others(List<string> did) : IUpkeepPeers
    {
        public bool HaveTurn { get; set; }

        public bool TakeLead { get; set; } = true;

        public bool AreFull { get; set; }

        public TimeSpan Limit { get; private set; }

        public Task<bool> TakeTurnAsync(CancellationToken stop)
        {
            did.Add("turn");
            return Task.FromResult(!HaveTurn);
        }

        public Task EndTurnAsync(CancellationToken stop)
        {
            did.Add("turn over");
            return Task.CompletedTask;
        }

        public Task<bool> StepAsideAsync(EtcdStatus status, CancellationToken stop)
        {
            did.Add("step aside");
            return Task.FromResult(TakeLead);
        }

        public Task<bool> IsAnyFileAboveAsync(long most, CancellationToken stop) => Task.FromResult(AreFull);

        public IDisposable ExpectSilence(TimeSpan limit)
        {
            Limit = limit;
            did.Add("expect silence");
            return new Over(did);
        }

        private sealed class Over(List<string> did) : IDisposable
        {
            public void Dispose() => did.Add("silence over");
        }
    }
}
