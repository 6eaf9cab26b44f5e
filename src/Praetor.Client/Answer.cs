using System.Net;

namespace Praetor.Client;

/// <summary>What an agent said about an answer, from its headers.</summary>
/// <param name="Index">Give it back as <see cref="QueryOptions.Index"/> to wait for a change. 0: none was
/// given.</param>
/// <param name="ContentHash">Give it back as <see cref="QueryOptions.Hash"/>. Null: the endpoint has none.</param>
/// <param name="LastContact">How long ago the answering server heard from the leader.</param>
/// <param name="KnownLeader">Whether the answering server knows a leader.</param>
/// <param name="DefaultAclPolicy">"allow" or "deny". Null: the agent does not say (Consul before 1.9).</param>
public sealed record AnswerMeta(
    ulong Index, string? ContentHash, TimeSpan LastContact, bool KnownLeader, string? DefaultAclPolicy);

/// <summary>A read's value and what was said about it.</summary>
/// <param name="Value">The value. Null: there is no such thing (status 404).</param>
/// <param name="Meta">What the headers said.</param>
public sealed record Answer<T>(T? Value, AnswerMeta Meta);

/// <summary>An agent refused a request; <see cref="Exception.Message"/> reads as Consul's own client says it.</summary>
public sealed class ApiException(HttpStatusCode status, string body)
    : Exception($"Unexpected response code: {(int)status} ({body})")
{
    /// <summary>The HTTP status.</summary>
    public HttpStatusCode Status { get; } = status;

    /// <summary>The answer's text, as it came.</summary>
    public string Body { get; } = body;
}
