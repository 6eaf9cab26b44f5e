using Praetor.Agent.Local;
using Praetor.Proxy;

namespace Praetor.Agent.Http.Endpoints;

/// <summary>Has a sidecar make room. Done when its addresses are free, or after a short time.</summary>
/// <param name="id">The sidecar; one that does not run here is none of ours.</param>
/// <param name="isFollowing">Whether somebody asked for what only proxies ask, rather than for what people do.</param>
/// <param name="stop">Ends the wait, not the change.</param>
internal delegate Task MakeRoom(string id, bool isFollowing, CancellationToken stop);

/// <summary>Knows by what is asked, and by whom, that a proxy outside the agent is about to be a sidecar.</summary>
/// <remarks>
/// Consul's own proxy, Envoy's bootstrap and all that are built on its Go library read their registration first and
/// listen then, and none of them tries again. So the answer waits until they can listen. Who follows the registration
/// by its hash is a proxy, whatever it calls itself; who fetches a service's key in Go or as our proxy will speak for
/// it. What people and monitors use to look does not count.
/// </remarks>
/// <param name="sidecars">Those that the agent runs.</param>
/// <param name="makeRoom">Has one of them make room.</param>
internal sealed class OutsideProxies(Func<IReadOnlyList<LocalService>> sidecars, MakeRoom makeRoom)
{
    /// <summary>What the sidecars inside the agent call themselves.</summary>
    public const string Inside = "praetor-agent";

    private const string GoLibrary = "Go-http-client/";

    /// <summary>Somebody reads the registration of a service that may be a sidecar.</summary>
    public Task AsksForRegistrationAsync(ApiRequest request)
    {
        var isFollowing = request.Query["hash"].Length > 0;
        return request.UserAgent != Inside && (isFollowing || IsProxy(request))
            ? makeRoom(request.Name, isFollowing, request.Aborted)
            : Task.CompletedTask;
    }

    /// <summary>Somebody fetches a service's certificate and key.</summary>
    /// <param name="request">Names the service.</param>
    /// <param name="index">What it has already; a renewal is no news.</param>
    public async Task AsksForLeafAsync(ApiRequest request, ulong index)
    {
        if (index > 0 || !IsProxy(request))
        {
            return;
        }

        foreach (var sidecar in sidecars())
        {
            if (sidecar.Record.Proxy?.DestinationServiceName == request.Name)
            {
                await makeRoom(sidecar.Record.Id, true, request.Aborted);
            }
        }
    }

    private static bool IsProxy(ApiRequest request) =>
        request.UserAgent.StartsWith(GoLibrary, StringComparison.Ordinal)
        || request.UserAgent.StartsWith(ProxyRunner.UserAgent, StringComparison.Ordinal);
}
