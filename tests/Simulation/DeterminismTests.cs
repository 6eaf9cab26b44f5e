using Shouldly;
using Xunit;

namespace Simulation;

public sealed class DeterminismTests
{
    [Fact]
    public void The_same_seed_gives_the_same_run()
    {
        Run(seed: 5).ShouldBe(Run(seed: 5));
        Run(seed: 5).ShouldNotBe(Run(seed: 6));
    }

    private static ulong Run(int seed)
    {
        var network = SimNetwork.Settled(seed, 20, new SimFaults { Loss = 0.2, Duplicates = 0.05 });
        network.Advance(TimeSpan.FromSeconds(10));
        network.Members[3].Kill();
        network.Members[4].SlowDown(TimeSpan.FromSeconds(7));
        network.Advance(TimeSpan.FromSeconds(20));
        return network.TraceHash;
    }
}
