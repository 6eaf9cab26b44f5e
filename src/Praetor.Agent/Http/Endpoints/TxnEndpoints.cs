using System.Globalization;
using System.Text.Json;
using Languages;
using Praetor.Server.Model;
using Praetor.Server.State;
using Praetor.Server.Transactions;

namespace Praetor.Agent.Http.Endpoints;

/// <summary>/v1/txn: several operations on keys and on the catalog, all or none.</summary>
internal sealed class TxnEndpoints(StateStore store, string datacenter, int valueMax, int bodyMax)
{
    private const int OperationsMax = 128;

    public void AddTo(RouteTable routes) => routes.Add(new Route
    {
        Method = "PUT",
        Pattern = "/v1/txn",
        Acl = new AclRequirement("key", "write"),
        Handle = RunAsync,
        BodyMax = bodyMax,
        BodyMaxRemedy = ". See https://www.consul.io/docs/agent/options.html#txn_max_req_len.",
        Description = "Up to 128 operations on keys, nodes, services, checks and sessions, done all or, when one "
            + "fails, not at all.",
    });

    private async ValueTask<Reply> RunAsync(ApiRequest request)
    {
        if (!ReadOptions.TryParse(request.Query, out _, out var conflict))
        {
            return Reply.BadRequest(conflict);
        }

        if (Parse(request.Body, out var operations) is { } problem)
        {
            return problem;
        }

        if (operations.TrueForAll(static o => o.IsRead))
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

    private Reply? Parse(ReadOnlyMemory<byte> body, out List<Operation> operations)
    {
        operations = [];
        try
        {
            using var document = JsonDocument.Parse(body);
            var root = document.RootElement;
            if (root.ValueKind == JsonValueKind.Null)
            {
                return null;
            }

            if (root.ValueKind != JsonValueKind.Array)
            {
                return Unreadable($"json: cannot unmarshal {BodyObject.KindOf(root)} into Go value of type api.TxnOps");
            }

            if (root.GetArrayLength() > OperationsMax)
            {
                return Reply.Text(
                    413, $"Transaction contains too many operations ({root.GetArrayLength()} > {OperationsMax})");
            }

            return ParseOperations(root, operations);
        }
        catch (JsonException e)
        {
            return Unreadable(JsonErrors.Of(body.Span, e));
        }
    }

    private Reply? ParseOperations(JsonElement list, List<Operation> operations)
    {
        foreach (var element in list.EnumerateArray())
        {
            if (element.ValueKind != JsonValueKind.Object)
            {
                var kind = BodyObject.KindOf(element);
                return Unreadable($"json: cannot unmarshal {kind} into Go value of type api.TxnOp");
            }

            var body = BodyObject.Of(element.Clone());
            var operation = TxnBodies.Operation(body, datacenter);
            if (body.Problem is { } wrong)
            {
                return Unreadable(wrong);
            }

            if (operation is KvOperation kv && TooLarge(kv) is { } refusal)
            {
                return refusal;
            }

            // An operation of nothing is none.
            if (operation is not null)
            {
                operations.Add(operation);
            }
        }

        return null;
    }

    private Reply? TooLarge(KvOperation step) => KvRecord.IsTooLong(step.Key)
        ? Reply.Text(413, $"A key is too long, max size: {KvRecord.KeyBytesMax} bytes")
        : step.Value.Length > valueMax
        ? Reply.Text(413, $"Value for key \"{step.Key}\" is too large ({step.Value.Length} > {valueMax} bytes)")
        : null;

    private static Reply Unreadable(string why) => Reply.BadRequest($"Failed to parse body: {why}");

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

    private static void WriteResults(Utf8JsonWriter json, IReadOnlyList<OperationResult>? results)
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
            TxnBodies.Write(json, result);
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
