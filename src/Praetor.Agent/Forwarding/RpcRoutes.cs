using System.Diagnostics.CodeAnalysis;
using System.Net;
using System.Text.Json;
using System.Text.Json.Serialization.Metadata;
using Praetor.Agent.Connect;
using Praetor.Agent.Dns;
using Praetor.Agent.Http;
using Praetor.Agent.Http.Endpoints;
using Praetor.Agent.Local;
using Praetor.Server.Catalog;
using Praetor.Server.Intentions;
using Praetor.Server.Model;
using Praetor.Server.Queries;
using Praetor.Server.State;

namespace Praetor.Agent.Forwarding;

/// <summary>What servers answer to other agents' own questions, on the RPC port only; no API of users.</summary>
internal sealed class RpcRoutes(
    StateStore store, MeshAuthority authority, Func<string> statusPage, NodeIdentity node)
{
    public const string Ping = Root + "ping";
    public const string Sync = Root + "catalog/sync";
    public const string StatusPage = Root + "status-page";
    public const string Sign = Root + "connect/sign";
    public const string Intentions = Root + "intentions";

    /// <summary>What connections for calls ask for (<see cref="CallStream"/>, <see cref="CallServer"/>).</summary>
    public const string Calls = Root + "calls";

    /// <summary>What cluster a server is in, and how servers come to one (<see cref="Cluster.Founding"/>).</summary>
    public const string ClusterPlan = Root + "cluster";
    public const string ClusterPromise = Root + "cluster/promise";
    public const string ClusterBegin = Root + "cluster/begin";
    public const string ClusterJoin = Root + "cluster/join";

    /// <summary>Whether a server still takes part, as the leader knows it.</summary>
    public const string ClusterStanding = Root + "cluster/standing";

    /// <summary>How far a server is.</summary>
    public const string ClusterReport = Root + "cluster/report";

    /// <summary>Whether a server's etcd may stand still now (<see cref="Cluster.UpkeepTurn"/>).</summary>
    public const string ClusterTurn = Root + "cluster/turn";

    /// <summary>An answer that lasts as long as its server leads.</summary>
    public const string Pulse = Root + "cluster/pulse";

    private const string Root = "/v1/internal/rpc/";

    // An agent's changes come in parts of so many registrations at most (RemoteCatalog); 16 KiB for each is plenty.
    private const int SyncBytesMax = 8 * 1024 * 1024;

    private const string PageType = "text/html; charset=utf-8";

    /// <summary>What the catalog holds for a node.</summary>
    public static string Node(string node) => $"{Root}catalog/node/{Uri.EscapeDataString(node)}";

    /// <summary>A node, for DNS.</summary>
    public static string DnsNode(string node) => $"{Root}dns/node/{Uri.EscapeDataString(node)}";

    /// <summary>A service's instances, for DNS.</summary>
    public static string DnsService(string service, bool connect) =>
        $"{Root}dns/{(connect ? "connect" : "service")}/{Uri.EscapeDataString(service)}";

    /// <summary>What has an address, for DNS.</summary>
    public static string DnsAddress(IPAddress address) =>
        $"{Root}dns/address/{Uri.EscapeDataString(address.ToString())}";

    public void AddTo(RouteTable routes)
    {
        routes.Add(new Route
        {
            Method = "GET",
            Pattern = Ping,
            Acl = AclRequirement.None,
            Scope = RouteScope.Agent,
            Handle = _ => ValueTask.FromResult(Answer(
                new ServerIdentity(node.Name, node.Id, node.Datacenter), RpcJson.Default.ServerIdentity)),
            Description = "Says that the server is there, and who it is.",
        });
        routes.Handle("GET", StatusPage, RouteRows.NodeRead,
            _ => ValueTask.FromResult(Reply.Text(200, statusPage()) with { ContentType = PageType }),
            "The status page.");
        routes.Add(new Route
        {
            Method = "PUT",
            Pattern = Sync,
            Acl = RouteRows.NodeWrite,
            Handle = SyncAsync,
            TakesBytes = true,
            BodyMax = SyncBytesMax,
            Description = "Applies an agent's changes to the catalog.",
        });
        routes.Read(Root + "catalog/node/{node}", RouteRows.NodeRead, ReadNode, "What the catalog holds for a node.");
        routes.Read(Root + "dns/node/{node}", RouteRows.NodeRead,
            static (request, view) => Answer(
                view, new NodeContents(CatalogQueries.Node(view, request.Name), [], []), RpcJson.Default.NodeContents),
            "A node.");
        routes.Read(Root + "dns/service/{service}", RouteRows.ServiceRead,
            static (request, view) => Instances(request, view, connect: false), "A service's instances.");
        routes.Read(Root + "dns/connect/{service}", RouteRows.ServiceRead,
            static (request, view) => Instances(request, view, connect: true), "A service's mesh instances.");
        routes.Add(new Route
        {
            Method = "GET",
            Pattern = Root + "dns/address/{address}",
            Acl = RouteRows.NodeRead,
            Read = ReadAddress,
            IgnoresEqual = true,
            Description = "What has an address.",
        });
        routes.Read(Intentions, RouteRows.IntentionRead, ReadIntentions, "All intentions, as they are stored.");
        routes.Handle("POST", Sign, RouteRows.ServiceWrite, SignAsync, "Signs a service's certificate.");
    }

    private async ValueTask<Reply> SyncAsync(ApiRequest request)
    {
        if (!TryRead(request.Body, RpcJson.Default.CatalogChanges, out var changes))
        {
            return Reply.BadRequest("the changes cannot be read");
        }

        var outcome = await store.SubmitAsync(new SyncCatalog(changes));
        return outcome.Refusal is { } refusal
            ? Reply.Refused(refusal)
            : Answer(outcome.Value, RpcJson.Default.IReadOnlyListRefusal);
    }

    private static QueryAnswer ReadNode(ApiRequest request, ReadView view) =>
        Answer(view, StoreCatalog.Contents(view, request.Name), RpcJson.Default.NodeContents);

    private static QueryAnswer Instances(ApiRequest request, ReadView view, bool connect) => Answer(
        view, StateDnsCatalog.Instances(view, request.Name, connect), RpcJson.Default.IReadOnlyListDnsInstance);

    // The ways to find by address are not watched, so everything is that has one; whoever waits hears only of what
    // changes the answer.
    private static QueryAnswer ReadAddress(ApiRequest request, ReadView view)
    {
        view.NotePrefix(Tables.NodesByName, []);
        view.NotePrefix(Tables.ServicesByName, []);
        var at = new AtAddress(
            StateDnsCatalog.NodeAt(view, request.Name), StateDnsCatalog.ServiceAt(view, request.Name));
        return Answer(view, at, RpcJson.Default.AtAddress);
    }

    private static QueryAnswer ReadIntentions(ApiRequest request, ReadView view) => Answer(
        view, IntentionBooks.Records(view), RpcJson.Default.IReadOnlyListConfigEntryRecord);

    private async ValueTask<Reply> SignAsync(ApiRequest request)
    {
        if (!TryRead(request.Body, RpcJson.Default.SignRequest, out var sign))
        {
            return Reply.BadRequest("the request cannot be read");
        }

        var outcome = await authority.SignAsync(sign.Service, sign.Csr, request.Aborted);
        return outcome.Refusal is { } refusal
            ? Reply.Refused(refusal)
            : Answer(new SignedLeaf(outcome.Value, outcome.Value.RootId), RpcJson.Default.SignedLeaf);
    }

    private static bool TryRead<T>(
        ReadOnlyMemory<byte> body, JsonTypeInfo<T> type, [NotNullWhen(true)] out T? value)
        where T : class
    {
        try
        {
            value = JsonSerializer.Deserialize(body.Span, type);
        }
        catch (JsonException)
        {
            value = null;
        }

        return value is not null;
    }

    private static Reply Answer<T>(T value, JsonTypeInfo<T> type) =>
        new(200, Reply.JsonType, JsonSerializer.SerializeToUtf8Bytes(value, type));

    private static QueryAnswer Answer<T>(ReadView view, T value, JsonTypeInfo<T> type) =>
        new(view.Index, 200, Reply.JsonType, JsonSerializer.SerializeToUtf8Bytes(value, type));
}
