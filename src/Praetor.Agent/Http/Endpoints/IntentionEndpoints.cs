using Languages.Filters;
using Praetor.Server.Intentions;
using Praetor.Server.Queries;
using Praetor.Server.State;

namespace Praetor.Agent.Http.Endpoints;

/// <summary>/v1/connect/intentions: who may connect to whom, by id and by names.</summary>
internal sealed class IntentionEndpoints(
    StateStore store, IntentionBooks books, DefaultPolicy byDefault, TimeProvider time)
{
    private const string Base = "/v1/connect/intentions";

    private static readonly FilterFields<Intention> Fields = new FilterFields<Intention>()
        .Text("ID", static i => i.Id)
        .Text("Description", static i => i.Description)
        .Text("SourceNS", static i => i.SourceNamespace)
        .Text("SourceName", static i => i.SourceName)
        .Text("SourcePeer", static i => i.SourcePeer)
        .Text("SourceSamenessGroup", static i => i.SourceSamenessGroup)
        .Text("DestinationNS", static i => i.DestinationNamespace)
        .Text("DestinationName", static i => i.DestinationName)
        .Text("SourceType", static i => i.SourceType)
        .Text("Action", static i => i.Action)
        .TextMap("Meta", static i => i.Meta)
        .Whole("Precedence", static i => i.Precedence);

    public void AddTo(RouteTable routes)
    {
        routes.Read(Base, RouteRows.IntentionRead, All, "All intentions in order of precedence.");
        routes.Handle("POST", Base, RouteRows.IntentionWrite, CreateAsync, "Makes an intention; answers its id.");
        routes.Add(new Route
        {
            Method = "GET",
            Pattern = Base + "/match",
            Acl = RouteRows.IntentionRead,
            Read = Match,
            IgnoresEqual = true,
            Description = "The intentions that decide about a source or a destination (by, name), in order.",
        });
        routes.Handle("GET", Base + "/check", RouteRows.IntentionRead,
            request => ValueTask.FromResult(Check(request)),
            "Whether a source may connect to a destination.");
        routes.Read(Base + "/exact", RouteRows.IntentionRead, Exact, "The intention of a source and a destination.");
        routes.Handle("PUT", Base + "/exact", RouteRows.IntentionWrite, UpsertAsync,
            "Makes or changes the intention of a source and a destination.");
        routes.Handle("DELETE", Base + "/exact", RouteRows.IntentionWrite, DeleteExactAsync,
            "Deletes the intention of a source and a destination.");
        routes.Read(Base + "/{id}", RouteRows.IntentionRead, ById, "The intention with an id.");
        routes.Handle("PUT", Base + "/{id}", RouteRows.IntentionWrite, UpdateAsync,
            "Changes the intention with an id.");
        routes.Handle("DELETE", Base + "/{id}", RouteRows.IntentionWrite, DeleteAsync,
            "Deletes the intention with an id.");
    }

    private QueryAnswer All(ApiRequest request, ReadView view)
    {
        var filter = Filter<Intention>.Parse(request.Query["filter"], Fields);
        return filter.Error is { } error
            ? RouteRows.BadFilter(view, error)
            : RouteRows.List(request, view, filter.Value!.Apply(books.Of(view).All), IntentionJson.Write);
    }

    private QueryAnswer ById(ApiRequest request, ReadView view) =>
        IntentionEditor.TryFind(books.Of(view), request.Name, out var intention, out var refusal)
            ? RouteRows.Json(request, view, json => IntentionJson.Write(json, intention))
            : RouteRows.Text(view, refusal.Status, refusal.Text);

    private QueryAnswer Match(ApiRequest request, ReadView view)
    {
        var by = request.Query["by"];
        var names = request.Query.All("name").ToList();
        var problem = by.Length == 0 ? Missing("by")
            : by is not ("source" or "destination") ? "'by' parameter must be one of 'source' or 'destination'"
            : names.Count == 0 ? Missing("name")
            : null;
        if (problem is not null)
        {
            return RouteRows.Text(view, 500, problem);
        }

        var book = books.Of(view);
        var matches = new List<(string Name, IReadOnlyList<Intention> Matches)>(names.Count);
        foreach (var text in names)
        {
            if (!IntentionName.TryParse(text, allowsPartition: false, out var name, out var wrong))
            {
                return RouteRows.Text(view, 500, wrong);
            }

            matches.Add((text, by == "source" ? book.MatchSource(name) : MatchDestination(book, name)));
        }

        return RouteRows.Json(request, view, json => IntentionJson.WriteMatch(json, matches));
    }

    private static IReadOnlyList<Intention> MatchDestination(IntentionBook book, IntentionName name) =>
        name.Namespace is Intention.DefaultNamespace or Intention.Wildcard ? book.MatchDestination(name.Name) : [];

    private Reply Check(ApiRequest request)
    {
        var query = request.Query;
        if (!TryOne(query, "source", out var from) || !TryOne(query, "destination", out var to))
        {
            return Reply.Text(500, Missing(from.Length == 0 ? "source" : "destination"));
        }

        if (query["source-type"] is { Length: > 0 } type && type != "consul")
        {
            return Reply.Text(500, $"unsupported SourceType: \"{type}\"");
        }

        if (!IntentionName.TryParse(from, allowsPartition: false, out var source, out var problem)
            || !IntentionName.TryParse(to, allowsPartition: false, out var destination, out problem))
        {
            return Reply.Text(500, problem);
        }

        var book = books.Of(new ReadView(store.Current, tracks: false));
        var decision = book.Decide(source, destination.Name, byDefault);
        return Reply.Json(request.Pretty, json =>
        {
            json.WriteStartObject();
            json.WriteBoolean("Allowed", decision.Allowed);
            json.WriteEndObject();
        });
    }

    private QueryAnswer Exact(ApiRequest request, ReadView view)
    {
        if (!TryPair(request.Query, out var source, out var destination, out var problem))
        {
            return RouteRows.Text(view, 400, problem);
        }

        var intention = destination.Namespace == Intention.DefaultNamespace
            ? books.Of(view).FindExact(source, destination.Name)
            : null;
        return intention is null
            ? RouteRows.Text(view, 404, IntentionEditor.NotFound)
            : RouteRows.Json(request, view, json => IntentionJson.Write(json, intention));
    }

    private async ValueTask<Reply> CreateAsync(ApiRequest request)
    {
        if (!IntentionJson.TryRead(request.Body, out var given, out var unreadable))
        {
            // As in Consul this one is a failure, where the others are bad requests.
            return Reply.Text(500, $"Failed to decode request body: {unreadable}");
        }

        var id = Guid.NewGuid().ToString("D");
        return OfId(request, await store.SubmitAsync(new CreateIntention(books, given, id, time.GetUtcNow())));
    }

    private async ValueTask<Reply> UpdateAsync(ApiRequest request)
    {
        if (!IntentionJson.TryRead(request.Body, out var given, out var unreadable))
        {
            return Reply.BadRequest($"Request decode failed: {unreadable}");
        }

        var command = new UpdateIntention(books, request.Name, given, time.GetUtcNow());
        return OfId(request, await store.SubmitAsync(command));
    }

    private async ValueTask<Reply> DeleteAsync(ApiRequest request) =>
        Reply.Of(await store.SubmitAsync(new DeleteIntention(books, request.Name, time.GetUtcNow())));

    private async ValueTask<Reply> UpsertAsync(ApiRequest request)
    {
        if (!TryPair(request.Query, out var source, out var destination, out var problem))
        {
            return Reply.BadRequest(problem);
        }

        if (!IntentionJson.TryRead(request.Body, out var given, out var unreadable))
        {
            return Reply.BadRequest($"Request decode failed: {unreadable}");
        }

        given = given with { DestinationNamespace = destination.Namespace };
        var command = new UpsertIntention(books, source, destination.Name, given, time.GetUtcNow());
        return Reply.Of(await store.SubmitAsync(command));
    }

    private async ValueTask<Reply> DeleteExactAsync(ApiRequest request)
    {
        if (!TryPair(request.Query, out var source, out var destination, out var problem))
        {
            return Reply.BadRequest(problem);
        }

        if (destination.Namespace != Intention.DefaultNamespace)
        {
            return Reply.True;
        }

        var command = new DeleteExactIntention(books, source, destination.Name, time.GetUtcNow());
        return Reply.Of(await store.SubmitAsync(command));
    }

    private static Reply OfId(ApiRequest request, Outcome<string> outcome) => outcome.Refusal is { } refusal
        ? Reply.Refused(refusal)
        : Reply.Json(request.Pretty, json =>
        {
            json.WriteStartObject();
            json.WriteString("ID", outcome.Value);
            json.WriteEndObject();
        });

    private static bool TryPair(
        QueryParameters query, out IntentionName source, out IntentionName destination, out string problem)
    {
        source = destination = new IntentionName("");
        if (!TryOne(query, "source", out var from) || !TryOne(query, "destination", out var to))
        {
            problem = Missing(from.Length == 0 ? "source" : "destination");
            return false;
        }

        return IntentionName.TryParse(from, allowsPartition: true, out source, out problem)
            && IntentionName.TryParse(to, allowsPartition: true, out destination, out problem);
    }

    private static string Missing(string parameter) => $"required query parameter '{parameter}' not set";

    // Two values are none, as in Consul: which one was meant?
    private static bool TryOne(QueryParameters query, string name, out string value)
    {
        var values = query.All(name).Take(2).ToList();
        value = values.Count == 1 ? values[0] : "";
        return value.Length > 0;
    }
}
