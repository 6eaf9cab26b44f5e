using System.Text.Json;
using Languages;
using Praetor.Agent.Http.Json;
using Praetor.Server.Model;
using Praetor.Server.Queries;
using Praetor.Server.Sessions;
using Praetor.Server.State;

namespace Praetor.Agent.Http.Endpoints;

/// <summary>/v1/session: who may hold keys.</summary>
/// <param name="store">The state.</param>
/// <param name="timers">Told of renewals.</param>
/// <param name="node">This agent's node, for sessions that name none.</param>
/// <param name="ttlMin">The shortest TTL.</param>
internal sealed class SessionEndpoints(StateStore store, SessionTimers timers, string node, TimeSpan ttlMin)
{
    private const string MissingSession = "Missing session";

    public void AddTo(RouteTable routes)
    {
        routes.Handle("PUT", "/v1/session/create", RouteRows.SessionWrite, CreateAsync, "Makes a session.");
        routes.Handle(
            "PUT", "/v1/session/destroy/{session*}", RouteRows.SessionWrite, DestroyAsync,
            "Ends a session; its keys are released or deleted.");
        routes.Handle(
            "PUT", "/v1/session/renew/{session*}", RouteRows.SessionWrite, RenewAsync,
            "Keeps a session with a TTL alive.");
        routes.Read("/v1/session/info/{session*}", RouteRows.SessionRead, Info, "A session, in a list.");
        routes.Read("/v1/session/node/{node*}", RouteRows.SessionRead, OfNode, "The sessions of a node.");
        routes.Read("/v1/session/list", RouteRows.SessionRead, List, "All sessions.");
    }

    private static QueryAnswer List(ApiRequest request, ReadView view) =>
        RouteRows.List(request, view, SessionQueries.All(view), SessionJson.Write);

    private static QueryAnswer OfNode(ApiRequest request, ReadView view) => request.Name.Length == 0
        ? RouteRows.Text(view, 400, "Missing node name")
        : RouteRows.List(request, view, SessionQueries.On(view, request.Name), SessionJson.Write);

    private static QueryAnswer Info(ApiRequest request, ReadView view)
    {
        if (request.Name.Length == 0)
        {
            return RouteRows.Text(view, 400, MissingSession);
        }

        if (!SessionId.TryRead(request.Name, out var id, out var problem))
        {
            return RouteRows.Text(view, 500, problem);
        }

        IEnumerable<SessionRecord> found = SessionQueries.Get(view, id) is { } session ? [session] : [];
        return RouteRows.List(request, view, found, SessionJson.Write);
    }

    private async ValueTask<Reply> CreateAsync(ApiRequest request)
    {
        // Who passed it on first is the agent that was asked, and its node is meant.
        var asked = request.Trail.Hops is [var first, ..] && first.Node is { Length: > 0 } name ? name : node;
        var session = SessionJson.Read(request.Body, asked, Guid.NewGuid().ToString("D"), out var unreadable);
        if (session is null)
        {
            return Reply.BadRequest($"Request decode failed: {unreadable}");
        }

        if (SessionRules.Problem(session, ttlMin) is { } problem)
        {
            return Reply.Text(500, problem);
        }

        var outcome = await store.SubmitAsync(new CreateSession(session));
        return outcome.Refusal is { } refusal
            ? Reply.Refused(refusal)
            : Reply.Json(request.Pretty, json =>
            {
                json.WriteStartObject();
                json.WriteString("ID", outcome.Value.Id);
                json.WriteEndObject();
            });
    }

    private async ValueTask<Reply> DestroyAsync(ApiRequest request) => request.Name.Length == 0
        ? Reply.BadRequest(MissingSession)
        : SessionId.TryRead(request.Name, out var id, out var problem)
        ? Reply.Of(await store.SubmitAsync(new EndSessions([id])))
        : Reply.Text(500, problem);

    private ValueTask<Reply> RenewAsync(ApiRequest request) => ValueTask.FromResult(Renew(request));

    private Reply Renew(ApiRequest request)
    {
        if (request.Name.Length == 0)
        {
            return Reply.BadRequest(MissingSession);
        }

        if (!SessionId.TryRead(request.Name, out var id, out var problem))
        {
            return Reply.Text(500, problem);
        }

        var session = SessionQueries.Peek(new ReadView(store.Current, tracks: false), id);
        return session is null || !timers.Renew(session)
            ? Reply.Text(404, $"Session id '{request.Name}' not found")
            : Reply.Json(request.Pretty, json =>
            {
                json.WriteStartArray();
                SessionJson.Write(json, session);
                json.WriteEndArray();
            });
    }
}
