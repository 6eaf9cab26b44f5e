using System.Net;
using Gossip.Swim;
using Gossip.Wire;
using Shouldly;
using Xunit;

namespace Simulation;

/// <summary>Whatever a member with the key sends, it costs a bounded amount of memory and silences nobody.</summary>
public sealed class LimitTests
{
    private static readonly IPEndPoint Stranger = new(IPAddress.Parse("192.0.2.1"), 8301);
    private readonly SimNetwork _network = SimNetwork.Settled(seed: 81, 3);

    [Fact]
    public void Names_and_meta_data_beyond_their_bounds_are_dropped()
    {
        Receive(Claim(new string('x', SwimLimits.NameCharsMax + 1)));
        Receive(Claim(""));
        Receive(Claim("fat") with { Meta = new byte[SwimLimits.MetaBytesMax + 1] });
        Receive(Claim("nowhere") with { Address = new IPEndPoint(IPAddress.Any, 8301) });
        Core.MemberCount.ShouldBe(3);
    }

    [Fact]
    public void Members_beyond_the_bound_are_dropped()
    {
        for (var i = 0; i < SwimLimits.MembersMax + 100; i++)
        {
            Receive(Claim($"phantom{i}"));
        }
        Core.MemberCount.ShouldBe(SwimLimits.MembersMax);
    }

    [Fact]
    public void Indirect_pings_beyond_the_bound_are_not_carried_out()
    {
        var sent = _network["m0"].PacketsSent;
        for (var i = 0u; i < SwimLimits.RelaysMax * 2; i++)
        {
            Receive(new IndirectPing(i, Stranger, "x", WantsNack: true, Stranger, "y"));
        }
        (_network["m0"].PacketsSent - sent).ShouldBe(SwimLimits.RelaysMax);
    }

    [Fact]
    public void The_largest_incarnation_cannot_silence_a_member()
    {
        var victim = _network["m1"];
        Receive(new Suspect(uint.MaxValue, "m1", "x"));
        Receive(new Dead(uint.MaxValue, "m1", "x"));
        Receive(new Dead(SwimLimits.IncarnationFirstMax, "m1", "x"));
        Core.Find("m1")!.State.ShouldBe(MemberState.Dead);
        _network.Until(
            () => _network.Members.All(member => member.Core.Find("m1")!.State == MemberState.Alive),
            TimeSpan.FromSeconds(5)).ShouldNotBeNull();
        victim.Core.Self.Incarnation.ShouldBe(SwimLimits.IncarnationFirstMax + 1);
    }

    [Fact]
    public void Somebody_who_speaks_other_versions_does_not_stop_exchanges_between_the_rest()
    {
        Receive(Claim("odd") with { Versions = new ProtocolVersions(9, 9, 9, 9, 9, 9) });
        Core.Find("odd").ShouldBeNull();
    }

    [Fact]
    public void Random_claims_leave_nothing_behind_that_grows()
    {
        var random = new Random(1);
        for (var i = 0; i < 200_000; i++)
        {
            Receive(Anything(random));
            if (i % 1_000 == 0)
            {
                _network.Advance(TimeSpan.FromMilliseconds(100));
            }
        }
        Core.QueuedBroadcasts.ShouldBeLessThanOrEqualTo(Core.MemberCount);
        Core.MemberCount.ShouldBeLessThanOrEqualTo(53);
        _network.Advance(TimeSpan.FromMinutes(10));
        _network.Members.ShouldAllBe(member => member.Core.Self.State == MemberState.Alive);
        Core.MemberCount.ShouldBe(3);
    }

    private SwimCore Core => _network["m0"].Core;

    private static Alive Claim(string name) => new(1, name, Stranger, default, ProtocolVersions.Default);

    private static SwimMessage Anything(Random random)
    {
        var name = random.Next(10) == 0 ? $"m{random.Next(3)}" : $"p{random.Next(50)}";
        var incarnation = (uint)random.Next(1 << random.Next(1, 30));
        var address = new IPEndPoint(new IPAddress([192, 0, 2, (byte)random.Next(4)]), 8301);
        return random.Next(8) switch
        {
            0 => new Alive(incarnation, name, address, new byte[random.Next(600)], ProtocolVersions.Default),
            1 => new Suspect(incarnation, name, $"p{random.Next(50)}"),
            2 => new Dead(incarnation, name, random.Next(2) == 0 ? name : "p1"),
            3 => new Ping(incarnation, name, address, name),
            4 => new Ack((uint)random.Next(), new byte[random.Next(100)]),
            5 => new Nack((uint)random.Next()),
            6 => new IndirectPing(incarnation, address, name, WantsNack: true, Source: null, name),
            _ => new UserMessage(new byte[random.Next(100)]),
        };
    }

    private void Receive(SwimMessage message) =>
        _network["m0"].Do(core => core.Receive(message, Stranger, _network.Now));
}
