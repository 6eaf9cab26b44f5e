using Gossip.Coordinates;
using Shouldly;
using Xunit;

namespace Simulation;

public sealed class CoordinateTests
{
    [Fact]
    public void Two_datacenters_are_found_by_their_round_trips()
    {
        var error = Simulate(20, (a, b) => a < 10 == b < 10 ? 0.001 : 0.080);
        Figures.Print($"coordinates, two datacenters 80 ms apart, 1 ms within: mean error {error:p1}");
        error.ShouldBeLessThan(0.1);
    }

    [Fact]
    public void Members_on_a_line_are_found_by_their_round_trips()
    {
        var error = Simulate(10, (a, b) => 0.010 * Math.Abs(a - b));
        Figures.Print($"coordinates, ten on a line, 10 ms apart: mean error {error:p1}");
        error.ShouldBeLessThan(0.05);
    }

    [Fact]
    public void The_distance_holds_heights_and_adjustments_but_is_never_negative()
    {
        var a = new Coordinate([3, 0, 0, 0, 0, 0, 0, 0], 1, 0.25, 1);
        var b = new Coordinate([0, 4, 0, 0, 0, 0, 0, 0], 1, 0.25, 2);
        a.DistanceTo(b).TotalSeconds.ShouldBe(8.5, 1e-6);
        (a with { Adjustment = -20 }).DistanceTo(b).TotalSeconds.ShouldBe(8, 1e-6);
    }

    [Fact]
    public void Coordinates_and_round_trips_that_make_no_sense_are_refused()
    {
        var client = new CoordinateClient(new Random(1));
        var second = TimeSpan.FromSeconds(1);
        client.Update("a", new Coordinate([1, 2], 1, 0, 1), second).ShouldNotBeNull();
        client.Update("a", Coordinate.Origin with { Height = double.NaN }, second).ShouldNotBeNull();
        client.Update("a", Coordinate.Origin, TimeSpan.FromSeconds(-1)).ShouldNotBeNull();
        client.Update("a", Coordinate.Origin, TimeSpan.FromSeconds(11)).ShouldNotBeNull();
        client.Current.ShouldBe(Coordinate.Origin);
        Coordinate.Origin.DistanceTo(new Coordinate([1, 2], 1, 0, 1)).ShouldBe(TimeSpan.MaxValue);
    }

    [Fact]
    public void Numbers_that_run_away_bring_a_member_back_to_the_origin()
    {
        var client = new CoordinateClient(new Random(1));
        var far = Coordinate.Origin with { Vector = [.. Enumerable.Repeat(double.MaxValue, 8)] };
        client.Update("a", far, TimeSpan.FromSeconds(1)).ShouldBeNull();
        client.Resets.ShouldBe(1);
        client.Current.IsValid.ShouldBeTrue();
    }

    [Fact]
    public void One_slow_answer_does_not_move_a_member()
    {
        var client = new CoordinateClient(new Random(1));
        for (var i = 0; i < 50; i++)
        {
            client.Update("a", Coordinate.Origin, TimeSpan.FromMilliseconds(10));
        }
        var before = client.DistanceTo(Coordinate.Origin);
        client.Update("a", Coordinate.Origin, TimeSpan.FromSeconds(9));
        (client.DistanceTo(Coordinate.Origin) - before).Duration().ShouldBeLessThan(TimeSpan.FromMilliseconds(1));
    }

    private static double Simulate(int members, Func<int, int, double> seconds)
    {
        var random = new Random(7);
        var clients = Enumerable.Range(0, members)
            .Select(_ => new CoordinateClient(new Random(random.Next()))).ToArray();
        for (var cycle = 0; cycle < 1_000; cycle++)
        {
            for (var i = 0; i < members; i++)
            {
                var j = random.Next(members);
                if (i != j)
                {
                    clients[i].Update($"{j}", clients[j].Current, TimeSpan.FromSeconds(seconds(i, j))).ShouldBeNull();
                }
            }
        }
        var errors = from i in Enumerable.Range(0, members)
                     from j in Enumerable.Range(0, i)
                     let real = seconds(i, j)
                     let estimate = clients[i].DistanceTo(clients[j].Current).TotalSeconds
                     select Math.Abs(estimate - real) / Math.Max(real, 0.010);
        return errors.Average();
    }
}
