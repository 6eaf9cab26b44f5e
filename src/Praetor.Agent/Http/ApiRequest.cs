using System.Net;
using Praetor.Agent.Forwarding;

namespace Praetor.Agent.Http;

/// <summary>A request, taken off the wire whole: path, parameters, token and body. Immutable.</summary>
internal sealed class ApiRequest
{
    public required string Method { get; init; }

    /// <summary>Path and parameters as they came.</summary>
    public required string Target { get; init; }

    /// <summary>The decoded path without parameters.</summary>
    public required string Path { get; init; }

    public QueryParameters Query { get; init; } = QueryParameters.None;

    /// <summary>Decoded path parameters, in the order of the route's pattern.</summary>
    public string[] PathValues { get; init; } = [];

    /// <summary>The secret that came with the request. Empty: none. Must never be logged or answered.</summary>
    public string Token { get; init; } = "";

    /// <summary>What the client calls itself. Empty: nothing.</summary>
    public string UserAgent { get; init; } = "";

    public ReadOnlyMemory<byte> Body { get; init; }

    /// <summary>The node to sort by distance from, <c>_agent</c> resolved. Empty: no sorting.</summary>
    public string Near { get; init; } = "";

    /// <summary>What the asker says of cached answers, such as <c>max-age=30</c>.</summary>
    public string CacheControl { get; init; } = "";

    /// <summary>The agents that passed the request on before it came here, as they wrote it. Empty: none.</summary>
    public string Hops { get; init; } = "";

    /// <summary>The same, read; seldom wanted.</summary>
    public HopTrail Trail => HopTrail.TryParse(Hops, out var trail) ? trail : HopTrail.Closed;

    public IPAddress? Remote { get; init; }

    /// <summary>Ends when the client goes away.</summary>
    public CancellationToken Aborted { get; init; }

    /// <summary>The first path parameter; every route with one parameter has it.</summary>
    public string Name => PathValues[0];

    /// <summary>Whether the answer is indented.</summary>
    public bool Pretty { get; init; }

    /// <summary>The datacenter that the request names. Empty: this one.</summary>
    public string Datacenter => Query["datacenter"] is { Length: > 0 } dc ? dc : Query["dc"];
}
