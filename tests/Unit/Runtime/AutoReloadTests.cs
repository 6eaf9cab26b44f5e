using Praetor.Agent.Runtime;
using Shouldly;
using Support;
using Xunit;

namespace Unit.Runtime;

public sealed class AutoReloadTests : IAsyncDisposable
{
    private readonly ManualTime _time = new();
    private readonly CancellationTokenSource _stop = new();
    private readonly Task _loop;
    private string _looks = "as read";
    private int _reloads;

    public AutoReloadTests() => _loop = new AutoReload(() => _looks, _time, _ =>
    {
        _reloads++;
        return Task.CompletedTask;
    }).RunAsync("as read", _stop.Token);

    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync();
        await Should.ThrowAsync<OperationCanceledException>(_loop);
        _stop.Dispose();
    }

    [Fact]
    public void Without_a_change_nothing_is_reloaded()
    {
        _time.Advance(TimeSpan.FromHours(1));
        _reloads.ShouldBe(0);
    }

    [Fact]
    public void A_change_is_taken_over_within_a_second_and_once()
    {
        _looks = "changed";
        _time.Advance(TimeSpan.FromMilliseconds(800));
        _reloads.ShouldBe(1);
        _time.Advance(TimeSpan.FromHours(1));
        _reloads.ShouldBe(1);
        _looks = "as read";
        _time.Advance(TimeSpan.FromMilliseconds(800));
        _reloads.ShouldBe(2);
    }

    [Fact]
    public void A_file_that_is_still_being_written_is_waited_for()
    {
        for (var size = 0; size < 20; size++)
        {
            _looks = $"{size} bytes";
            _time.Advance(AutoReload.Interval);
        }

        _reloads.ShouldBe(0);
        _time.Advance(AutoReload.Interval);
        _reloads.ShouldBe(1);
    }
}
