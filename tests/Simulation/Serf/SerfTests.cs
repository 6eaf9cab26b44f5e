using System.Net;
using Gossip;
using Gossip.Serf;
using Gossip.Serf.Wire;
using Shouldly;
using Xunit;

namespace Simulation.Serf;

/// <summary>What serf's layer adds to membership: reasons, events, queries, keys.</summary>
public sealed class SerfTests : IDisposable
{
    private static readonly TimeSpan Moment = TimeSpan.FromSeconds(3);
    private static readonly TimeSpan UntilSeen = TimeSpan.FromSeconds(30);

    private static readonly IPEndPoint Victim = new(IPAddress.Parse("192.0.2.1"), 53);

    private readonly SerfWorld _world = new();

    [Fact]
    public void Everybody_learns_the_tags_of_who_joins()
    {
        var pool = Pool(4);

        pool.ShouldAllBe(peer => peer.Core.Members().Count == 4);
        pool[0].Core.Find("m3")!.Tags["name"].ShouldBe("m3");
    }

    [Fact]
    public void Other_tags_reach_everybody()
    {
        var pool = Pool(3);

        pool[1].Core.SetTags(new Dictionary<string, string>(StringComparer.Ordinal) { ["role"] = "new" }, _world.Now);
        _world.Arm(pool[1]);
        _world.Run(Moment);

        pool[2].Core.Find("m1")!.Tags["role"].ShouldBe("new");
        pool[2].Changes.ShouldContain("Updated m1");
    }

    [Fact]
    public void Who_says_that_it_leaves_is_left_and_not_failed()
    {
        var pool = Pool(4);

        pool[3].Leave();
        _world.Run(UntilSeen);
        pool[3].IsDown = true;
        _world.Run(UntilSeen);

        pool[3].HasLeft.ShouldBeTrue();
        pool.Take(3).ShouldAllBe(peer => peer.StatusOf("m3") == SerfStatus.Left);
        pool[0].Changes.ShouldContain("Left m3");
        pool[0].Changes.ShouldNotContain("Failed m3");
    }

    [Fact]
    public void A_member_alone_leaves_too()
    {
        var alone = _world.Add("alone");

        alone.Leave();
        _world.Run(UntilSeen);

        alone.HasLeft.ShouldBeTrue();
    }

    [Fact]
    public void Who_falls_silent_has_failed_and_comes_back_by_itself()
    {
        var pool = Pool(4);

        pool[2].IsDown = true;
        _world.Run(UntilSeen);
        pool[0].StatusOf("m2").ShouldBe(SerfStatus.Failed);

        pool[2].IsDown = false;
        _world.Arm(pool[2]);
        _world.Run(TimeSpan.FromMinutes(5));
        pool[0].StatusOf("m2").ShouldBe(SerfStatus.Alive);
    }

    [Fact]
    public void A_failed_member_can_be_declared_as_left()
    {
        var pool = Pool(4);
        pool[2].IsDown = true;
        _world.Run(UntilSeen);

        pool[0].Core.ForceLeave("m2", prune: false, _world.Now).ShouldBeTrue();
        _world.Arm(pool[0]);
        _world.Run(Moment);

        pool[1].StatusOf("m2").ShouldBe(SerfStatus.Left);
        pool[3].StatusOf("m2").ShouldBe(SerfStatus.Left);
    }

    [Fact]
    public void A_pruned_member_is_forgotten_by_everybody()
    {
        var pool = Pool(4);
        pool[2].IsDown = true;
        _world.Run(UntilSeen);

        pool[0].Core.ForceLeave("m2", prune: true, _world.Now);
        _world.Arm(pool[0]);
        _world.Run(Moment);

        pool[1].StatusOf("m2").ShouldBe(SerfStatus.None);
        pool[1].Changes.ShouldContain("Reaped m2");
    }

    [Fact]
    public void A_living_member_that_is_declared_as_left_says_otherwise()
    {
        var pool = Pool(4);

        pool[0].Core.ForceLeave("m2", prune: false, _world.Now);
        _world.Arm(pool[0]);
        _world.Run(UntilSeen);

        pool.ShouldAllBe(peer => peer.StatusOf("m2") == SerfStatus.Alive);
    }

    [Fact]
    public void Nobody_is_told_to_force_out_a_stranger()
    {
        var pool = Pool(2);

        pool[0].Core.ForceLeave("nobody", prune: false, _world.Now).ShouldBeFalse();
    }

    [Fact]
    public void A_failed_member_is_forgotten_when_its_time_is_over()
    {
        var pool = Pool(3, config => config with { ReconnectTimeout = TimeSpan.FromMinutes(2) });
        pool[2].IsDown = true;

        _world.Run(TimeSpan.FromMinutes(4));

        pool[0].StatusOf("m2").ShouldBe(SerfStatus.None);
        pool[0].Changes.ShouldContain("Reaped m2");
    }

    [Fact]
    public void A_failed_member_is_forgotten_when_the_time_that_it_wanted_is_over()
    {
        var pool = Pool(3, static config => config with
        {
            ReconnectTimeoutOf = static tags => tags["name"] == "m2" ? TimeSpan.FromMinutes(2) : null,
        });
        pool[1].IsDown = true;
        pool[2].IsDown = true;

        _world.Run(TimeSpan.FromMinutes(4));

        pool[0].StatusOf("m1").ShouldBe(SerfStatus.Failed);
        pool[0].StatusOf("m2").ShouldBe(SerfStatus.None);
    }

    [Fact]
    public void An_event_reaches_everybody_once()
    {
        var pool = Pool(8);

        pool[3].Fire("deploy", "1.2.3").ShouldBeNull();
        _world.Run(UntilSeen);

        pool.ShouldAllBe(peer => peer.Events.Count(name => name == "deploy") == 1);
    }

    [Fact]
    public void Two_events_that_are_alike_are_two_events()
    {
        var pool = Pool(3);

        pool[0].Fire("tick");
        pool[0].Fire("tick");
        _world.Run(Moment);

        pool[2].Events.Count.ShouldBe(2);
    }

    [Fact]
    public void An_event_that_does_not_fit_a_packet_is_refused()
    {
        var pool = Pool(2);

        pool[0].Fire("big", new string('x', 600)).ShouldBe("encoded user event exceeds limit of 512 bytes");
    }

    [Fact]
    public void Who_joins_later_does_not_hear_of_old_events()
    {
        var pool = Pool(3);
        pool[0].Fire("old");
        _world.Run(Moment);

        var late = _world.Add("late");
        late.Join(pool[0]);
        _world.Run(UntilSeen);
        pool[0].Fire("new");
        _world.Run(UntilSeen);

        late.Events.ShouldBe(["new"]);
    }

    [Fact]
    public void A_query_is_acknowledged_and_answered_by_everybody()
    {
        var pool = Pool(5);
        pool.ForEach(static peer => peer.AnswersQueries = true);

        var ear = pool[1].Ask(new QueryRequest("load", default) { WantsAcks = true });
        _world.Run(UntilSeen);

        ear.Problem.ShouldBeNull();
        ear.Acks.Order().ShouldBe(["m0", "m1", "m2", "m3", "m4"]);
        ear.Answers.Order().ShouldBe(["m0", "m1", "m2", "m3", "m4"]);
        ear.HasEnded.ShouldBeTrue();
    }

    [Fact]
    public void A_query_for_some_members_is_answered_by_those()
    {
        var pool = Pool(5);
        pool.ForEach(static peer => peer.AnswersQueries = true);

        var byName = pool[1].Ask(new QueryRequest("load", default) { Nodes = ["m2", "m4"] });
        var byTag = pool[1].Ask(new QueryRequest("load", default)
        {
            Tags = new Dictionary<string, string>(StringComparer.Ordinal) { ["name"] = "m[03]" },
        });
        _world.Run(UntilSeen);

        byName.Answers.Order().ShouldBe(["m2", "m4"]);
        byTag.Answers.Order().ShouldBe(["m0", "m3"]);
    }

    [Fact]
    public void Relayed_answers_count_once()
    {
        var pool = Pool(5);
        pool.ForEach(static peer => peer.AnswersQueries = true);

        var ear = pool[0].Ask(new QueryRequest("load", default) { RelayFactor = 3 });
        _world.Run(UntilSeen);

        ear.Answers.Order().ShouldBe(["m0", "m1", "m2", "m3", "m4"]);
    }

    [Theory]
    [InlineData("")]
    [InlineData("m1")]
    [InlineData("stranger")]
    public void Nobody_has_members_relay_or_answer_to_an_address_that_is_no_members(string claimed)
    {
        var pool = Pool(4);
        pool.ForEach(static peer => peer.AnswersQueries = true);
        var relay = SerfCodec.Encode(new Relay(Victim, claimed, new byte[500]));
        var query = SerfCodec.Encode(new Query(
            pool[0].Core.Clocks.Queries, 7, Victim, claimed, [], QueryFlags.Ack, RelayFactor: 3,
            TimeSpan.FromSeconds(10), "load", default));

        pool[0].Core.Receive(new Gossip.Wire.UserMessage(relay), pool[1].Address, _world.Now);
        pool[0].Core.Receive(new Gossip.Wire.UserMessage(query), pool[1].Address, _world.Now);
        _world.Arm(pool[0]);
        _world.Run(UntilSeen);

        pool[3].Queries.Count.ShouldBe(1);
        _world.Strays.ShouldBeEmpty();
    }

    [Fact]
    public void An_answer_that_comes_too_late_is_refused()
    {
        var pool = Pool(2);
        pool[0].Ask(new QueryRequest("slow", default) { Timeout = TimeSpan.FromSeconds(1) });
        _world.Run(UntilSeen);

        pool[1].Core.Answer(pool[1].Queries[0], default, _world.Now).ShouldNotBeNull();
    }

    [Fact]
    public void A_key_is_installed_used_and_removed_on_all_members_by_queries()
    {
        var old = GossipKey.Generate();
        var next = GossipKey.Generate();
        var rings = Enumerable.Range(0, 3).Select(_ => new KeyringInTest(old)).ToList();
        var pool = Pool(3, keys: index => rings[index]);

        foreach (var (query, key) in (ReadOnlySpan<(string, GossipKey)>)
            [(InternalQueries.InstallKey, next), (InternalQueries.UseKey, next), (InternalQueries.RemoveKey, old)])
        {
            var payload = SerfCodec.Encode(new KeyRequest(key.Bytes.ToArray()));
            pool[0].Ask(new QueryRequest(query, payload)).Problem.ShouldBeNull();
            _world.Run(UntilSeen);
        }

        rings.ShouldAllBe(ring => ring.Keys.Count == 1 && ring.Keys[0] == next.ToBase64());
    }

    [Fact]
    public void A_time_that_is_beyond_belief_does_not_stop_the_clocks()
    {
        var pool = Pool(3);

        pool[0].Core.Receive(
            new Gossip.Wire.UserMessage(SerfCodec.Encode(new LeaveIntent(ulong.MaxValue, "m1", Prune: false))),
            pool[2].Address, _world.Now);
        _world.Arm(pool[0]);
        _world.Run(Moment);

        pool[0].StatusOf("m1").ShouldBe(SerfStatus.Alive);
        pool[0].Core.Clocks.Members.ShouldBeLessThan(1000UL);
    }

    [Fact]
    public void A_message_too_large_to_be_passed_on_is_dropped()
    {
        var pool = Pool(2);
        var huge = SerfCodec.Encode(new UserEvent(1, "huge", new byte[65_000], CanCoalesce: false));

        pool[0].Core.Receive(new Gossip.Wire.UserMessage(huge), pool[1].Address, _world.Now);
        _world.Run(Moment);

        pool[0].Events.ShouldBeEmpty();
        pool[0].Core.Queued.ShouldBe((0, 0, 0));
    }

    [Fact]
    public void Strange_bytes_change_nothing()
    {
        var pool = Pool(2);
        var random = new Random(7);
        for (var i = 0; i < 10_000; i++)
        {
            var bytes = new byte[random.Next(200)];
            random.NextBytes(bytes);
            pool[0].Core.Receive(new Gossip.Wire.UserMessage(bytes), pool[1].Address, _world.Now);
        }

        _world.Run(Moment);
        pool[0].Core.Members().Count.ShouldBe(2);
        pool[0].StatusOf("m1").ShouldBe(SerfStatus.Alive);
    }

    public void Dispose() => _world.Dispose();

    private List<SerfPeer> Pool(
        int size, Func<SerfConfig, SerfConfig>? change = null, Func<int, ISerfKeyring>? keys = null)
    {
        var pool = Enumerable.Range(0, size)
            .Select(index => _world.Add("m" + index, change, keys?.Invoke(index))).ToList();
        pool.Skip(1).ToList().ForEach(peer => peer.Join(pool[0]));
        _world.Run(UntilSeen);
        return pool;
    }

    private sealed class KeyringInTest(GossipKey key) : ISerfKeyring
    {
        private readonly Keyring _ring = new(key);

        public IReadOnlyList<string> Keys => [.. _ring.Keys.Select(static one => one.ToBase64())];

        public string? Install(ReadOnlySpan<byte> bytes) => _ring.TryInstall(Of(bytes), out var why) ? null : why;

        public string? Use(ReadOnlySpan<byte> bytes) => _ring.TryUse(Of(bytes), out var why) ? null : why;

        public string? Remove(ReadOnlySpan<byte> bytes) => _ring.TryRemove(Of(bytes), out var why) ? null : why;

        private static GossipKey Of(ReadOnlySpan<byte> bytes) =>
            GossipKey.TryCreate(bytes, out var key, out var problem)
                ? key
                : throw new InvalidOperationException(problem);
    }
}
