using System.Globalization;
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
    private const int UuidLength = 36;

    public void AddTo(RouteTable routes)
    {
        routes.Add(new Route
        {
            Method = "GET",
            Pattern = Pattern,
            Acl = RouteRows.KeyRead,
            Read = Get,
            KeepsAnswer = false,
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
            BodyTooLarge = "Request body too large, max size: " + valueMax.ToString(CultureInfo.InvariantCulture)
                + " bytes. See https://www.consul.io/docs/agent/options.html#kv_max_value_size.",
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
            return names.Count == 0
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

        if (query.Has("acquire") && query.Has("release") || query.Has("cas")
            && (query.Has("acquire") || query.Has("release")))
        {
            return Reply.BadRequest("Conflicting flags: cas, acquire and release exclude each other");
        }

        if (!TryNumber(query, "flags", out var flags) || !TryNumber(query, "cas", out var cas))
        {
            return Reply.BadRequest("Invalid flags or cas: a number is wanted");
        }

        if (query.Has("acquire"))
        {
            return Reply.Text(500, NoSession(query["acquire"]));
        }

        if (query.Has("release"))
        {
            return Reply.False;
        }

        var body = request.Body.ToArray();
        return Reply.Of(await store.SubmitAsync(new PutKey(request.Name, body, flags ?? 0, cas)));
    }

    // There are no sessions yet, so none can be named; a plain write instead would let two holders into one lock.
    private static string NoSession(string id) => id.Length switch
    {
        0 => "missing session",
        UuidLength => $"invalid session \"{id}\"",
        _ => $"failed session lookup: index error: UUID must be {UuidLength} characters",
    };

    private async ValueTask<Reply> DeleteAsync(ApiRequest request)
    {
        var recurse = request.Query.Has("recurse");
        if (request.Name.Length == 0 && !recurse)
        {
            return Reply.BadRequest("Missing key name");
        }

        if (!TryNumber(request.Query, "cas", out var cas))
        {
            return Reply.BadRequest("Invalid cas: a number is wanted");
        }

        if (cas is not null && recurse)
        {
            return Reply.BadRequest("Conflicting flags: cas and recurse exclude each other");
        }

        if (cas == 0)
        {
            return Reply.BadRequest("Invalid cas: must be greater than 0 for a delete");
        }

        return Reply.Of(await store.SubmitAsync(new DeleteKey(request.Name, recurse, cas)));
    }

    private static bool TryNumber(QueryParameters query, string name, out ulong? number)
    {
        number = null;
        if (!query.Has(name))
        {
            return true;
        }

        if (!ulong.TryParse(query[name], NumberStyles.None, CultureInfo.InvariantCulture, out var parsed))
        {
            return false;
        }

        number = parsed;
        return true;
    }
}
