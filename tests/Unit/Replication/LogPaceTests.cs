using Praetor.Server.Replication;
using Shouldly;
using Xunit;

namespace Unit.Replication;

/// <summary>How much of the log is read at once, and for how long an answer is waited for.</summary>
public sealed class LogPaceTests
{
    private readonly ReplicationOptions _options = new();

    [Fact]
    public void Readings_of_small_entries_grow_up_to_a_limit_while_there_is_more()
    {
        var pace = new LogPace(_options);
        pace.Entries.ShouldBe(8);
        pace.Read(View(8, bytes: 100, hasMore: true));
        pace.Entries.ShouldBe(16);
        for (var i = 0; i < 10; i++)
        {
            pace.Read(View(pace.Entries, bytes: 100, hasMore: true));
        }

        pace.Entries.ShouldBe(LogPace.EntriesMax);
        pace.Read(View(3, bytes: 100, hasMore: false));
        pace.Entries.ShouldBe(LogPace.EntriesMax);
    }

    [Fact]
    public void Readings_of_large_entries_shrink_again()
    {
        var pace = new LogPace(_options);
        pace.Read(View(8, bytes: 10, hasMore: true));
        pace.Read(View(16, bytes: 1024 * 1024, hasMore: true));
        pace.Entries.ShouldBe(8);
        pace.Read(View(8, bytes: 1024 * 1024, hasMore: true));
        pace.Entries.ShouldBe(8);
    }

    [Fact]
    public void After_a_failure_little_is_asked_for()
    {
        var pace = new LogPace(_options);
        pace.Read(View(8, bytes: 10, hasMore: true));
        pace.Failed();
        pace.Entries.ShouldBe(LogPace.EntriesMin);
    }

    [Fact]
    public void Who_gets_no_answer_several_times_waits_longer_up_to_a_limit_and_not_after_an_answer()
    {
        var pace = new LogPace(_options);
        var times = new List<double>();
        for (var i = 0; i < 40; i++)
        {
            times.Add(pace.SeekTime / _options.SeekTime);
            pace.Failed();
        }

        times[..8].ShouldBe([1, 1, 1, 1, 2, 4, 8, 8]);
        times[^1].ShouldBe(8);
        pace.Answered(_options.SeekTime * 2);
        pace.SeekTime.ShouldBe(_options.SeekTime * 8, "etcd is as slow as it was");
        pace.Answered(_options.SeekTime / 2);
        pace.SeekTime.ShouldBe(_options.SeekTime);
    }

    private static LogView View(int entries, int bytes, bool hasMore) => new()
    {
        Leader = null,
        LeaderRevision = 0,
        BeatRevision = 0,
        Revision = 1,
        Snapshot = null,
        SnapshotRevision = 0,
        Entries = [.. Enumerable.Range(1, entries).Select(i => ((ulong)i, new byte[bytes]))],
        HasMore = hasMore,
    };
}
