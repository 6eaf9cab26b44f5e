using System.Text.Json;

namespace Praetor.Client;

/// <summary>What is sent to make a session; null members are left out.</summary>
public sealed record SessionRequest
{
    /// <summary>A name for people.</summary>
    public string? Name { get; init; }

    /// <summary>The node that it lives and dies with. Null: the agent's own.</summary>
    public string? Node { get; init; }

    /// <summary>The checks that it lives and dies with. Null: the node's own; empty: none.</summary>
    public string[]? Checks { get; init; }

    /// <summary>What becomes of its keys when it ends: release or delete. Null: release.</summary>
    public string? Behavior { get; init; }

    /// <summary>It ends unless it is renewed within this time, such as <c>15s</c>. Null: it does not.</summary>
    public string? TTL { get; init; }
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
    /// <exception cref="ApiException">There is no such session any more.</exception>
    public Task RenewSessionAsync(string id, CancellationToken stop = default) =>
        PutAsync("/v1/session/renew/" + Uri.EscapeDataString(id), null, null, stop);

    /// <summary>Ends a session.</summary>
    /// <exception cref="ApiException">The agent refused.</exception>
    public Task DestroySessionAsync(string id, CancellationToken stop = default) =>
        PutAsync("/v1/session/destroy/" + Uri.EscapeDataString(id), null, null, stop);
}
