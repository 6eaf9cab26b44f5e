using System.Net;
using Praetor.Agent.Forwarding;
using Shouldly;
using Xunit;

namespace Unit.Forwarding;

public sealed class ServerDirectoryTests
{
    private readonly ServerDirectory _directory = new(new Random(7));

    [Fact]
    public void The_first_server_is_asked_until_it_fails()
    {
        _directory.Update([Server(1), Server(2), Server(3)]);
        var first = _directory.Choose("dc1").ShouldNotBeNull();
        _directory.Choose("dc1").ShouldBe(first);
        _directory.Failed(first);
        var second = _directory.Choose("dc1").ShouldNotBeNull();
        second.ShouldNotBe(first);
        _directory.In("dc1")[^1].ShouldBe(first);
    }

    [Fact]
    public void Many_that_tell_of_the_same_failure_do_not_turn_the_list_over()
    {
        _directory.Update([Server(1), Server(2), Server(3)]);
        var first = _directory.Choose("dc1")!;
        _directory.Failed(first);
        var second = _directory.Choose("dc1");
        _directory.Failed(first);
        _directory.Failed(first);
        _directory.Choose("dc1").ShouldBe(second);
    }

    [Fact]
    public void A_newcomer_does_not_take_the_place_of_the_one_that_is_asked()
    {
        _directory.Update([Server(1)]);
        _directory.Update([.. Enumerable.Range(1, 9).Select(n => Server(n))]);
        _directory.Choose("dc1").ShouldBe(Server(1));
        _directory.In("dc1").Count.ShouldBe(9);
    }

    [Fact]
    public void Who_left_is_told_of_once_and_not_asked_any_more()
    {
        var left = new List<ServerPeer>();
        _directory.Left += left.Add;
        _directory.Update([Server(1), Server(2)]);
        _directory.Update([Server(2)]);
        _directory.Update([Server(2)]);
        left.ShouldBe([Server(1)]);
        _directory.Choose("dc1").ShouldBe(Server(2));
        _directory.Update([]);
        _directory.Choose("dc1").ShouldBeNull();
        _directory.Knows("dc1").ShouldBeFalse();
    }

    [Fact]
    public void Those_that_were_tried_are_left_out()
    {
        _directory.Update([Server(1), Server(2)]);
        var first = _directory.Choose("dc1")!;
        var second = _directory.Choose("dc1", [first])!;
        second.ShouldNotBe(first);
        _directory.Choose("dc1", [first, second]).ShouldBeNull();
    }

    [Fact]
    public void Agents_spread_over_the_servers()
    {
        var all = Enumerable.Range(1, 3).Select(n => Server(n)).ToList();
        var chosen = Enumerable.Range(0, 300).Select(seed =>
        {
            var directory = new ServerDirectory(new Random(seed));
            directory.Update(all);
            return directory.Choose("dc1")!.Name;
        });
        chosen.CountBy(static name => name).ShouldAllBe(static pair => pair.Value > 60);
    }

    [Fact]
    public void A_large_cluster_draws_more_seldom_than_a_small_one()
    {
        _directory.RebalanceAfter(agents: 100, servers: 3).ShouldBeInRange(
            TimeSpan.FromMinutes(2), TimeSpan.FromMinutes(3));
        _directory.RebalanceAfter(agents: 100_000, servers: 3).ShouldBe(
            TimeSpan.FromSeconds(100_000 / (64.0 * 3)), TimeSpan.FromSeconds(1));
    }

    [Fact]
    public void Datacenters_are_listed_the_own_one_first_or_by_distance()
    {
        _directory.Update([Server(1), Server(2, "dc9"), Server(3, "dc2")]);
        _directory.Datacenters("dc1").ShouldBe(["dc1", "dc2", "dc9"]);
        _directory.Datacenters("dc1", Comparer<string>.Create((a, b) => string.CompareOrdinal(b, a)))
            .ShouldBe(["dc9", "dc2", "dc1"]);
    }

    internal static ServerPeer Server(int number, string datacenter = "dc1", int port = 8300) => new(
        $"s{number}", $"id-{number}", datacenter, new IPEndPoint(new IPAddress([10, 0, 0, (byte)number]), port));
}
