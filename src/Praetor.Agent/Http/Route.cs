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

    /// <summary>Set for reads of the state: they block by index and know consistency modes.</summary>
    public StateRead? Read { get; init; }

    /// <summary>Set for everything else.</summary>
    public Handler? Handle { get; init; }

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
}
