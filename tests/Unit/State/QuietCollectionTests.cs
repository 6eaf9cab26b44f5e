using Praetor.Server.Queries;
using Shouldly;
using Support;
using Xunit;

namespace Unit.State;

public sealed class QuietCollectionTests
{
    private readonly ManualTime _time = new();
    private readonly QuietCollection _collection;
    private int _collected;

    public QuietCollectionTests() => _collection = new QuietCollection(_time, () => _collected++);

    [Fact]
    public void What_thousands_of_waits_left_behind_is_collected_once_none_begins_any_more()
    {
        Begin(5 * QuietCollection.WaitsMin);
        _collected.ShouldBe(0);
        _time.Advance(QuietCollection.Quiet / 2);
        Begin(QuietCollection.WaitsMin);
        _time.Advance(QuietCollection.Quiet / 2);
        _collected.ShouldBe(0);
        _time.Advance(QuietCollection.Quiet);
        _collected.ShouldBe(1);
        _time.Advance(TimeSpan.FromMinutes(10));
        _collected.ShouldBe(1);
    }

    [Fact]
    public void A_few_waits_are_left_to_the_collector()
    {
        Begin(QuietCollection.WaitsMin - 1);
        _time.PendingTimers.ShouldBe(0);
        _time.Advance(TimeSpan.FromMinutes(10));
        _collected.ShouldBe(0);
    }

    private void Begin(int waits)
    {
        for (var i = 0; i < waits; i++)
        {
            _collection.WaitBegan();
        }
    }
}
