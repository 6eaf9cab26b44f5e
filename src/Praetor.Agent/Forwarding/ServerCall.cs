using System.Net;
using System.Text;
using Praetor.Agent.Http;
using Praetor.Server.State;

namespace Praetor.Agent.Forwarding;

/// <summary>A request to a server, in the terms of the HTTP API.</summary>
internal sealed record ServerCall
{
    public required string Method { get; init; }

    /// <summary>Path and parameters, as in a URL.</summary>
    public required string Target { get; init; }

    /// <summary>Whose server is asked.</summary>
    public required string Datacenter { get; init; }

    /// <summary>The secret that it is authorized by. Empty: none. Must never be logged.</summary>
    public string Token { get; init; } = "";

    public ReadOnlyMemory<byte> Body { get; init; }

    /// <summary>Whether body and answer may be of any size: they go piece by piece, in a request of their
    /// own.</summary>
    public bool IsOfAnySize { get; init; }

    /// <summary>The body of such a call, sent once as it comes. Null: it has none.</summary>
    public Stream? Stream { get; init; }

    /// <summary>Headers that come along as they are.</summary>
    public IReadOnlyList<KeyValuePair<string, string>> Headers { get; init; } = [];

    /// <summary>Whether this agent asks for itself: only then it reaches what is no API of others.</summary>
    public bool IsOwn { get; init; }

    /// <summary>Who passed the request on before.</summary>
    public HopTrail Trail { get; init; } = HopTrail.None;

    /// <summary>How long the answer is expected to take because it waits for a change. Zero: it does not.</summary>
    public TimeSpan Wait { get; init; }

    /// <summary>How long to look for a server that answers. Null: as configured
    /// (<c>performance.rpc_hold_timeout</c>).</summary>
    public TimeSpan? Hold { get; init; }

    /// <summary>How long a server may take that others could answer for. Default
    /// <see cref="RpcLimits.LeaveAfter"/>.</summary>
    public TimeSpan LeaveAfter { get; init; } = RpcLimits.LeaveAfter;

    /// <summary>Whether asking twice does no harm.</summary>
    public bool IsRepeatable { get; init; }

    /// <summary>Whether an answer is kept current by it, so that no user waits for it.</summary>
    public bool IsWatch { get; init; }

    /// <summary>Whether it comes now and then only: then it is a request of its own, and opens no stream that its
    /// connection would be pinged for.</summary>
    public bool IsSeldom { get; init; }
}

/// <summary>A server's answer, whole.</summary>
/// <param name="Status">The HTTP status.</param>
/// <param name="ContentType">The media type.</param>
/// <param name="Index">The index to wait behind. 0: there is none.</param>
/// <param name="Body">The bytes. Must not be changed.</param>
internal sealed record ServerReply(int Status, string ContentType, ulong Index, byte[] Body)
{
    /// <summary>Whether it says what was asked for, be it that there is nothing.</summary>
    public bool IsAnswer => Status is (int)HttpStatusCode.OK or (int)HttpStatusCode.NotFound;

    /// <summary>The answer as a refusal.</summary>
    public Refusal Refused() => new(Status, Encoding.UTF8.GetString(Body));
}
