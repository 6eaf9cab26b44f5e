using System.Text.Json;
using Praetor.Agent.Http.Json;
using Praetor.Server.Model;
using Praetor.Server.Transactions;

namespace Praetor.Agent.Http.Endpoints;

/// <summary>Reads the operations of a transaction, and writes what they gave.</summary>
internal static class TxnBodies
{
    /// <summary>Reads an operation; the first kind that it names counts. Null: it names none.</summary>
    /// <param name="body">The operation; what is wrong stands there afterwards.</param>
    /// <param name="datacenter">This datacenter.</param>
    public static Operation? Operation(BodyObject body, string datacenter)
    {
        var kv = body.Object("KV");
        var node = body.Object("Node");
        var service = body.Object("Service");
        var check = body.Object("Check");
        var session = body.Object("Session");
        body.Finish();
        return kv is not null ? Kv(kv)
            : node is not null ? Node(node, datacenter)
            : service is not null ? Service(service)
            : check is not null ? Check(check)
            : session is not null ? Session(session)
            : null;
    }

    /// <summary>Writes what an operation gave, under the name of its kind.</summary>
    public static void Write(Utf8JsonWriter json, OperationResult result)
    {
        switch (result.Record)
        {
            case KvRecord kv:
                json.WritePropertyName("KV");
                KvEndpoints.Write(json, result.ShowsValue ? kv : kv with { Value = [] });
                break;
            case NodeRecord node:
                json.WritePropertyName("Node");
                CatalogJson.WriteNode(json, node);
                break;
            case ServiceRecord service:
                json.WritePropertyName("Service");
                CatalogJson.WriteNodeService(json, service, showsNoTagsAsNull: true);
                break;
            case CheckRecord check:
                json.WritePropertyName("Check");
                CatalogJson.WriteCheck(json, check, showsNoTagsAsNull: true);
                break;
            default:
                throw new InvalidOperationException($"a transaction does not answer a {result.Record.GetType().Name}");
        }
    }

    private static KvOperation Kv(BodyObject body)
    {
        var operation = new KvOperation(body.Text("Verb"), body.Text("Key"))
        {
            Value = body.Base64("Value"),
            Flags = body.Unsigned("Flags"),
            Index = body.Unsigned("Index"),
            Session = body.Text("Session"),
        };
        Finish(body);
        return operation;
    }

    private static NodeOperation Node(BodyObject body, string datacenter)
    {
        var verb = body.Text("Verb");
        var given = body.Object("Node");
        var index = given?.Unsigned("ModifyIndex") ?? 0;
        var node = given is null ? new NodeRecord { Name = "" } : CatalogBodies.Node(given, datacenter);
        Finish(body);
        return new NodeOperation(verb, node, index)
        {
            Wrong = node.Id.Length > 0 && !Guid.TryParseExact(node.Id, "D", out _)
                ? "Bad node ID: uuid string is wrong length"
                : BadName(node.Name),
        };
    }

    private static ServiceOperation Service(BodyObject body)
    {
        var verb = body.Text("Verb");
        var node = body.Text("Node");
        var given = body.Object("Service");
        var index = given?.Unsigned("ModifyIndex") ?? 0;
        var service = given is null ? new ServiceRecord { Id = "", Name = "" } : CatalogBodies.Service(given);
        Finish(body);
        return new ServiceOperation(verb, node, service, index)
        {
            Wrong = CatalogWrites.ServiceProblem(service) ?? BadName(service.Id, service.Name),
        };
    }

    private static CheckOperation Check(BodyObject body)
    {
        var verb = body.Text("Verb");
        var given = body.Object("Check");
        var index = given?.Unsigned("ModifyIndex") ?? 0;
        var check = given is null ? new CheckRecord { Id = "" } : CatalogBodies.Check(given);
        Finish(body);
        return new CheckOperation(verb, check, index)
        {
            Wrong = check.Id.Length == 0 ? "Must provide check name or id" : BadName(check.Id, check.Name),
        };
    }

    private static SessionOperation Session(BodyObject body)
    {
        var verb = body.Text("Verb");
        var id = body.Object("Session")?.Text("ID") ?? "";
        Finish(body);
        return new SessionOperation(verb, id);
    }

    // Sent by today's clients, always empty in the open edition.
    private static void Finish(BodyObject body)
    {
        _ = body.Text("Namespace");
        _ = body.Text("Partition");
        body.Finish();
    }

    private static string? BadName(params ReadOnlySpan<string> names)
    {
        foreach (var name in names)
        {
            if (NameRules.IsBad(name))
            {
                return NameRules.Problem;
            }
        }

        return null;
    }
}
