using Praetor.Client;

namespace Praetor.Commands;

/// <summary>A service that a proxy makes reachable on a local port.</summary>
/// <param name="Name">The service; with <c>prepared_query:</c> in front, the prepared query.</param>
/// <param name="Host">The local address. Empty: 127.0.0.1.</param>
/// <param name="Port">The local port.</param>
internal sealed record ProxyUpstream(string Name, string Host, int Port);

/// <summary>What <c>connect proxy</c> was asked for. Either an id is there, or a service.</summary>
internal sealed record ProxyRequest
{
    /// <summary>The agent to learn everything from.</summary>
    public required ClientOptions Agent { get; init; }

    /// <summary>Id of the proxy as the agent knows it: configuration comes from there. Null: from the flags below.</summary>
    public string? ProxyId { get; init; }

    /// <summary>Name of the service it represents.</summary>
    public string? Service { get; init; }

    /// <summary>Address of the local service. Null: nothing is listened for.</summary>
    public string? ServiceAddress { get; init; }

    /// <summary>Host of the public listener. Null: nothing is listened for.</summary>
    public string? ListenHost { get; init; }

    /// <summary>Port of the public listener.</summary>
    public int ListenPort { get; init; }

    /// <summary>What it makes reachable.</summary>
    public IReadOnlyList<ProxyUpstream> Upstreams { get; init; } = [];

    /// <summary>Whether it registers itself with the agent.</summary>
    public bool Register { get; init; }

    /// <summary>What tells its registration from others of the same service. Null: nothing.</summary>
    public string? RegisterId { get; init; }

    /// <summary>TRACE, DEBUG, INFO, WARN or ERR.</summary>
    public string LogLevel { get; init; } = "INFO";

    /// <summary>Whether log entries are JSON.</summary>
    public bool LogJson { get; init; }
}
