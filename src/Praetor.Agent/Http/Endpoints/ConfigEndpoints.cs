using System.Globalization;
using System.Text.Json.Nodes;
using Languages.Filters;
using Praetor.Server.ConfigEntries;
using Praetor.Server.Model;
using Praetor.Server.Queries;
using Praetor.Server.State;

namespace Praetor.Agent.Http.Endpoints;

/// <summary>/v1/config: configuration entries by kind and name.</summary>
/// <remarks>Each kind has rights of its own (service, intention, operator); until the rules are asked per kind, the
/// strictest stands for all.</remarks>
internal sealed class ConfigEndpoints(StateStore store)
{
    // An entry with thousands of sources; Consul's limit is that of its log.
    private const int EntryBytesMax = 512 * 1024;

    private static readonly FilterFields<Listed> Fields = new FilterFields<Listed>()
        .Text("Kind", static l => l.Entry.Kind)
        .Text("Name", static l => l.Entry.Name)
        .Text("Protocol", static l => Text(l.Entry.Body["Protocol"]))
        .TextMap("Meta", static l => MetaOf(l.Entry))
        .Unsigned("CreateIndex", static l => l.Record.CreateIndex)
        .Unsigned("ModifyIndex", static l => l.Record.ModifyIndex);

    public void AddTo(RouteTable routes)
    {
        routes.Add(new Route
        {
            Method = "PUT",
            Pattern = "/v1/config",
            Acl = RouteRows.OperatorWrite,
            Handle = PutAsync,
            BodyMax = EntryBytesMax,
            Description = "Puts a configuration entry, on condition (cas); answers whether it did.",
        });
        routes.Add(new Route
        {
            Method = "GET",
            Pattern = "/v1/config/{kind}",
            Acl = RouteRows.OperatorRead,
            Read = List,
            IgnoresEqual = true,
            Description = "All configuration entries of a kind; of all kinds for none.",
        });
        routes.Handle("DELETE", "/v1/config/{kind}", RouteRows.OperatorWrite,
            static _ => ValueTask.FromResult(Reply.Text(404, "Must provide both a kind and name to delete")),
            "Refused: a name is needed.");
        routes.Read("/v1/config/{kind}/{name*}", RouteRows.OperatorRead, Get, "A configuration entry.");
        routes.Handle("DELETE", "/v1/config/{kind}/{name*}", RouteRows.OperatorWrite, DeleteAsync,
            "Deletes a configuration entry, on condition (cas).");
    }

    private static QueryAnswer List(ApiRequest request, ReadView view)
    {
        var kind = request.PathValues[0];
        if (kind.Length > 0 && !ConfigKinds.IsKnown(kind))
        {
            return RouteRows.Text(view, 500, ConfigKinds.Unknown(kind));
        }

        var filter = Filter<Listed>.Parse(request.Query["filter"], Fields);
        if (filter.Error is { } error)
        {
            return RouteRows.BadFilter(view, error);
        }

        var entries = ConfigQueries.List(view, kind).Select(static r => new Listed(r, ConfigEntry.FromStorage(r.Json)));
        return RouteRows.List(request, view, filter.Value!.Apply(entries), static (json, listed) =>
            listed.Entry.WriteAnswer(json, listed.Record.CreateIndex, listed.Record.ModifyIndex));
    }

    private static QueryAnswer Get(ApiRequest request, ReadView view)
    {
        var (kind, name) = (request.PathValues[0], request.PathValues[1]);
        if (!ConfigKinds.IsKnown(kind))
        {
            return RouteRows.Text(view, 500, ConfigKinds.Unknown(kind));
        }

        return ConfigQueries.Get(view, kind, name) is { } record
            ? RouteRows.Json(request, view, json =>
                ConfigEntry.FromStorage(record.Json).WriteAnswer(json, record.CreateIndex, record.ModifyIndex))
            : RouteRows.Text(view, 404, ConfigKinds.NotFound(kind, name));
    }

    private async ValueTask<Reply> PutAsync(ApiRequest request)
    {
        if (!TryCas(request.Query, out var cas, out var problem))
        {
            return problem;
        }

        return ConfigEntryReader.TryRead(request.Body, out var entry, out var refusal)
            ? Reply.Of(await store.SubmitAsync(new PutConfigEntry(entry, cas)))
            : Reply.Refused(refusal);
    }

    private async ValueTask<Reply> DeleteAsync(ApiRequest request)
    {
        var (kind, name) = (request.PathValues[0], request.PathValues[1]);
        if (name.Length == 0)
        {
            return Reply.Text(404, "Must provide both a kind and name to delete");
        }

        if (!ConfigKinds.IsKnown(kind))
        {
            return Reply.BadRequest(ConfigKinds.Unknown(kind));
        }

        if (!TryCas(request.Query, out var cas, out var problem))
        {
            return problem;
        }

        var outcome = await store.SubmitAsync(new DeleteConfigEntry(kind, name, cas));
        return cas is not null || outcome.Refusal is not null
            ? Reply.Of(outcome)
            : Reply.Json(request.Pretty, static json =>
            {
                json.WriteStartObject();
                json.WriteEndObject();
            });
    }

    private static bool TryCas(QueryParameters query, out ulong? cas, out Reply problem)
    {
        cas = null;
        problem = Reply.Ok;
        var text = query["cas"];
        if (text.Length == 0)
        {
            return true;
        }

        if (ulong.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var index))
        {
            cas = index;
            return true;
        }

        problem = Reply.Text(500, $"strconv.ParseUint: parsing \"{text}\": invalid syntax");
        return false;
    }

    private static string Text(JsonNode? node) =>
        node is JsonValue value && value.TryGetValue<string>(out var text) ? text : "";

    private static Dictionary<string, string> MetaOf(ConfigEntry entry) =>
        (entry.Body["Meta"] as JsonObject ?? []).ToDictionary(
            static p => p.Key, static p => Text(p.Value), StringComparer.Ordinal);

    private sealed record Listed(ConfigEntryRecord Record, ConfigEntry Entry);
}
