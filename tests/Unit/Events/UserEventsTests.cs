using System.Text;
using Microsoft.Extensions.Logging.Abstractions;
using Praetor.Agent.Events;
using Praetor.Server.Model;
using Shouldly;
using Xunit;

namespace Unit.Events;

public sealed class UserEventsTests
{
    private readonly UserEvents _events;

    public UserEventsTests()
    {
        UserEvents? events = null;
        var broadcaster = new LoneBroadcaster(() => events!.Deliver);
        ServiceRecord[] services =
            [new ServiceRecord { Node = "lab", Id = "web-1", Name = "web", Tags = ["canary", "v2"] }];
        _events = events = new UserEvents(
            new UserEventSurroundings("lab", () => services, broadcaster), NullLogger.Instance);
    }

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_fired_event_comes_back_with_an_id_and_a_time()
    {
        var fired = await FireAsync(new UserEvent { Name = "deploy", Payload = "1.2.3"u8.ToArray() });

        var came = _events.Recent.ShouldHaveSingleItem();
        came.Id.ShouldBe(fired.Id);
        Encoding.UTF8.GetString(came.Payload.Span).ShouldBe("1.2.3");
        came.LamportTime.ShouldBe(2UL);
        fired.LamportTime.ShouldBe(0UL, "who fires does not know it yet");
    }

    [Theory]
    [InlineData("", "", "", true)]
    [InlineData("^la", "", "", true)]
    [InlineData("^db", "", "", false)]
    [InlineData("", "^web-1$", "", true)]
    [InlineData("", "^web$", "", false)]
    [InlineData("", "web", "^canary$", true)]
    [InlineData("", "web", "blue", false)]
    [InlineData("lab", "db", "", false)]
    public async Task An_event_is_for_those_whom_all_filters_match(
        string node, string service, string tag, bool isMeant)
    {
        await FireAsync(new UserEvent { Name = "x", NodeFilter = node, ServiceFilter = service, TagFilter = tag });

        _events.Recent.Count.ShouldBe(isMeant ? 1 : 0);
    }

    [Theory]
    [InlineData("", "", "", "User event missing name")]
    [InlineData("x", "", "a", "Cannot provide tag filter without service filter")]
    [InlineData("x", "(", "", "Invalid service filter: error parsing regexp: missing closing ): `(`")]
    public async Task A_wrong_event_is_refused_in_the_words_that_clients_know(
        string name, string service, string tag, string text)
    {
        var outcome = await _events.FireAsync(
            new UserEvent { Name = name, ServiceFilter = service, TagFilter = tag }, Stop);

        outcome.Refusal.ShouldNotBeNull().Text.ShouldBe(text);
        outcome.Refusal!.Status.ShouldBe(500);
    }

    [Theory]
    [InlineData(410, true)]
    [InlineData(415, false)]
    public async Task As_much_fits_into_an_event_as_with_the_real_one(int bytes, bool fits)
    {
        var outcome = await _events.FireAsync(new UserEvent { Name = "x", Payload = new byte[bytes] }, Stop);

        (outcome.Refusal is null).ShouldBe(fits);
        (outcome.Refusal?.Status ?? 413).ShouldBe(413);
    }

    [Fact]
    public async Task Only_the_last_ones_are_kept_in_their_order()
    {
        for (var i = 0; i < UserEvents.KeptMax + 10; i++)
        {
            await FireAsync(new UserEvent { Name = $"e{i}" });
        }

        _events.Recent.Count.ShouldBe(UserEvents.KeptMax);
        _events.Recent[0].Name.ShouldBe("e10");
        _events.Recent[^1].Name.ShouldBe($"e{UserEvents.KeptMax + 9}");
    }

    [Fact]
    public async Task Who_waits_is_told_of_the_next()
    {
        var next = _events.Next;
        next.IsCompleted.ShouldBeFalse();

        await FireAsync(new UserEvent { Name = "x" });

        await next.WaitAsync(Stop);
    }

    [Fact]
    public async Task Word_of_a_command_to_run_is_not_for_readers()
    {
        UserEvent? asked = null;
        _events.RemoteExecAsked += e => asked = e;

        await FireAsync(new UserEvent { Name = UserEvents.RemoteExecName });

        asked.ShouldNotBeNull();
        _events.Recent.ShouldBeEmpty();
    }

    [Fact]
    public void The_index_is_made_of_the_id_as_clients_make_it() =>
        new UserEvent { Name = "x", Id = "221b602f-5af6-d73d-4f57-a5eeaa4a0599" }.Index
            .ShouldBe(7875887285122421412UL);

    [Fact]
    public void An_event_of_another_implementation_is_read_whatever_its_forms()
    {
        // A map of five: str8, bin8, a member that nobody knows (a list with a map), a number of four bytes.
        byte[] bytes =
        [
            0x85, 0xa1, (byte)'n', 0xd9, 2, (byte)'u', (byte)'p', 0xa1, (byte)'p', 0xc4, 1, 7,
            0xa2, (byte)'z', (byte)'z', 0x92, 0x81, 0xa1, (byte)'a', 0xc0, 0xcb, 0, 0, 0, 0, 0, 0, 0, 0,
            0xa1, (byte)'v', 0xd2, 0, 0, 0, 1, 0xa2, (byte)'I', (byte)'D', 0xa1, (byte)'i',
        ];

        var read = UserEventCodec.Decode(bytes, 9).ShouldNotBeNull();

        (read.Name, read.Version, read.Id, read.LamportTime).ShouldBe(("up", 1, "i", 9UL));
        read.Payload.ToArray().ShouldBe([7]);
    }

    [Fact]
    public void Bytes_from_outside_never_throw()
    {
        var random = new Random(5);
        var good = UserEventCodec.Encode(new UserEvent
        {
            Name = "deploy",
            Id = Guid.Empty.ToString(),
            Payload = new byte[100],
            ServiceFilter = "web",
            TagFilter = "a",
        });
        for (var i = 0; i < 20_000; i++)
        {
            var bad = good[..random.Next(good.Length + 1)];
            for (var j = random.Next(4); j > 0 && bad.Length > 0; j--)
            {
                bad[random.Next(bad.Length)] = (byte)random.Next(256);
            }

            _events.Deliver(UserEvents.WirePrefix + "deploy", bad, 1);
        }

        _events.Deliver("consul:new-leader", [1, 2, 3], 1).ShouldBeFalse();
        UserEventCodec.Decode(good, 1).ShouldNotBeNull();
    }

    private async Task<UserEvent> FireAsync(UserEvent wanted)
    {
        var outcome = await _events.FireAsync(wanted, Stop);
        outcome.Refusal.ShouldBeNull();
        return outcome.Value;
    }
}
