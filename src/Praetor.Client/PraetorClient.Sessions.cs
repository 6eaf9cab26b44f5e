using System.Text.Json;

namespace Praetor.Client;

/// <summary>What is sent to make a session; null members are left out.</summary>
public sealed record SessionRequest
{
    /// <summary>A name for people.</summary>
    public string? Name { get; init; }

    /// <summary>The node that it lives and dies with. Null: the agent's own.</summary>
    public string? Node { get; init; }

    /// <summary>The checks that it lives and dies with, in the way of before Consul 1.7. Null: see
    /// <see cref="NodeChecks"/>; empty: none.</summary>
    public string[]? Checks { get; init; }

    /// <summary>The checks of its node that it lives and dies with. Null: <c>serfHealth</c>; empty: none.</summary>
    public string[]? NodeChecks { get; init; }

    /// <summary>The checks of services on its node that it lives and dies with. Null: none.</summary>
    public SessionServiceCheck[]? ServiceChecks { get; init; }

    /// <summary>What becomes of its keys when it ends: release or delete. Null: release.</summary>
    public string? Behavior { get; init; }

    /// <summary>It ends unless it is renewed within this time, such as <c>15s</c>. Null: it does not.</summary>
    public string? TTL { get; init; }

    /// <summary>For how long nobody gets its keys when it was ended, such as <c>15s</c>, at most a minute. Null: 15
    /// s.</summary>
    public string? LockDelay { get; init; }
}

/// <summary>A check of a service, as a session names it.</summary>
public sealed record SessionServiceCheck
{
    /// <summary>The check's id.</summary>
    public string ID { get; init; } = "";
}

/// <summary>A session as it is.</summary>
public sealed record SessionEntry
{
    /// <summary>Its id.</summary>
    public string ID { get; init; } = "";

    /// <summary>A name for people.</summary>
    public string Name { get; init; } = "";

    /// <summary>The node that it lives and dies with.</summary>
    public string Node { get; init; } = "";

    /// <summary>For how long nobody gets its keys when it was ended, in nanoseconds.</summary>
    public long LockDelay { get; init; }

    /// <summary>What becomes of its keys when it ends: release or delete.</summary>
    public string Behavior { get; init; } = "";

    /// <summary>It ends unless it is renewed within this time. Empty: it does not.</summary>
    public string TTL { get; init; } = "";

    /// <summary>The checks of its node that it lives and dies with. Null: none.</summary>
    public string[]? NodeChecks { get; init; }

    /// <summary>The checks of services that it lives and dies with. Null: none.</summary>
    public SessionServiceCheck[]? ServiceChecks { get; init; }

    /// <summary>The index of the write that made it.</summary>
    public ulong CreateIndex { get; init; }
}

/// <summary>What the agent answers to it.</summary>
internal sealed record SessionCreated
{
    public string ID { get; init; } = "";
}

public sealed partial class PraetorClient
{
    /// <summary>Makes a session.</summary>
    /// <returns>Its id.</returns>
    /// <exception cref="ApiException">The agent refused.</exception>
    public async Task<string> CreateSessionAsync(SessionRequest session, CancellationToken stop = default)
    {
        var text = await PutAsync(
            "/v1/session/create", null, Json(session, ClientJson.Default.SessionRequest), stop);
        return JsonSerializer.Deserialize(text, ClientJson.Default.SessionCreated)?.ID ?? "";
    }

    /// <summary>Keeps a session with a TTL alive.</summary>
    /// <exception cref="ApiException">There is no such session any more (404), or the agent refused.</exception>
    public Task RenewSessionAsync(string id, CancellationToken stop = default) =>
        PutAsync("/v1/session/renew/" + Uri.EscapeDataString(id), null, null, stop);

    /// <summary>Ends a session.</summary>
    /// <exception cref="ApiException">The agent refused.</exception>
    public Task DestroySessionAsync(string id, CancellationToken stop = default) =>
        PutAsync("/v1/session/destroy/" + Uri.EscapeDataString(id), null, null, stop);

    /// <summary>Reads a session; the answer's value is null when there is none.</summary>
    /// <exception cref="ApiException">The agent refused.</exception>
    public async Task<Answer<SessionEntry>> SessionAsync(
        string id, QueryOptions? query = null, CancellationToken stop = default)
    {
        var answer = await GetAsync(
            "/v1/session/info/" + Uri.EscapeDataString(id), query, ClientJson.Default.SessionEntryArray, stop);
        return new Answer<SessionEntry>(answer.Value is [var session, ..] ? session : null, answer.Meta);
    }

    /// <summary>Reads all sessions.</summary>
    /// <exception cref="ApiException">The agent refused.</exception>
    public Task<Answer<SessionEntry[]>> SessionsAsync(QueryOptions? query = null, CancellationToken stop = default) =>
        GetAsync("/v1/session/list", query, ClientJson.Default.SessionEntryArray, stop);

    /// <summary>Reads the sessions of a node.</summary>
    /// <exception cref="ApiException">The agent refused.</exception>
    public Task<Answer<SessionEntry[]>> SessionsOfNodeAsync(
        string node, QueryOptions? query = null, CancellationToken stop = default) =>
        GetAsync(
            "/v1/session/node/" + Uri.EscapeDataString(node), query, ClientJson.Default.SessionEntryArray, stop);
}
