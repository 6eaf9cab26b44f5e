using System.Net;
using System.Net.Sockets;
using Praetor.Client;
using Praetor.Client.Connect;
using Praetor.Proxy.Balancing;

namespace Praetor.Proxy.Control;

/// <summary>Follows the healthy instances of an upstream.</summary>
internal sealed class InstanceWatch(ControlScope scope, UpstreamConfig upstream, InstanceSet instances, Action changed)
{
    private const string ProxyKind = "connect-proxy";

    /// <summary>Follows until stopped.</summary>
    public Task RunAsync(CancellationToken stop) => upstream.IsPreparedQuery
        ? Watches.FollowAsync(
            scope, $"prepared query {upstream.Name}", ReadQueryAsync, ApplyAsync, Limits.QueryInterval, stop)
        : Watches.FollowAsync(
            scope, $"the instances of {upstream.Name}", ReadHealthAsync, ApplyAsync, Limits.QueryInterval, stop);

    private Task<Answer<List<MeshInstance>>> ReadHealthAsync(QueryOptions query, CancellationToken stop) =>
        scope.Client.ConnectHealthAsync(upstream.Name, query with { Datacenter = upstream.Datacenter }, stop);

    private async Task<Answer<List<MeshInstance>>> ReadQueryAsync(QueryOptions query, CancellationToken stop)
    {
        var options = new QueryOptions { Datacenter = upstream.Datacenter };
        var answer = await scope.Client.ConnectQueryAsync(upstream.Name, options, stop);
        var nodes = answer.Value?.Nodes?.Select(n => n with { Node = InDatacenter(n.Node, answer.Value.Datacenter) });
        return new Answer<List<MeshInstance>>(nodes?.ToList(), answer.Meta with { Index = 0 });
    }

    private static MeshNode InDatacenter(MeshNode node, string datacenter) =>
        node.Datacenter.Length > 0 ? node : node with { Datacenter = datacenter };

    private async Task ApplyAsync(Answer<List<MeshInstance>> answer, CancellationToken stop)
    {
        var found = new List<Instance>();
        foreach (var entry in (answer.Value ?? []).Where(static e => e.Service.Port is > 0 and <= ushort.MaxValue))
        {
            // Of a service that was asked for by name, only that one is wanted, whatever the entry says of itself.
            var proven = entry.Service.Kind == ProxyKind
                ? entry.Service.Proxy?.DestinationServiceName ?? ""
                : entry.Service.Service;
            var wanted = upstream.IsPreparedQuery ? proven : upstream.Name;
            var host = entry.Service.Address is { Length: > 0 } address ? address : entry.Node.Address;
            foreach (var ip in await ResolveAsync(host, stop))
            {
                found.Add(new Instance(new IPEndPoint(ip, entry.Service.Port), wanted, entry.Node.Datacenter));
            }
        }

        instances.Update(found);
        changed();
    }

    private async Task<IPAddress[]> ResolveAsync(string host, CancellationToken stop)
    {
        if (IPAddress.TryParse(host, out var ip))
        {
            return [ip];
        }

        try
        {
            return await Dns.GetHostAddressesAsync(host, stop);
        }
        catch (SocketException problem)
        {
            scope.Log(ProxyLogLevel.Warn, $"an instance of {upstream.Name} is left out: {host}: {problem.Message}");
            return [];
        }
    }
}
