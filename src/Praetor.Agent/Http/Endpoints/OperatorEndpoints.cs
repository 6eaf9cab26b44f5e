using System.Text.Json;
using Praetor.Agent.Cluster;
using Praetor.Agent.Local;
using Praetor.Server.Storage.Etcd;

namespace Praetor.Agent.Http.Endpoints;

/// <summary>/v1/operator/raft: the servers that keep the state, in the words of Consul's consensus.</summary>
/// <param name="self">This server.</param>
/// <param name="address">Its RPC address.</param>
/// <param name="index">The index of this server's state.</param>
/// <param name="cluster">The servers. Null: this one is alone.</param>
internal sealed class OperatorEndpoints(NodeIdentity self, string address, Func<ulong> index, ClusterNode? cluster)
{
    private static readonly AclRequirement Read = new("operator", "read");
    private static readonly AclRequirement Write = new("operator", "write");

    public void AddTo(RouteTable routes)
    {
        routes.Add(new Route
        {
            Method = "GET",
            Pattern = "/v1/operator/raft/configuration",
            Acl = Read,
            AnyServer = true,
            Handle = ConfigurationAsync,
            Description = "The servers that keep the state.",
        });
        routes.Handle("DELETE", "/v1/operator/raft/peer", Write, RemoveAsync,
            "Takes a server out, by id or address.");
        routes.Handle("POST", "/v1/operator/raft/transfer-leader", Write, TransferAsync,
            "Gives the lead to another server.");
        routes.Handle("PUT", "/v1/operator/raft/transfer-leader", Write, TransferAsync,
            "Gives the lead to another server.");
    }

    private async ValueTask<Reply> ConfigurationAsync(ApiRequest request)
    {
        var servers = cluster is null
            ? [new ClusterServer(self.Id, self.Name, address, 0, IsVoter: true, Leads: true) { LastIndex = index() }]
            : cluster.Servers();
        if (servers is [])
        {
            // A server that has just begun has not looked yet.
            servers = await VotersAsync(request.Aborted) is null ? [] : cluster!.Servers();
        }

        return servers is []
            ? Reply.Text(500, "this server does not know yet who takes part; try again, or ask another one")
            : Reply.Json(request.Pretty, json => WriteConfiguration(json, servers));
    }

    private static void WriteConfiguration(Utf8JsonWriter json, IReadOnlyList<ClusterServer> servers)
    {
        json.WriteStartObject();
        json.WriteStartArray("Servers");
        foreach (var server in servers)
        {
            json.WriteStartObject();
            json.WriteString("ID", server.Id);
            json.WriteString("Node", server.Name);
            json.WriteString("Address", server.Address);
            json.WriteBoolean("Leader", server.Leads);
            json.WriteString("ProtocolVersion", "3");
            json.WriteBoolean("Voter", server.IsVoter);
            json.WriteNumber("LastIndex", server.LastIndex);
            json.WriteEndObject();
        }

        json.WriteEndArray();
        json.WriteNumber("Index", 0);
        json.WriteEndObject();
    }

    private async ValueTask<Reply> RemoveAsync(ApiRequest request)
    {
        var (id, at) = (request.Query["id"], request.Query["address"]);
        if (id.Length == 0 == (at.Length == 0))
        {
            return Reply.BadRequest(id.Length == 0
                ? "Bad request: Must specify either ?id with the server's ID or ?address with IP:port of peer to remove"
                : "Bad request: Must specify only one of ?id or ?address");
        }

        var found = cluster?.Servers().FirstOrDefault(s => id.Length > 0 ? s.Id == id : s.Address == at);
        if (found is null)
        {
            return Reply.Text(500, id.Length > 0
                ? $"id \"{id}\" was not found in the Raft configuration"
                : $"address \"{at}\" was not found in the Raft configuration");
        }

        return await cluster!.RemoveAsync(found, request.Aborted) is { } why
            ? Reply.Text(500, why) : Reply.Ok;
    }

    private async ValueTask<Reply> TransferAsync(ApiRequest request)
    {
        var id = request.Query["id"];
        if (await VotersAsync(request.Aborted) is not { } voters)
        {
            return Reply.Text(500, "etcd does not say who takes part; try again");
        }

        if (voters.Count < 2)
        {
            return Reply.Text(500, "cannot find peer");
        }

        if (id.Length > 0 && voters.All(server => server.Id != id))
        {
            return Reply.Text(500, $"server \"{id}\" is no voter of this cluster");
        }

        return await cluster!.HandOverAsync(id.Length > 0 ? id : cluster.BestSuccessor(), request.Aborted)
            ? Reply.Json(request.Pretty, static json =>
            {
                json.WriteStartObject();
                json.WriteBoolean("Success", value: true);
                json.WriteEndObject();
            })
            : Reply.Text(500, "the other server does not take the lead; try again");
    }

    private async ValueTask<IReadOnlyList<ClusterServer>?> VotersAsync(CancellationToken stop)
    {
        if (cluster is null)
        {
            return [];
        }

        try
        {
            await cluster.RefreshAsync(stop);
            return [.. cluster.Servers().Where(static server => server.IsVoter)];
        }
        catch (EtcdUnknownException)
        {
            return null;
        }
    }
}
