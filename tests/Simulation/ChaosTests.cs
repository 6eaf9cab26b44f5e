using Gossip.Wire;
using Shouldly;
using Xunit;

namespace Simulation;

/// <summary>Everything at once, by chance; what must always hold is looked at after each step.</summary>
public sealed class ChaosTests
{
    private const int Members = 12;

    [Fact]
    public void Whatever_happens_beliefs_only_go_forward_and_all_agree_in_the_end()
    {
        for (var seed = 100; seed < 100 + LongRun.Or(1_000, 25); seed++)
        {
            Run(seed);
        }
    }

    private static void Run(int seed)
    {
        var network = SimNetwork.Settled(seed, Members);
        var random = new Random(seed);
        var beliefs = new Dictionary<(SimMember, string), (uint Incarnation, object Core)>();
        network.AfterStep = member => Check(network, member, beliefs);
        for (var round = 0; round < 12; round++)
        {
            Disturb(network, random);
            network.Advance(TimeSpan.FromSeconds(random.Next(1, 15)));
        }
        network.Faults = new SimFaults();
        foreach (var member in network.Members.Where(member => !member.IsRunning))
        {
            Restart(network, member);
        }
        network.Until(network.IsConverged, TimeSpan.FromSeconds(60)).ShouldNotBeNull($"seed {seed} does not converge");
    }

    private static void Disturb(SimNetwork network, Random random)
    {
        network.Faults = new SimFaults
        {
            Loss = random.NextDouble() * 0.3,
            Duplicates = random.NextDouble() * 0.1,
            DelayMax = TimeSpan.FromMilliseconds(random.Next(1, 400)),
            IsCut = Cut(random),
        };
        var victim = network.Members[random.Next(Members)];
        switch (random.Next(5))
        {
            case 0 when victim.IsRunning:
                victim.Kill();
                break;
            case 0:
                Restart(network, victim);
                break;
            case 1 when victim.IsRunning:
                victim.SlowDown(TimeSpan.FromSeconds(random.Next(1, 20)));
                break;
            case 2 when victim.IsRunning:
                victim.Do(core => core.UpdateMeta(new[] { (byte)random.Next(256) }, network.Now));
                break;
        }
    }

    private static Func<int, int, bool>? Cut(Random random)
    {
        var (first, second) = (random.Next(Members), random.Next(Members));
        return random.Next(4) switch
        {
            0 => (from, to) => from < first != to < first,
            1 => (from, to) => from == first && to == second,
            2 => (_, to) => to == first,
            _ => null,
        };
    }

    private static void Restart(SimNetwork network, SimMember member)
    {
        member.Start();
        foreach (var seed in network.Members.Where(other => other != member).Take(3))
        {
            member.Join(seed);
        }
    }

    private static void Check(
        SimNetwork network,
        SimMember member,
        Dictionary<(SimMember, string), (uint Incarnation, object Core)> beliefs)
    {
        var core = member.Core;
        core.Self.State.ShouldBe(MemberState.Alive, $"seed {network.Seed}: {member.Name} believes itself gone");
        core.NextDeadline.ShouldNotBeNull();
        core.HealthScore.ShouldBeInRange(0, 7);
        core.MemberCount.ShouldBeLessThanOrEqualTo(Members);
        core.QueuedBroadcasts.ShouldBeLessThanOrEqualTo(Members);
        foreach (var other in network.Members.Where(other => core.Find(other.Name) is null))
        {
            // Who was forgotten may be met again as a new one.
            beliefs.Remove((member, other.Name));
        }
        // That may be within one step, in which a slow member takes in all that waited for it.
        foreach (var name in member.Came)
        {
            beliefs.Remove((member, name));
        }
        member.Came.Clear();
        foreach (var known in core.Members())
        {
            var key = (member, known.Name);
            if (beliefs.TryGetValue(key, out var before) && ReferenceEquals(before.Core, core))
            {
                (known.Incarnation >= before.Incarnation).ShouldBeTrue(
                    $"seed {network.Seed}: {member.Name} went back on {known.Name}: "
                    + $"{before.Incarnation} to {known.Incarnation}");
            }
            beliefs[key] = (known.Incarnation, core);
        }
    }
}
