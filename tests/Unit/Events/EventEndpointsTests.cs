using System.Text;
using Microsoft.Extensions.Logging.Abstractions;
using Praetor.Agent.Events;
using Praetor.Agent.Http;
using Praetor.Agent.Http.Endpoints;
using Shouldly;
using Support;
using Xunit;

namespace Unit.Events;

public sealed class EventEndpointsTests
{
    private const int Seed = 3;

    private readonly ManualTime _time = new();
    private readonly RouteTable _routes = new();

    public EventEndpointsTests()
    {
        UserEvents? events = null;
        events = new UserEvents(
            new UserEventSurroundings("lab", static () => [], new LoneBroadcaster(() => events!.Deliver)),
            NullLogger.Instance);
        new EventEndpoints(events, WaitLimits.Usual, _time, new Random(Seed)).AddTo(_routes);
    }

    [Fact]
    public async Task A_list_of_nothing_has_an_index_that_can_be_waited_with()
    {
        var reply = await AskAsync("GET", "/v1/event/list");

        Text(reply).ShouldBe("[]");
        IndexOf(reply).ShouldBe("1");
    }

    [Fact]
    public async Task A_reader_waits_for_the_next_event_of_its_name()
    {
        await AskAsync("PUT", "/v1/event/fire/deploy", "one");
        var first = await AskAsync("GET", "/v1/event/list?name=deploy");

        var waiting = AskAsync("GET", $"/v1/event/list?name=deploy&index={IndexOf(first)}").AsTask();
        await AskAsync("PUT", "/v1/event/fire/other");
        waiting.IsCompleted.ShouldBeFalse();
        await AskAsync("PUT", "/v1/event/fire/deploy", "two");

        var second = await waiting;
        IndexOf(second).ShouldNotBe(IndexOf(first));
        Text(second).ShouldContain("\"Payload\":\"dHdv\"");
        Text(second).ShouldNotContain("other");
    }

    [Fact]
    public async Task A_reader_who_waits_in_vain_gets_what_it_knows()
    {
        var waiting = AskAsync("GET", "/v1/event/list?index=1&wait=10s").AsTask();
        waiting.IsCompleted.ShouldBeFalse();
        _time.Advance(TimeSpan.FromSeconds(11));

        Text(await waiting).ShouldBe("[]");
    }

    [Fact]
    public async Task An_event_without_payload_says_null()
    {
        var fired = Text(await AskAsync("PUT", "/v1/event/fire/a%2Fb"));

        fired.ShouldEndWith("""
            "Name":"a/b","Payload":null,"NodeFilter":"","ServiceFilter":"","TagFilter":"","Version":1,"LTime":0}
            """);
    }

    [Fact]
    public async Task An_event_without_name_is_refused()
    {
        var reply = await AskAsync("PUT", "/v1/event/fire/");

        (reply.Status, Text(reply)).ShouldBe((400, "Missing name"));
    }

    private static string Text(Reply reply) => Encoding.UTF8.GetString(reply.Body);

    private static string IndexOf(Reply reply) => reply.Headers!.Single(static h => h.Key == "X-Consul-Index").Value;

    private ValueTask<Reply> AskAsync(string method, string target, string body = "")
    {
        var question = target.IndexOf('?');
        var path = question < 0 ? target : target[..question];
        var match = _routes.Find(path).ShouldNotBeNull();
        return match.Methods[method].Handle!(new ApiRequest
        {
            Method = method,
            Target = target,
            Path = path,
            PathValues = match.Values,
            Query = question < 0 ? QueryParameters.None : QueryParameters.Parse(target.AsSpan(question + 1)),
            Body = Encoding.UTF8.GetBytes(body),
            Aborted = TestContext.Current.CancellationToken,
        });
    }
}
