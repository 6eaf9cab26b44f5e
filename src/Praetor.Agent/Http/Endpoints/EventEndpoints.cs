using System.Globalization;
using System.Text.Json;
using Praetor.Agent.Events;

namespace Praetor.Agent.Http.Endpoints;

/// <summary>/v1/event: events that users fire for all agents.</summary>
internal sealed class EventEndpoints(UserEvents events, WaitLimits waits, TimeProvider time, Random random)
{
    private static readonly AclRequirement EventRead = new("event", "read");
    private static readonly AclRequirement EventWrite = new("event", "write", "name");

    public void AddTo(RouteTable routes)
    {
        routes.Add(new Route
        {
            Method = "PUT",
            Pattern = "/v1/event/fire/{name*}",
            Acl = EventWrite,
            Handle = FireAsync,
            TakesBytes = true,
            BodyMax = UserEvents.FrameBytesMax,
            BodyMaxRemedy = ": gossip carries no more, the event's name and filters included",
            Description = "Fires an event for all agents, or for those that node, service and tag match.",
        });
        routes.HandleWaiting("/v1/event/list", EventRead, ListAsync,
            $"The last {UserEvents.KeptMax} events that this agent saw, or those of a name; waits for the next.");
    }

    private async ValueTask<Reply> FireAsync(ApiRequest request)
    {
        if (request.Name.Length == 0)
        {
            return Reply.BadRequest("Missing name");
        }

        var fired = await events.FireAsync(
            new UserEvent
            {
                Name = request.Name,
                Payload = request.Body,
                NodeFilter = request.Query["node"],
                ServiceFilter = request.Query["service"],
                TagFilter = request.Query["tag"],
            },
            request.Aborted);
        return fired.Refusal is { } refusal
            ? Reply.Refused(refusal)
            : Reply.Json(request.Pretty, json => Write(json, fired.Value));
    }

    private async ValueTask<Reply> ListAsync(ApiRequest request)
    {
        if (!ReadOptions.TryParse(request.Query, out var options, out var problem))
        {
            return Reply.BadRequest(problem);
        }

        var (found, index) = await FindAsync(request, options);
        return Reply
            .Json(request.Pretty, json =>
            {
                json.WriteStartArray();
                foreach (var one in found)
                {
                    Write(json, one);
                }

                json.WriteEndArray();
            })
            .With("X-Consul-Index", index.ToString(CultureInfo.InvariantCulture));
    }

    // The index does not rise, so a reader waits while it is the very one that it knows.
    private async Task<(List<UserEvent> Found, ulong Index)> FindAsync(ApiRequest request, ReadOptions options)
    {
        var name = request.Query["name"];
        using var end = new CancellationTokenSource(waits.Of(options.Wait, random), time);
        using var both = CancellationTokenSource.CreateLinkedTokenSource(end.Token, request.Aborted);
        while (true)
        {
            var next = events.Next;
            var found = events.Recent.Where(e => name.Length == 0 || e.Name == name).ToList();

            // Never 0, as that would make whoever watches ask again at once.
            var index = found.Count > 0 ? found[^1].Index : 1;
            if (options.Index == 0 || index != options.Index || both.IsCancellationRequested)
            {
                return (found, index);
            }

            await next.WaitAsync(both.Token).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }
    }

    private static void Write(Utf8JsonWriter json, UserEvent from)
    {
        json.WriteStartObject();
        json.WriteString("ID", from.Id);
        json.WriteString("Name", from.Name);
        if (from.Payload.IsEmpty)
        {
            json.WriteNull("Payload");
        }
        else
        {
            json.WriteBase64String("Payload", from.Payload.Span);
        }

        json.WriteString("NodeFilter", from.NodeFilter);
        json.WriteString("ServiceFilter", from.ServiceFilter);
        json.WriteString("TagFilter", from.TagFilter);
        json.WriteNumber("Version", from.Version);
        json.WriteNumber("LTime", from.LamportTime);
        json.WriteEndObject();
    }
}
