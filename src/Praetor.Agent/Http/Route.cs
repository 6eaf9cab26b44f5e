using Microsoft.AspNetCore.Http;
using Praetor.Server.Queries;
using Praetor.Server.State;

namespace Praetor.Agent.Http;

/// <summary>Answers a read from the state, and from nothing else but the request.</summary>
internal delegate QueryAnswer StateRead(ApiRequest request, ReadView view);

/// <summary>Answers a request.</summary>
internal delegate ValueTask<Reply> Handler(ApiRequest request);

/// <summary>One row of the API: what is asked, what it needs, who answers, and what it is for.</summary>
internal sealed record Route
{
    /// <summary>What a body may weigh unless a row says otherwise: 64 KiB.</summary>
    public const int DefaultBodyMax = 64 * 1024;

    public required string Method { get; init; }

    /// <summary>The path; <c>{name}</c> stands for one segment, <c>{name*}</c> for all that follows.</summary>
    public required string Pattern { get; init; }

    public required AclRequirement Acl { get; init; }

    /// <summary>One line that says what it does; it becomes the reference.</summary>
    public required string Description { get; init; }

    /// <summary>Who answers it. Default: what is under <c>/v1/agent/</c> the agent that is asked, all else a
    /// server.</summary>
    public RouteScope Scope
    {
        get => field != RouteScope.ByPath ? field
            : IsOfAgent(Pattern) ? RouteScope.Agent : RouteScope.Catalog;
        init;
    }

    /// <summary>Set for reads of the state: they block by index and know consistency modes.</summary>
    public StateRead? Read { get; init; }

    /// <summary>Set for what goes in or out piece by piece: it reads the body and writes the answer itself.</summary>
    public Func<HttpContext, ApiRequest, Task>? Stream { get; init; }

    /// <summary>Set for everything else.</summary>
    public Handler? Handle { get; init; }

    /// <summary>Whether it can wait for a change, as reads of the state do.</summary>
    public bool Waits { get => field || Read is not null; init; }

    /// <summary>Whether a waiting reader sleeps on when the answer looks the same as before.</summary>
    public bool IgnoresEqual { get; init; }

    /// <summary>Whether the answer is kept for the next who asks the same; not worth it for single keys.</summary>
    public Func<ApiRequest, bool> KeepsAnswer { get; init; } = static _ => true;

    /// <summary>Whether the body is stored as it comes; else it is JSON.</summary>
    public bool TakesBytes { get; init; }

    public int BodyMax { get; init; } = DefaultBodyMax;

    /// <summary>What is said about a body that is too large, behind the general text.</summary>
    public string BodyMaxRemedy { get; init; } = "";

    /// <summary>Whether answers say that they came from a cache or not, although nobody asked for one.</summary>
    public bool SaysCache { get; init; }

    /// <summary>Whether a server answers that does not lead, too, without asking the one that does.</summary>
    public bool AnyServer { get; init; }

    /// <summary>Whether bodies of a path are passed on piece by piece, for they may be of any size.</summary>
    public static bool IsOfAnySize(string path) => path == Endpoints.SnapshotEndpoints.Pattern;

    /// <summary>Whether the agent that is asked answers a path itself.</summary>
    public static bool IsOfAgent(ReadOnlySpan<char> path) =>
        path.StartsWith("/v1/agent/", StringComparison.Ordinal) || path.SequenceEqual("/v1/agent");
}

/// <summary>Who answers a request.</summary>
internal enum RouteScope
{
    /// <summary>What the path says.</summary>
    ByPath = 0,

    /// <summary>The agent that is asked; it is never passed on.</summary>
    Agent = 1,

    /// <summary>A server of the datacenter that the request names.</summary>
    Catalog = 2,

    /// <summary>The server that is asked, be it none that leads, whatever the request names: it says how the
    /// datacenters look from there.</summary>
    AskedServer = 3,

    /// <summary>The agent that is asked, unless the request names another datacenter.</summary>
    AgentUnlessFar = 4,
}
