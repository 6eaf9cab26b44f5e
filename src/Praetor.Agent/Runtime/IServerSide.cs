using System.Net;
using Praetor.Agent.Config;
using Praetor.Agent.Dns;
using Praetor.Agent.Forwarding;
using Praetor.Agent.Http;
using Praetor.Agent.Http.Endpoints;
using Praetor.Agent.Local;
using Praetor.Agent.Membership;
using Praetor.Server.Coordinates;
using Praetor.Server.Queries;
using Praetor.Server.State;

namespace Praetor.Agent.Runtime;

/// <summary>The catalog's side of an agent: a server has the state itself, a client has the way to servers.</summary>
internal interface IServerSide : IAsyncDisposable
{
    /// <summary>Where the state is kept, for people.</summary>
    string StoreName { get; }

    /// <summary>Where other agents ask. Null: nowhere.</summary>
    IPEndPoint? RpcEndPoint { get; }

    /// <summary>The state. Null: servers have it.</summary>
    StateStore? Store { get; }

    /// <summary>Shares answers. Null: as <see cref="Store"/>.</summary>
    QueryHub? Hub { get; }

    /// <summary>Whether this server, one of several, may answer by itself. Null: it is alone, or a client.</summary>
    ILeadership? Leadership { get; }

    /// <summary>What the agent's own services and checks are brought to.</summary>
    ICatalog Catalog { get; }

    /// <summary>What DNS answers from.</summary>
    IDnsCatalog Dns { get; }

    /// <summary>Passes on what is answered elsewhere.</summary>
    HttpPassing Passing { get; }

    /// <summary>Adds the rows that are answered here.</summary>
    /// <param name="routes">Where the rows go.</param>
    /// <param name="proxies">Told of who asks for certificates.</param>
    /// <param name="datacenters">Those that are known.</param>
    void AddRoutes(RouteTable routes, OutsideProxies proxies, Datacenters datacenters);

    /// <summary>Takes in where this agent's node is.</summary>
    /// <returns>Why not; null: it is taken.</returns>
    Task<string?> TellPlaceAsync(CoordinateUpdate update, CancellationToken stop);

    /// <summary>Begins the duties that need the members.</summary>
    void Follow(GossipMembership membership);

    /// <summary>Gets ready; called before anything listens.</summary>
    /// <param name="routes">The rows of the API, complete.</param>
    /// <param name="stop">Gives up.</param>
    /// <exception cref="IOException">The port for other agents cannot be had.</exception>
    Task StartAsync(RouteTable routes, CancellationToken stop);

    /// <summary>Gives its duties to other servers, before the agent leaves.</summary>
    Task PrepareToLeaveAsync(CancellationToken stop);

    /// <summary>Waits until the others need this one no more, after the agent has left.</summary>
    Task FinishLeavingAsync(CancellationToken stop);

    /// <summary>Takes over what can change.</summary>
    /// <returns>Why not; null: it did.</returns>
    Task<string?> ReloadAsync(AgentConfig next);

    /// <summary>The status page.</summary>
    ValueTask<string> StatusPageAsync(CancellationToken stop);

    /// <summary>Numbers about the state by group, for <c>/v1/agent/self</c>.</summary>
    IReadOnlyDictionary<string, IReadOnlyDictionary<string, string>> Stats();

    /// <summary>What of it is being stopped. Empty: nothing, or all has stopped.</summary>
    string Ending => "";
}
