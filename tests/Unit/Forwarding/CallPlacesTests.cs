using Praetor.Agent.Forwarding;
using Shouldly;
using Xunit;

namespace Unit.Forwarding;

/// <summary>What one connection for calls may have under way.</summary>
public sealed class CallPlacesTests
{
    private readonly CallPlaces _places = new(callsMax: 2, bytesMax: 100);

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_call_too_many_waits_for_one_that_is_done()
    {
        await _places.TakeAsync(1, Stop);
        await _places.TakeAsync(1, Stop);
        var third = _places.TakeAsync(1, Stop).AsTask();
        third.IsCompleted.ShouldBeFalse();
        _places.Release(1);
        await third;
    }

    [Fact]
    public async Task A_byte_too_many_waits_for_as_many_to_be_done()
    {
        await _places.TakeAsync(60, Stop);
        await _places.TakeAsync(40, Stop);
        _places.Release(40);
        var second = _places.TakeAsync(41, Stop).AsTask();
        second.IsCompleted.ShouldBeFalse();
        _places.Release(60);
        await second;
    }

    [Fact]
    public async Task What_alone_is_too_large_waits_until_nothing_else_is_under_way()
    {
        await _places.TakeAsync(1, Stop);
        var large = _places.TakeAsync(1000, Stop).AsTask();
        large.IsCompleted.ShouldBeFalse();
        _places.Release(1);
        await large;
        _places.TakeAsync(0, Stop).AsTask().IsCompleted.ShouldBeFalse();
    }

    [Fact]
    public async Task A_wait_ends_when_the_connection_does()
    {
        await _places.TakeAsync(100, Stop);
        using var end = CancellationTokenSource.CreateLinkedTokenSource(Stop);
        var second = _places.TakeAsync(1, end.Token).AsTask();
        await end.CancelAsync();
        await Should.ThrowAsync<OperationCanceledException>(second);
        _places.Release(100);
        _places.TakeAsync(100, Stop).IsCompleted.ShouldBeTrue("who gave up has taken nothing");
    }
}
