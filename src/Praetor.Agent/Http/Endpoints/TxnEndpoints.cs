using System.Globalization;
using System.Text.Json;
using Languages;
using Praetor.Server.Model;
using Praetor.Server.State;
using Praetor.Server.Transactions;

namespace Praetor.Agent.Http.Endpoints;

/// <summary>/v1/txn: several operations on keys, all or none.</summary>
internal sealed class TxnEndpoints(StateStore store, int valueMax, int bodyMax)
{
    private const int OperationsMax = 128;

    public void AddTo(RouteTable routes) => routes.Add(new Route
    {
        Method = "PUT",
        Pattern = "/v1/txn",
        Acl = new AclRequirement("key", "write"),
        Handle = RunAsync,
        BodyMax = bodyMax,
        Description = "Up to 128 operations on keys, done all or, when one fails, not at all.",
    });

    private async ValueTask<Reply> RunAsync(ApiRequest request)
    {
        if (Parse(request.Body, out var operations) is { } problem)
        {
            return problem;
        }

        if (operations.TrueForAll(static o => KvSteps.IsRead(o.Verb)))
        {
            var view = new ReadView(store.Current, tracks: false);
            return Answer(request, RunTransaction.Read(view, operations), isRead: true)
                .With("X-Consul-Index", view.Index.ToString(CultureInfo.InvariantCulture))
                .With("X-Consul-KnownLeader", "true")
                .With("X-Consul-LastContact", "0");
        }

        var outcome = await store.SubmitAsync(new RunTransaction(operations));
        return outcome.Refusal is { Status: not RunTransaction.RolledBackStatus } refusal
            ? Reply.Refused(refusal)
            : Answer(request, outcome.Value, isRead: false);
    }

    private Reply? Parse(ReadOnlyMemory<byte> body, out List<KvOperation> operations)
    {
        operations = [];
        try
        {
            using var document = JsonDocument.Parse(body);
            if (document.RootElement.ValueKind != JsonValueKind.Array)
            {
                return Reply.BadRequest("Failed to parse body: json: a list of operations is wanted");
            }

            if (document.RootElement.GetArrayLength() > OperationsMax)
            {
                return Reply.Text(413,
                    "Transaction contains too many operations "
                    + $"({document.RootElement.GetArrayLength()} > {OperationsMax})");
            }

            foreach (var element in document.RootElement.EnumerateArray())
            {
                if (ParseOperation(element, operations) is { } problem)
                {
                    return problem;
                }
            }

            return null;
        }
        catch (JsonException e)
        {
            return Reply.BadRequest($"Failed to parse body: {JsonErrors.Of(body.Span, e)}");
        }
    }

    private Reply? ParseOperation(JsonElement element, List<KvOperation> operations)
    {
        var raw = System.Text.Encoding.UTF8.GetBytes(element.GetRawText());
        if (BodyObject.Parse(raw, out var unreadable) is not { } operation)
        {
            return Reply.BadRequest($"Failed to parse body: {unreadable}");
        }

        var kv = operation.Object("KV");
        if (kv is null && element.EnumerateObject().All(static m => m.Value.ValueKind == JsonValueKind.Null))
        {
            return null;
        }

        if (kv is null)
        {
            return Reply.BadRequest("Failed to parse body: this version takes operations on KV only");
        }

        var step = new KvOperation(
            kv.Text("Verb"), kv.Text("Key"), kv.Base64("Value"), kv.Unsigned("Flags"), kv.Unsigned("Index"))
        {
            Session = kv.Text("Session"),
        };
        _ = kv.Text("Namespace");
        _ = kv.Text("Partition");
        kv.Finish();
        operation.Finish();
        if ((kv.Problem ?? operation.Problem) is { } wrong)
        {
            return Reply.BadRequest($"Failed to parse body: {wrong}");
        }

        if (KvRecord.IsTooLong(step.Key))
        {
            return Reply.Text(413, $"A key is too long, max size: {KvRecord.KeyBytesMax} bytes");
        }

        if (step.Value.Length > valueMax)
        {
            return Reply.Text(413,
                $"Value for key \"{step.Key}\" is too large ({step.Value.Length} > {valueMax} bytes)");
        }

        operations.Add(step);
        return null;
    }

    private static Reply Answer(ApiRequest request, TransactionResult result, bool isRead)
    {
        var failed = result.Errors.Count > 0;
        return Reply.Json(request.Pretty, json =>
        {
            json.WriteStartObject();
            WriteResults(json, failed ? null : result.Results);
            WriteErrors(json, failed ? result.Errors : null);
            if (isRead)
            {
                WriteReadMembers(json);
            }

            json.WriteEndObject();
        }, failed ? RunTransaction.RolledBackStatus : 200);
    }

    // Consul shows its query's inner members here; the index that counts is the header's.
    private static void WriteReadMembers(Utf8JsonWriter json)
    {
        json.WriteNumber("Index", 0);
        json.WriteNumber("LastContact", 0);
        json.WriteBoolean("KnownLeader", true);
        json.WriteString("ConsistencyLevel", "");
    }

    private static void WriteResults(Utf8JsonWriter json, IReadOnlyList<KvResult>? results)
    {
        if (results is null)
        {
            json.WriteNull("Results");
            return;
        }

        json.WriteStartArray("Results");
        foreach (var result in results)
        {
            json.WriteStartObject();
            json.WritePropertyName("KV");
            KvEndpoints.Write(json, result.ShowsValue ? result.Record : result.Record with { Value = [] });
            json.WriteEndObject();
        }

        json.WriteEndArray();
    }

    private static void WriteErrors(Utf8JsonWriter json, IReadOnlyList<OperationError>? errors)
    {
        if (errors is null)
        {
            json.WriteNull("Errors");
            return;
        }

        json.WriteStartArray("Errors");
        foreach (var error in errors)
        {
            json.WriteStartObject();
            json.WriteNumber("OpIndex", error.OperationIndex);
            json.WriteString("What", error.What);
            json.WriteEndObject();
        }

        json.WriteEndArray();
    }
}
