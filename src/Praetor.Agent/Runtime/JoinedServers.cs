using System.Net;
using System.Net.Sockets;
using Microsoft.Extensions.Logging;
using Praetor.Agent.Config;
using Praetor.Agent.Forwarding;

namespace Praetor.Agent.Runtime;

/// <summary>The servers at the addresses to join, asked who they are: what is known without membership.</summary>
/// <remarks>Only servers whose RPC port is this agent's own <c>ports.server</c> are found.</remarks>
internal sealed class JoinedServers(AgentConfig config, Forwarder forwarder, TimeProvider time, ILogger log)
    : IServerSource
{
    private static readonly TimeSpan AgainAfter = TimeSpan.FromSeconds(1);

    public IDisposable Follow(Action<IReadOnlyCollection<ServerPeer>> changed)
    {
        var stop = new CancellationTokenSource();
        if (config.Join.Retry.Count + config.Join.RetryWan.Count > 0)
        {
            _ = Task.Run(() => RunAsync(changed, stop.Token));
        }

        return new Following(stop);
    }

    // Who was found once stays: a server that is away for a moment is the directory's business.
    private async Task RunAsync(Action<IReadOnlyCollection<ServerPeer>> changed, CancellationToken stop)
    {
        var found = new HashSet<ServerPeer>();
        var wanted = config.Join.Retry.Concat(config.Join.RetryWan).Distinct(StringComparer.Ordinal).ToList();
        try
        {
            while (true)
            {
                var before = found.Count;
                foreach (var address in wanted)
                {
                    await FindAsync(address, found, stop);
                }

                if (found.Count != before)
                {
                    changed(found);
                }

                await Task.Delay(found.Count == 0 ? AgainAfter : config.Join.Interval, time, stop);
            }
        }
        catch (OperationCanceledException) when (stop.IsCancellationRequested)
        {
            // The agent stops.
        }
    }

    private async Task FindAsync(string address, HashSet<ServerPeer> found, CancellationToken stop)
    {
        foreach (var endPoint in await ResolveAsync(address, stop))
        {
            if (found.Any(server => server.Rpc.Equals(endPoint)))
            {
                continue;
            }

            var asked = new ServerPeer(address, "", config.Datacenter, endPoint);
            if (await forwarder.IdentifyAsync(asked, stop) is { } identity && identity.Id != forwarder.SelfId)
            {
                found.Add(new ServerPeer(identity.Name, identity.Id, identity.Datacenter, endPoint));
            }
        }
    }

    // The port in an address to join is that of membership.
    private async Task<IReadOnlyList<IPEndPoint>> ResolveAsync(string address, CancellationToken stop)
    {
        if (IPEndPoint.TryParse(address, out var literal))
        {
            return [new IPEndPoint(literal.Address, config.Ports.Server)];
        }

        var host = address.Split(':')[0];
        try
        {
            var all = await System.Net.Dns.GetHostAddressesAsync(host, stop);
            return [.. all.Select(ip => new IPEndPoint(ip, config.Ports.Server))];
        }
        catch (SocketException e)
        {
            log.LogDebug("an address to join is not found: address={Address} {Why}", address, e.Message);
            return [];
        }
    }

    private sealed class Following(CancellationTokenSource stop) : IDisposable
    {
        public void Dispose() => stop.Cancel();
    }
}
