using System.Text.Json;
using Praetor.Server.Kv;
using Praetor.Server.Model;
using Praetor.Server.Queries;
using Praetor.Server.State;

namespace Praetor.Agent.Http.Endpoints;

/// <summary>/v1/kv: keys and values.</summary>
internal sealed class KvEndpoints(StateStore store, int valueMax)
{
    private const string Pattern = "/v1/kv/{key*}";

    public void AddTo(RouteTable routes)
    {
        routes.Add(new Route
        {
            Method = "GET",
            Pattern = Pattern,
            Acl = RouteRows.KeyRead,
            Read = Get,
            KeepsAnswer = static request => request.Query.Has("recurse") || request.Query.Has("keys"),
            Description = "A key, all keys that begin alike (recurse), or only their names (keys).",
        });
        routes.Add(new Route
        {
            Method = "PUT",
            Pattern = Pattern,
            Acl = RouteRows.KeyWrite,
            Handle = PutAsync,
            TakesBytes = true,
            BodyMax = valueMax,
            BodyMaxRemedy = ". See https://www.consul.io/docs/agent/options.html#kv_max_value_size.",
            Description = "Puts a key, on conditions (cas, acquire, release); answers whether it did.",
        });
        routes.Add(new Route
        {
            Method = "DELETE",
            Pattern = Pattern,
            Acl = RouteRows.KeyWrite,
            Handle = DeleteAsync,
            Description = "Deletes a key, or all keys that begin alike (recurse).",
        });
    }

    private static QueryAnswer Get(ApiRequest request, ReadView view)
    {
        var key = request.Name;
        var query = request.Query;
        if (query.Has("keys"))
        {
            var names = KvQueries.Keys(view, key, query["separator"]);
            return names.Count == 0 && key.Length > 0
                ? Missing(view)
                : RouteRows.List(request, view, names, static (json, name) => json.WriteStringValue(name));
        }

        if (query.Has("recurse"))
        {
            var records = KvQueries.List(view, key).ToList();
            return records.Count == 0 ? Missing(view) : RouteRows.List(request, view, records, Write);
        }

        if (key.Length == 0)
        {
            return RouteRows.Text(view, 400, "Missing key name");
        }

        var record = KvQueries.Get(view, key);
        if (record is null)
        {
            return Missing(view);
        }

        return query.Has("raw")
            ? new QueryAnswer(view.Index, 200, RawType, record.Value)
            : RouteRows.List(request, view, [record], Write);
    }

    /// <summary>The type of raw values; answers with it get a sandbox, as anybody may have put a page there.</summary>
    public const string RawType = "text/plain";

    private static QueryAnswer Missing(ReadView view) => RouteRows.Text(view, 404, "");

    internal static void Write(Utf8JsonWriter json, KvRecord record)
    {
        json.WriteStartObject();
        json.WriteNumber("LockIndex", record.LockIndex);
        json.WriteString("Key", record.Key);
        json.WriteNumber("Flags", record.Flags);
        if (record.Value.Length == 0)
        {
            json.WriteNull("Value");
        }
        else
        {
            json.WriteBase64String("Value", record.Value);
        }

        if (record.Session.Length > 0)
        {
            json.WriteString("Session", record.Session);
        }

        json.WriteNumber("CreateIndex", record.CreateIndex);
        json.WriteNumber("ModifyIndex", record.ModifyIndex);
        json.WriteEndObject();
    }

    private async ValueTask<Reply> PutAsync(ApiRequest request)
    {
        var query = request.Query;
        if (request.Name.Length == 0)
        {
            return Reply.BadRequest("Missing key name");
        }

        if (Conflict(query, "cas", "acquire", "release") is { } conflict)
        {
            return conflict;
        }

        if (!query.TryUnsigned("flags", out var flags, out var problem)
            || !query.TryUnsigned("cas", out var cas, out problem))
        {
            return Reply.Text(500, problem);
        }

        if (KvRecord.IsTooLong(request.Name))
        {
            return Reply.BadRequest($"Key is too long, max size: {KvRecord.KeyBytesMax} bytes");
        }

        return Reply.Of(await store.SubmitAsync(Put(request.Name, request.Body.ToArray(), flags ?? 0, cas, query)));
    }

    private static Command<bool> Put(string key, byte[] value, ulong flags, ulong? cas, QueryParameters query) =>
        query.Has("acquire") ? new AcquireKey(key, value, flags, query["acquire"])
        : query.Has("release") ? new ReleaseKey(key, value, flags, query["release"])
        : new PutKey(key, value, flags, cas);

    private async ValueTask<Reply> DeleteAsync(ApiRequest request)
    {
        var recurse = request.Query.Has("recurse");
        if (request.Name.Length == 0 && !recurse)
        {
            return Reply.BadRequest("Missing key name");
        }

        if (Conflict(request.Query, "recurse", "cas") is { } conflict)
        {
            return conflict;
        }

        if (!request.Query.TryUnsigned("cas", out var cas, out var problem))
        {
            return Reply.Text(500, problem);
        }

        return Reply.Of(await store.SubmitAsync(new DeleteKey(request.Name, recurse, cas)));
    }

    private static Reply? Conflict(QueryParameters query, params ReadOnlySpan<string> flags)
    {
        var given = 0;
        foreach (var flag in flags)
        {
            given += query.Has(flag) ? 1 : 0;
        }

        return given > 1 ? Reply.BadRequest($"Conflicting flags: {query.Encode()}") : null;
    }
}
