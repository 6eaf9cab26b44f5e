using System.Text.Json;
using Praetor.Agent.Local;
using Praetor.Server.Catalog;
using Praetor.Server.State;

namespace Praetor.Agent.Forwarding;

/// <summary>The catalog at a server, as a client agent sees it.</summary>
internal sealed class RemoteCatalog(
    Forwarder forwarder, WatchCache cache, string datacenter, Func<string> token) : ICatalog
{
    // An agent with thousands of services brings them in parts, so that none takes long.
    private const int RegistrationsPerCall = 500;

    // Whoever registers waits for this; the change is brought there later anyway.
    private static readonly TimeSpan Hold = TimeSpan.FromSeconds(2);

    public async Task<IReadOnlyList<Refusal?>> ApplyAsync(CatalogChanges changes, CancellationToken stop)
    {
        var refusals = new List<Refusal?>(changes.Registrations.Count);
        var removals = changes.Removals;
        foreach (var part in changes.Registrations.Chunk(RegistrationsPerCall).DefaultIfEmpty([]))
        {
            var body = JsonSerializer.SerializeToUtf8Bytes(
                changes with { Removals = removals, Registrations = part }, RpcJson.Default.CatalogChanges);
            var reply = await AskAsync(Call("PUT", RpcRoutes.Sync) with { Body = body }, stop);
            refusals.AddRange(Read(reply, RpcJson.Default.IReadOnlyListRefusal));
            removals = [];
        }

        return refusals;
    }

    public async ValueTask<NodeContents> ReadAsync(string node, CancellationToken stop) =>
        Read(await AskAsync(Call("GET", RpcRoutes.Node(node)), stop), RpcJson.Default.NodeContents);

    public NodeContents? Known(string node) => cache.Peek(KeyOf(node))?.As(Decode);

    public IDisposable Watch(string node, Action changed) => cache.Follow(KeyOf(node), _ => changed());

    private static NodeContents Decode(byte[] body) => RpcJson.Read(body, RpcJson.Default.NodeContents);

    private static T Read<T>(ServerReply reply, System.Text.Json.Serialization.Metadata.JsonTypeInfo<T> type)
    {
        try
        {
            return RpcJson.Read(reply.Body, type);
        }
        catch (JsonException e)
        {
            throw new CatalogUnreachableException($"the server's answer cannot be read: {e.Message}", e);
        }
    }

    // All of it may be done twice: what is sent is how things are, not what to do.
    private ServerCall Call(string method, string target) => new()
    {
        Method = method,
        Target = target,
        Datacenter = datacenter,
        Token = token(),
        IsOwn = true,
        IsRepeatable = true,
        IsSeldom = true,
        Hold = Hold,
    };

    private async Task<ServerReply> AskAsync(ServerCall call, CancellationToken stop)
    {
        var outcome = await forwarder.AskAsync(call, stop);
        return outcome.Refusal is { } refusal ? throw new CatalogUnreachableException(refusal.Text)
            : outcome.Value.Status == 200 ? outcome.Value
            : throw new CatalogUnreachableException(outcome.Value.Refused().Text);
    }

    private WatchKey KeyOf(string node) => new(datacenter, RpcRoutes.Node(node), token());
}
