using System.Globalization;
using System.Text.Json;

namespace Praetor.Client;

/// <summary>An event that a user fired.</summary>
public sealed record UserEvent
{
    /// <summary>A UUID that the agent gave it.</summary>
    public string ID { get; init; } = "";

    /// <summary>Its name.</summary>
    public string Name { get; init; } = "";

    /// <summary>What it carries. Null: nothing.</summary>
    public byte[]? Payload { get; init; }

    /// <summary>A regular expression on node names. Empty: all nodes are meant.</summary>
    public string NodeFilter { get; init; } = "";

    /// <summary>A regular expression on ids of services. Empty: all nodes are meant.</summary>
    public string ServiceFilter { get; init; } = "";

    /// <summary>A regular expression on tags of those services. Empty: any.</summary>
    public string TagFilter { get; init; } = "";

    /// <summary>The version of its format.</summary>
    public int Version { get; init; }

    /// <summary>When it was fired by the cluster's logical clock. 0: not known yet.</summary>
    public ulong LTime { get; init; }

    /// <summary>The index that a list ending with this event has.</summary>
    public static ulong IndexOf(string id)
    {
        const int half = 16;
        var digits = id.Replace("-", "", StringComparison.Ordinal);
        return digits.Length == 2 * half
            && ulong.TryParse(digits[..half], NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out var a)
            && ulong.TryParse(digits[half..], NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out var b)
            ? a ^ b
            : 0;
    }
}

public sealed partial class PraetorClient
{
    /// <summary>Fires an event; name, payload and filters are used.</summary>
    /// <returns>The event's id.</returns>
    /// <exception cref="ApiException">The agent refused; status 413: the event is too large for gossip.</exception>
    public async Task<string> FireEventAsync(UserEvent wanted, CancellationToken stop = default)
    {
        var query = new QueryOptions();
        query = wanted.NodeFilter.Length > 0 ? query.With("node", wanted.NodeFilter) : query;
        query = wanted.ServiceFilter.Length > 0 ? query.With("service", wanted.ServiceFilter) : query;
        query = wanted.TagFilter.Length > 0 ? query.With("tag", wanted.TagFilter) : query;
        var body = wanted.Payload is { Length: > 0 } payload ? new ByteArrayContent(payload) : null;
        if (body is not null)
        {
            body.Headers.ContentType = new("application/octet-stream");
        }

        var text = await PutAsync("/v1/event/fire/" + EscapePath(wanted.Name), query, body, stop);
        return JsonSerializer.Deserialize(text, ClientJson.Default.UserEvent)?.ID ?? "";
    }

    /// <summary>The last events that the agent saw, the oldest first.</summary>
    /// <param name="name">Events of this name only. Empty: all.</param>
    /// <param name="query">With the index of the last answer: wait for another.</param>
    /// <param name="stop">Gives up.</param>
    public Task<Answer<UserEvent[]>> ListEventsAsync(
        string name = "", QueryOptions? query = null, CancellationToken stop = default)
    {
        var wanted = query ?? new QueryOptions();
        return GetAsync(
            "/v1/event/list", name.Length > 0 ? wanted.With("name", name) : wanted,
            ClientJson.Default.UserEventArray, stop);
    }
}
