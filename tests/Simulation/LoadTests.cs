using Shouldly;
using Xunit;

namespace Simulation;

/// <summary>
/// What a member costs when nothing happens. Sizes are estimates of memberlist's encoding, encrypted.
/// </summary>
public sealed class LoadTests
{
    [Theory]
    [InlineData(10)]
    [InlineData(100)]
    [InlineData(1_000)]
    public void A_quiet_pool_costs_each_member_a_few_packets_each_second(int members)
    {
        const int Seconds = 300;
        var network = SimNetwork.Settled(seed: 41, members);
        network.Advance(TimeSpan.FromSeconds(members == 1_000 ? 60 : Seconds));
        var seconds = network.Now.TotalSeconds;
        var packets = network.Members.Sum(member => member.PacketsSent) / seconds / members;
        var bytes = network.Members.Sum(member => member.BytesSent) / seconds / members;
        Figures.Print($"N={members}: {packets:f1} packets/s, {bytes / 1024:f2} KiB/s for each member");
        packets.ShouldBeLessThanOrEqualTo(20);
        bytes.ShouldBeLessThanOrEqualTo(30_000);
    }
}
