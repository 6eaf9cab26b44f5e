using Praetor.Agent.Cluster;
using Shouldly;
using Xunit;

namespace Unit.Cluster;

public sealed class BackoffTests
{
    private static readonly TimeSpan First = TimeSpan.FromMilliseconds(100);

    [Fact]
    public void Pauses_double_up_to_a_limit_and_begin_anew_when_it_worked()
    {
        var backoff = new Backoff(First, Founding.JoinPauseMax, new NoChance());
        Enumerable.Range(0, 7).Select(_ => backoff.Next().TotalMilliseconds)
            .ShouldBe([100, 200, 400, 800, 1600, 2000, 2000]);
        backoff.Reset();
        backoff.Next().ShouldBe(First);
    }

    [Fact]
    public void Two_that_begin_together_do_not_go_on_together()
    {
        var (one, other) = (new Backoff(First, First, new Random(1)), new Backoff(First, First, new Random(2)));
        for (var i = 0; i < 20; i++)
        {
            var (a, b) = (one.Next(), other.Next());
            a.ShouldNotBe(b);
            a.ShouldBeInRange(First / 2, First);
        }
    }

    private sealed class NoChance : Random
    {
        public override double NextDouble() => 0;
    }
}
