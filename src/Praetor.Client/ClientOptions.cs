using System.Net.Security;

namespace Praetor.Client;

/// <summary>Where an agent is and how to talk to it.</summary>
public sealed record ClientOptions
{
    /// <summary>The agent's address: <c>host:port</c>, <c>http://…</c>, <c>https://…</c> or <c>unix:///path</c>.
    /// Default <c>127.0.0.1:8500</c>.</summary>
    public string Address { get; init; } = "127.0.0.1:8500";

    /// <summary>The secret of an ACL token, sent as <c>X-Consul-Token</c>. Null: the agent's default token.</summary>
    public string? Token { get; init; }

    /// <summary>The datacenter that requests are for. Null: the agent's own.</summary>
    public string? Datacenter { get; init; }

    /// <summary>The namespace that requests are for. Null: none is named.</summary>
    public string? Namespace { get; init; }

    /// <summary>The admin partition that requests are for. Null: none is named.</summary>
    public string? Partition { get; init; }

    /// <summary>User and password for HTTP basic authentication, as <c>user:password</c>. Null: none.</summary>
    public string? BasicAuth { get; init; }

    /// <summary>What the program calls itself to the agent (<c>User-Agent</c>). Null: nothing is sent.</summary>
    public string? UserAgent { get; init; }

    /// <summary>TLS settings for <c>https</c> addresses; a <c>TargetHost</c> in them is the name asked for and checked
    /// instead of the address's. Null: the system's trust store, no client certificate.</summary>
    public SslClientAuthenticationOptions? Tls { get; init; }

    /// <summary>How long connecting may take. Default 10 s.</summary>
    public TimeSpan ConnectTimeout { get; init; } = TimeSpan.FromSeconds(10);

    /// <summary>How long an answer may take beyond the <see cref="QueryOptions.Wait"/> that was asked for. Default 60
    /// s.</summary>
    public TimeSpan AnswerTimeout { get; init; } = TimeSpan.FromSeconds(60);

    /// <summary>Whether a call keeps its thread until the answer is there. Default false.</summary>
    /// <remarks>For programs that make a few calls one after the other and end: no other thread is started for them.
    /// Only for agents on this machine without TLS; calls that can be cancelled, or wait for a change, never
    /// do.</remarks>
    public bool KeepsThread { get; init; }
}
