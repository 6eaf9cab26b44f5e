using System.Text.Json;

namespace Praetor.Client;

/// <summary>A config entry's kind and name, all that a list is read for.</summary>
public sealed record ConfigEntryName
{
    /// <summary><c>service-defaults</c>, <c>service-intentions</c>, …</summary>
    public string Kind { get; init; } = "";

    /// <summary>Its name.</summary>
    public string Name { get; init; } = "";
}

public sealed partial class PraetorClient
{
    /// <summary>A config entry as the agent gave it.</summary>
    /// <exception cref="ApiException">The agent refused; status 404: there is none.</exception>
    public async Task<JsonElement> ConfigEntryAsync(
        string kind, string name, QueryOptions? query = null, CancellationToken stop = default)
    {
        var path = $"/v1/config/{Uri.EscapeDataString(kind)}/{Uri.EscapeDataString(name)}";
        var text = await SendTextAsync(HttpMethod.Get, path, query, null, stop);
        return JsonSerializer.Deserialize(text, ClientJson.Default.JsonElement);
    }

    /// <summary>The config entries of a kind.</summary>
    public Task<Answer<ConfigEntryName[]>> ConfigEntriesAsync(
        string kind, QueryOptions? query = null, CancellationToken stop = default) =>
        GetAsync(
            "/v1/config/" + Uri.EscapeDataString(kind), query, ClientJson.Default.ConfigEntryNameArray, stop);

    /// <summary>Writes a config entry. False: its index was another than <paramref name="cas"/>.</summary>
    /// <exception cref="ApiException">The agent refused.</exception>
    public async Task<bool> SetConfigEntryAsync(
        JsonElement entry, ulong? cas = null, QueryOptions? query = null, CancellationToken stop = default)
    {
        var wanted = cas is { } index ? (query ?? new()).With("cas", Number(index)) : query;
        var body = Json(entry, ClientJson.Default.JsonElement);
        return IsTrue(await SendTextAsync(HttpMethod.Put, "/v1/config", wanted, body, stop));
    }

    /// <summary>Removes a config entry; it is no error when there is none.</summary>
    /// <exception cref="ApiException">The agent refused.</exception>
    public Task<string> DeleteConfigEntryAsync(
        string kind, string name, ulong? cas = null, QueryOptions? query = null, CancellationToken stop = default) =>
        SendTextAsync(
            HttpMethod.Delete,
            $"/v1/config/{Uri.EscapeDataString(kind)}/{Uri.EscapeDataString(name)}",
            cas is { } index ? (query ?? new()).With("cas", Number(index)) : query,
            null,
            stop);
}
