using System.Collections.Concurrent;
using System.Collections.Frozen;
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

    // Those that were logged already.
    private FrozenSet<string> _leftOut = FrozenSet<string>.Empty;

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
        var entries = (answer.Value ?? []).Where(static e => e.Service.Port is > 0 and <= ushort.MaxValue).ToList();
        var addresses = await ResolveAsync(entries.Select(HostOf), stop);
        var found = new List<Instance>();
        foreach (var entry in entries)
        {
            // Of a service that was asked for by name, only that one is wanted, whatever the entry says of itself.
            var proven = entry.Service.Kind == ProxyKind
                ? entry.Service.Proxy?.DestinationServiceName ?? ""
                : entry.Service.Service;
            var wanted = upstream.IsPreparedQuery ? proven : upstream.Name;
            foreach (var ip in addresses[HostOf(entry)])
            {
                found.Add(new Instance(new IPEndPoint(ip, entry.Service.Port), wanted, entry.Node.Datacenter));
            }
        }

        instances.Update(found);
        changed();
    }

    private static string HostOf(MeshInstance entry) =>
        entry.Service.Address is { Length: > 0 } address ? address : entry.Node.Address;

    // One name that hangs must not keep the others from being used: all share one deadline.
    private async Task<Dictionary<string, IPAddress[]>> ResolveAsync(
        IEnumerable<string> hosts, CancellationToken stop)
    {
        var until = scope.Time.GetUtcNow() + Limits.LookupTimeout;
        var found = new ConcurrentDictionary<string, IPAddress[]>(StringComparer.Ordinal);
        var options = new ParallelOptions { MaxDegreeOfParallelism = Limits.Lookups, CancellationToken = stop };
        await Parallel.ForEachAsync(
            hosts.Distinct(StringComparer.Ordinal).ToList(),
            options,
            async (host, token) => found[host] = await ResolveAsync(host, until - scope.Time.GetUtcNow(), token));
        var left = found.Where(static f => f.Value.Length == 0).Select(static f => f.Key);
        _leftOut = left.ToFrozenSet(StringComparer.Ordinal);
        return found.ToDictionary(StringComparer.Ordinal);
    }

    private async Task<IPAddress[]> ResolveAsync(string host, TimeSpan left, CancellationToken stop)
    {
        try
        {
            return await HostNames.FindAsync(host, left > TimeSpan.Zero ? left : TimeSpan.Zero, scope.Time, stop);
        }
        catch (SocketException problem)
        {
            if (!_leftOut.Contains(host))
            {
                scope.Log(
                    ProxyLogLevel.Warn, $"an instance of {upstream.Name} is left out: {host}: {problem.Message}");
            }

            return [];
        }
    }
}
