using Gossip.Coordinates;
using Gossip.Pool;
using Microsoft.Extensions.Logging.Abstractions;
using Praetor.Agent.Membership;
using Praetor.Server.Catalog;
using Praetor.Server.Coordinates;
using Praetor.Server.Model;
using Praetor.Server.State;
using Praetor.Server.Storage;
using Shouldly;
using Support;
using Xunit;

namespace Unit.Membership;

public sealed class CoordinateTests : IDisposable
{
    private readonly ManualTime _time = new();
    private readonly StateStore _store = new(new MemoryEngine());

    public void Dispose() => _store.Dispose();

    [Fact]
    public void Distance_is_the_way_between_and_both_heights()
    {
        var a = At(0.003, height: 0.001);
        var b = At(0.007, height: 0.002);

        a.SecondsTo(b).ShouldBe(0.007, 1e-9);
        a.SecondsTo(a).ShouldBe(0.002, 1e-9);
        (a with { Adjustment = -1 }).SecondsTo(b).ShouldBe(0.007, 1e-9, "a round trip is never negative");
        a.SecondsTo(new Coordinate([1], 0, 0, 0)).ShouldBe(double.PositiveInfinity);
    }

    [Fact]
    public void A_place_has_moved_by_as_much_as_the_way_to_anybody_may_have_changed()
    {
        var earlier = At(0.003, height: 0.001);

        At(0.004, height: 0.0005).SecondsMovedFrom(earlier).ShouldBe(0.0015, 1e-9);
        (earlier with { Adjustment = -0.002 }).SecondsMovedFrom(earlier).ShouldBe(0.002, 1e-9);
        earlier.SecondsMovedFrom(earlier).ShouldBe(0);
        earlier.SecondsMovedFrom(new Coordinate([1], 0, 0, 0)).ShouldBe(double.PositiveInfinity);
    }

    [Fact]
    public async Task A_place_is_told_when_it_moves_and_once_a_minute_when_it_does_not()
    {
        var pool = new Pool { Here = At(0.010) };
        pool.Add("a.dc1", "dc1", null);
        List<double> told = [];
        string? problem = "no server";
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(TestContext.Current.CancellationToken);
        var sending = Sender(pool, perSecond: 64, update =>
        {
            told.Add(update.Where.Vector[0]);
            return problem;
        }).RunAsync(stop.Token);

        await PassAsync(turns: 2);
        told.ShouldBe([0.010, 0.010], "nobody has taken it");
        problem = null;
        await PassAsync(turns: CoordinateSender.YoungTurns);
        told.Count.ShouldBe(2 + CoordinateSender.YoungTurns, "it is young");
        told.Clear();
        pool.Here = At(0.0149);
        await PassAsync(turns: 3);
        told.ShouldBeEmpty("it is where it was, nearly");
        await PassAsync(turns: 1);
        told.ShouldBe([0.0149], "a minute has passed");
        pool.Here = At(0.020);
        await PassAsync(turns: 1);
        told.ShouldBe([0.0149, 0.020], "it has moved");

        stop.Cancel();
        await Should.ThrowAsync<OperationCanceledException>(sending);
    }

    [Fact]
    public async Task Where_turns_are_rare_each_is_told()
    {
        var pool = new Pool();
        pool.Add("a.dc1", "dc1", null);
        var told = 0;
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(TestContext.Current.CancellationToken);
        var sending = Sender(pool, perSecond: 0.01, _ =>
        {
            told++;
            return null;
        }).RunAsync(stop.Token);

        await PassAsync(turns: 3, seconds: 107);

        told.ShouldBe(3);
        stop.Cancel();
        await Should.ThrowAsync<OperationCanceledException>(sending);
    }

    [Fact]
    public async Task Only_the_last_word_of_nodes_that_are_known_is_written()
    {
        await RegisterAsync("a");
        var collector = new CoordinateCollector(_store, TimeSpan.FromSeconds(5), _time);
        collector.Add(new CoordinateUpdate("a", "", At(1))).ShouldBeNull();
        collector.Add(new CoordinateUpdate("A", "", At(3))).ShouldBeNull();
        collector.Add(new CoordinateUpdate("a", "", At(2))).ShouldBeNull();
        collector.Add(new CoordinateUpdate("gone", "", At(2))).ShouldBeNull();

        await collector.FlushAsync();
        await collector.FlushAsync();

        All().Select(static c => c.Node).ShouldBe(["a"]);
        All()[0].Where.Vector[0].ShouldBeOneOf(2.0, 3.0);
    }

    [Fact]
    public async Task Updates_gather_for_a_period()
    {
        await RegisterAsync("a");
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(TestContext.Current.CancellationToken);
        var collector = new CoordinateCollector(_store, TimeSpan.FromSeconds(5), _time);
        var running = collector.RunAsync(stop.Token);
        collector.Add(new CoordinateUpdate("a", "", At(1)));
        All().ShouldBeEmpty();

        _time.Advance(TimeSpan.FromSeconds(5));
        await collector.FlushAsync();
        await _store.SubmitAsync(new UpdateCoordinates([]));

        All().Count.ShouldBe(1);
        await stop.CancelAsync();
        await Should.ThrowAsync<OperationCanceledException>(running);
    }

    [Fact]
    public void What_is_no_place_is_refused()
    {
        var collector = new CoordinateCollector(_store, TimeSpan.FromSeconds(5), _time);

        collector.Add(new CoordinateUpdate("a", "", At(double.NaN)))!.Text.ShouldBe("invalid coordinate");
        collector.Add(new CoordinateUpdate("a", "", new Coordinate([1, 2], 0, 0, 0)))!.Text
            .ShouldBe("incompatible coordinate");
    }

    [Fact]
    public async Task A_flood_of_names_fills_nothing()
    {
        var collector = new CoordinateCollector(_store, TimeSpan.FromSeconds(5), _time);
        for (var i = 0; i < 3 * CoordinateCollector.PendingMax; i++)
        {
            collector.Add(new CoordinateUpdate($"n{i}", "", At(1))).ShouldBeNull();
        }

        var dropped = await collector.FlushAsync();

        dropped.ShouldBe(
            CoordinateCollector.PendingMax - (CoordinateCollector.BatchSize * CoordinateCollector.BatchesPerPeriod));
    }

    [Fact]
    public async Task A_node_that_goes_takes_its_place_with_it()
    {
        await RegisterAsync("a");
        await PlaceAsync("a", 1);

        await _store.SubmitAsync(new Deregister("a", "", ""));

        All().ShouldBeEmpty();
    }

    [Fact]
    public async Task The_nearest_come_first_and_the_unknown_last()
    {
        foreach (var (node, place) in new[] { ("a", 0.45), ("b", 0.1), ("c", 0.3) })
        {
            await RegisterAsync(node);
            await PlaceAsync(node, place);
        }

        string[] nodes = ["x", "a", "b", "y", "c"];

        Near(nodes, "c").ShouldBe(["c", "a", "b", "x", "y"]);
        Near(nodes, "B").ShouldBe(["b", "c", "a", "x", "y"]);
        Near(nodes, "y").ShouldBe(nodes, "nothing is known of y");
        Near(nodes, "").ShouldBe(nodes);
    }

    [Fact]
    public void Datacenters_come_in_the_order_of_the_middle_of_their_servers()
    {
        var pool = new Pool();
        pool.Add("s1.dc1", "dc1", 0);
        pool.Add("s1.dc2", "dc2", 0.2);
        pool.Add("s2.dc2", "dc2", 9);
        pool.Add("s3.dc2", "dc2", 0.3);
        pool.Add("s1.dc3", "dc3", 0.1);
        pool.Add("s1.dc4", "dc4", null);

        var datacenters = new Datacenters("dc1", pool, pool);

        datacenters.Names().ShouldBe(["dc1", "dc3", "dc2", "dc4"]);
        datacenters.Has("DC4").ShouldBeTrue();
        datacenters.Has("dc5").ShouldBeFalse();
        datacenters.Places()[1].Servers.Select(static s => s.Node).ShouldBe(["s1", "s2", "s3"]);
        datacenters.Places()[3].Servers.ShouldBeEmpty();
    }

    private static Coordinate At(double place, double height = 0) =>
        new([place, 0, 0, 0, 0, 0, 0, 0], 1.5, 0, height);

    private CoordinateSender Sender(Pool pool, double perSecond, Func<CoordinateUpdate, string?> send) => new(
        pool,
        pool,
        (update, _) => Task.FromResult(send(update)),
        new CoordinateRate(TimeSpan.FromSeconds(15), perSecond),
        _time,
        new Random(1),
        NullLogger.Instance);

    private async Task PassAsync(int turns, double seconds = 16)
    {
        for (var i = 0; i < turns; i++)
        {
            await _time.TimersAsync(1);
            _time.Advance(TimeSpan.FromSeconds(seconds));
        }

        await _time.TimersAsync(1);
    }

    private List<CoordinateRecord> All() =>
        [.. CoordinateQueries.All(new ReadView(_store.Current, tracks: false))];

    private IEnumerable<string> Near(string[] nodes, string from) => CoordinateQueries.Nearest(
        new ReadView(_store.Current, tracks: false), nodes, static n => n, from);

    private Task RegisterAsync(string node) => _store.SubmitAsync(
        new Register(new Registration { Node = new NodeRecord { Name = node, Address = "10.0.0.1" } }));

    private Task PlaceAsync(string node, double place) =>
        _store.SubmitAsync(new UpdateCoordinates([new CoordinateUpdate(node, "", At(place))]));

    private sealed class Pool : IMembership, INetworkCoordinates
    {
        private readonly List<AgentMember> _members = [];
        private readonly Dictionary<string, Coordinate> _places = [];

        public Coordinate Here { get; set; } = At(0);

        public void Add(string name, string datacenter, double? place)
        {
            var tags = new Dictionary<string, string> { ["dc"] = datacenter };
            _members.Add(new AgentMember(name, "10.0.0.1", 8302, tags, MemberStatus.Alive));
            if (place is { } at)
            {
                _places[name] = At(at);
            }
        }

        public AgentMember Self(bool wan) => _members[0];

        public IReadOnlyList<AgentMember> Members(bool wan) => _members;

        public bool IsEncrypted(bool wan) => false;

        public PoolFigures? Figures(bool wan) => null;

        public Task<JoinOutcome> JoinAsync(IReadOnlyList<string> addresses, bool wan, CancellationToken stop) =>
            throw new NotSupportedException();

        public Task<string?> ForceLeaveAsync(string name, bool prune, bool wan, CancellationToken stop) =>
            throw new NotSupportedException();

        public Task LeaveAsync(CancellationToken stop) => throw new NotSupportedException();

        public Coordinate Own(bool wan) => Here;

        public Coordinate? Of(string member, bool wan) => _places.GetValueOrDefault(member);
    }
}
