using Gossip.Coordinates;
using System.Text.Json;
using Praetor.Agent.Http.Json;
using Praetor.Agent.Membership;
using Praetor.Server.Coordinates;
using Praetor.Server.Model;
using Praetor.Server.Queries;
using Praetor.Server.State;

namespace Praetor.Agent.Http.Endpoints;

/// <summary>/v1/coordinate: where nodes are in the network.</summary>
/// <param name="collector">Takes updates in.</param>
/// <param name="datacenters">Knows the servers of all datacenters.</param>
/// <param name="isDisabled">Whether <c>disable_coordinates</c> is set.</param>
internal sealed class CoordinateEndpoints(CoordinateCollector collector, Datacenters datacenters, bool isDisabled)
{
    private const string Disabled = "Coordinate support disabled";

    public void AddTo(RouteTable routes)
    {
        routes.Add(new Route
        {
            Method = "GET",
            Pattern = "/v1/coordinate/datacenters",
            Acl = AclRequirement.None,
            Scope = RouteScope.AskedServer,
            Handle = request => ValueTask.FromResult(isDisabled ? Reply.Text(401, Disabled) : Places(request)),
            Description = "The servers of all datacenters with their WAN coordinates.",
        });
        routes.Read("/v1/coordinate/nodes", RouteRows.NodeRead,
            (request, view) => isDisabled ? RouteRows.Text(view, 401, Disabled) : Nodes(request, view),
            "The network coordinates of all nodes.");
        routes.Read("/v1/coordinate/node/{node}", RouteRows.NodeRead with { NameParameter = "node" },
            (request, view) => isDisabled ? RouteRows.Text(view, 401, Disabled) : Node(request, view),
            "The network coordinates of a node.");
        routes.Handle("PUT", "/v1/coordinate/update", RouteRows.NodeWrite,
            request => ValueTask.FromResult(isDisabled ? Reply.Text(401, Disabled) : Update(request)),
            "Tells where a node is in the network; written down with others after a while.");
    }

    /// <summary>The body of <c>PUT /v1/coordinate/update</c>.</summary>
    public static byte[] BodyOf(CoordinateUpdate update)
    {
        var buffer = new System.Buffers.ArrayBufferWriter<byte>();
        using (var json = new Utf8JsonWriter(buffer))
        {
            Write(json, update.Node, update.Segment, update.Where);
        }

        return buffer.WrittenSpan.ToArray();
    }

    internal static void Write(Utf8JsonWriter json, Coordinate coordinate)
    {
        json.WriteStartObject();
        json.WriteStartArray("Vec");
        foreach (var part in coordinate.Vector)
        {
            json.WriteFloat(part);
        }

        json.WriteEndArray();
        json.WriteFloat("Error", coordinate.Error);
        json.WriteFloat("Adjustment", coordinate.Adjustment);
        json.WriteFloat("Height", coordinate.Height);
        json.WriteEndObject();
    }

    private static void Write(Utf8JsonWriter json, string node, string segment, Coordinate where)
    {
        json.WriteStartObject();
        json.WriteString("Node", node);
        json.WriteString("Segment", segment);
        json.WritePropertyName("Coord");
        Write(json, where);
        json.WriteEndObject();
    }

    private Reply Places(ApiRequest request) => Reply.Json(request.Pretty, json =>
    {
        json.WriteStartArray();
        foreach (var (datacenter, servers) in datacenters.Places())
        {
            json.WriteStartObject();
            json.WriteString("Datacenter", datacenter);
            json.WriteString("AreaID", "wan");
            json.WriteStartArray("Coordinates");
            foreach (var (node, where) in servers)
            {
                Write(json, node, "", where);
            }

            json.WriteEndArray();
            json.WriteEndObject();
        }

        json.WriteEndArray();
    });

    private static QueryAnswer Nodes(ApiRequest request, ReadView view) => List(
        request, view, InSegment(request, CoordinateQueries.All(view)));

    private static QueryAnswer Node(ApiRequest request, ReadView view)
    {
        var found = InSegment(request, CoordinateQueries.Of(view, request.Name)).ToList();
        return request.Name.Length == 0 || found.Count == 0
            ? RouteRows.Text(view, 404, "")
            : List(request, view, found);
    }

    private static QueryAnswer List(ApiRequest request, ReadView view, IEnumerable<CoordinateRecord> records) =>
        RouteRows.List(request, view, records, static (json, c) => Write(json, c.Node, c.Segment, c.Where));

    private static IEnumerable<CoordinateRecord> InSegment(ApiRequest request, IEnumerable<CoordinateRecord> all) =>
        request.Query.Has("segment") ? all.Where(c => c.Segment == request.Query["segment"]) : all;

    private Reply Update(ApiRequest request)
    {
        if (BodyObject.Parse(request.Body, out var problem) is not { } body)
        {
            return Reply.BadRequest($"Request decode failed: {problem}");
        }

        var (node, segment) = (body.Text("Node"), body.Text("Segment"));
        if (body.Problem is { } wrong)
        {
            return Reply.BadRequest($"Request decode failed: {wrong}");
        }

        var coordinate = body.Object("Coord");
        if (coordinate?.Raw("Vec") is { } vector && NoVector(vector) is { } kind)
        {
            var wanted = vector.ValueKind == JsonValueKind.Array ? "float64" : "[]float64";
            return Reply.BadRequest("Request decode failed: json: cannot unmarshal "
                + $"{kind} into Go struct field Coordinate.Coord.Vec of type {wanted}");
        }

        var where = coordinate is null ? null : Read(coordinate);
        if (where is null)
        {
            return Reply.Text(500, "invalid coordinate");
        }

        return collector.Add(new CoordinateUpdate(node, segment, where)) is { } refusal
            ? Reply.Refused(refusal)
            : Reply.Ok;
    }

    // What stands where numbers belong. Null: nothing.
    private static string? NoVector(JsonElement vector) => vector.ValueKind switch
    {
        JsonValueKind.Null => null,
        JsonValueKind.Array => vector.EnumerateArray().Where(static part => part.ValueKind != JsonValueKind.Number)
            .Select(static part => BodyObject.KindOf(part)).FirstOrDefault(),
        _ => BodyObject.KindOf(vector),
    };

    private static Coordinate? Read(BodyObject body)
    {
        if (body.Raw("Vec") is not { ValueKind: JsonValueKind.Array } vector)
        {
            return null;
        }

        double Number(string name) =>
            body.Raw(name) is { ValueKind: JsonValueKind.Number } number ? number.GetDouble() : 0;
        return new Coordinate(
            [.. vector.EnumerateArray().Select(static part => part.GetDouble())],
            Number("Error"), Number("Adjustment"), Number("Height"));
    }
}
