using Microsoft.Extensions.Logging.Abstractions;
using Praetor.Agent.Forwarding;
using Shouldly;
using Support;
using Xunit;

namespace Unit.Forwarding;

public sealed class ServerRebalancerTests
{
    [Fact]
    public async Task Servers_that_are_found_after_the_start_get_their_share_at_the_first_drawing()
    {
        await using var server = await Agent.ServerAsync();
        var dead = new SilentServer("s8");
        dead.Dispose();
        var directory = new ServerDirectory(new Random(1));
        var options = new ForwarderOptions { Self = new Hop("c1", "dc1", IsServer: false), SelfId = "c1" };
        using var forwarder = new Forwarder(
            directory, options, TimeProvider.System, new Random(1), NullLogger.Instance);
        var time = new ManualTime();
        await using var rebalancer = new ServerRebalancer(
            directory, forwarder, "dc1", static () => 1, time, NullLogger.Instance);
        rebalancer.Start();
        await time.TimersAsync(1);
        directory.Update([dead.Peer]);
        directory.Update([dead.Peer, server.Peer]);
        directory.Choose("dc1").ShouldBe(dead.Peer);

        time.Advance(ServerDirectory.RebalanceMin * 1.5);
        await time.TimersAsync(1);

        directory.Choose("dc1").ShouldBe(server.Peer);
    }
}
