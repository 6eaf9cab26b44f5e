using System.Globalization;
using System.Text.Json;
using System.Text.Json.Serialization;

namespace Praetor.Client;

/// <summary>Who may connect to whom.</summary>
public sealed record Intention
{
    /// <summary>Its UUID. Null: one that is only known as part of a config entry.</summary>
    public string? ID { get; init; }

    /// <summary>Free text.</summary>
    public string? Description { get; init; }

    /// <summary>The source's namespace.</summary>
    public string? SourceNS { get; init; }

    /// <summary>The service that connects; <c>*</c> for any.</summary>
    public string SourceName { get; init; } = "";

    /// <summary>The destination's namespace.</summary>
    public string? DestinationNS { get; init; }

    /// <summary>The service that is connected to; <c>*</c> for any.</summary>
    public string DestinationName { get; init; } = "";

    /// <summary>What the source is; <c>consul</c> is the only one.</summary>
    public string? SourceType { get; init; }

    /// <summary><c>allow</c> or <c>deny</c>. Null or empty: permissions decide.</summary>
    public string? Action { get; init; }

    /// <summary>Pairs for the user's own use.</summary>
    public Dictionary<string, string>? Meta { get; init; }

    /// <summary>The higher one decides where several fit; the server works it out.</summary>
    public int Precedence { get; init; }

    /// <summary>When it was made, as RFC 3339.</summary>
    public string? CreatedAt { get; init; }

    /// <summary>When it was last written, as RFC 3339.</summary>
    public string? UpdatedAt { get; init; }

    /// <summary>The index of the write that made it.</summary>
    public ulong CreateIndex { get; init; }

    /// <summary>The index of the last write.</summary>
    public ulong ModifyIndex { get; init; }

    /// <summary>The source as people write it: without the namespace where it is the default one.</summary>
    [JsonIgnore]
    public string Source => Named(SourceNS, SourceName);

    /// <summary>The destination as people write it: without the namespace where it is the default one.</summary>
    [JsonIgnore]
    public string Destination => Named(DestinationNS, DestinationName);

    /// <summary>As Consul prints it: <c>web =&gt; db (allow)</c>.</summary>
    public override string ToString()
    {
        var action = string.IsNullOrEmpty(Action) ? "permissions" : Action;
        return string.Create(CultureInfo.InvariantCulture, $"{Source} => {Destination} ({action})");
    }

    private static string Named(string? space, string name) =>
        space is null or "" or "default" ? name : $"{space}/{name}";
}

/// <summary>The id of an intention that was made.</summary>
public sealed record IntentionCreated(string? ID);

/// <summary>Whether a connection would be let through.</summary>
public sealed record IntentionCheck(bool Allowed);

public sealed partial class PraetorClient
{
    private const string Intentions = "/v1/connect/intentions";

    /// <summary>All intentions, those that decide first in front.</summary>
    public Task<Answer<Intention[]>> IntentionsAsync(QueryOptions? query = null, CancellationToken stop = default) =>
        GetAsync(Intentions, query, ClientJson.Default.IntentionArray, stop);

    /// <summary>The intention with this id; null when there is none.</summary>
    /// <exception cref="ApiException">The agent refused, for example because it is no UUID.</exception>
    public async Task<Answer<Intention>> IntentionAsync(
        string id, QueryOptions? query = null, CancellationToken stop = default)
    {
        var path = $"{Intentions}/{Uri.EscapeDataString(id)}";
        var answer = await GetAsync(path, query, ClientJson.Default.JsonElement, stop);
        return new Answer<Intention>(
            answer.Value.ValueKind == JsonValueKind.Object
                ? JsonSerializer.Deserialize(answer.Value, ClientJson.Default.Intention)
                : null,
            answer.Meta);
    }

    /// <summary>The intentions that can decide about a service, those that decide first in front.</summary>
    /// <param name="bySource">True: it is the source; false: it is the destination.</param>
    /// <param name="service">The service's name.</param>
    /// <param name="query">Consistency, datacenter, blocking.</param>
    /// <param name="stop">Gives up.</param>
    public async Task<Answer<Intention[]>> MatchIntentionsAsync(
        bool bySource, string service, QueryOptions? query = null, CancellationToken stop = default)
    {
        var wanted = (query ?? new()).With("by", bySource ? "source" : "destination").With("name", service);
        var answer = await GetAsync(
            Intentions + "/match", wanted, ClientJson.Default.DictionaryStringIntentionArray, stop);
        Intention[]? found = null;
        answer.Value?.TryGetValue(service, out found);
        return new Answer<Intention[]>(found ?? [], answer.Meta);
    }

    /// <summary>Whether the source may connect to the destination.</summary>
    public async Task<bool> CheckIntentionAsync(
        string source, string destination, QueryOptions? query = null, CancellationToken stop = default)
    {
        var wanted = (query ?? new())
            .With("source", source).With("destination", destination).With("source-type", "consul");
        var answer = await GetAsync(Intentions + "/check", wanted, ClientJson.Default.IntentionCheck, stop);
        return answer.Value?.Allowed ?? false;
    }

    /// <summary>Makes an intention and gives its id.</summary>
    /// <exception cref="ApiException">The agent refused, for example because there is one already.</exception>
    public async Task<string> CreateIntentionAsync(
        Intention intention, QueryOptions? query = null, CancellationToken stop = default)
    {
        var body = Json(intention, ClientJson.Default.Intention);
        var text = await SendTextAsync(HttpMethod.Post, Intentions, query, body, stop);
        return JsonSerializer.Deserialize(text, ClientJson.Default.IntentionCreated)?.ID ?? "";
    }

    /// <summary>Replaces the intention that has <see cref="Intention.ID"/>.</summary>
    /// <exception cref="ApiException">The agent refused.</exception>
    public Task UpdateIntentionAsync(
        Intention intention, QueryOptions? query = null, CancellationToken stop = default) =>
        SendTextAsync(
            HttpMethod.Put,
            $"{Intentions}/{Uri.EscapeDataString(intention.ID ?? "")}",
            query,
            Json(intention, ClientJson.Default.Intention),
            stop);

    /// <summary>Writes the intention between its source and its destination, whether there was one or not.</summary>
    /// <remarks>Consul knows this from 1.9 on; it is the way to those that have no id.</remarks>
    /// <exception cref="ApiException">The agent refused.</exception>
    public Task SetIntentionAsync(
        Intention intention, QueryOptions? query = null, CancellationToken stop = default) =>
        SendTextAsync(
            HttpMethod.Put,
            Intentions + "/exact",
            Between(query, intention.SourceName, intention.DestinationName),
            Json(intention, ClientJson.Default.Intention),
            stop);

    /// <summary>Removes the intention between a source and a destination.</summary>
    /// <remarks>Consul knows this from 1.9 on; it is the way to those that have no id.</remarks>
    /// <exception cref="ApiException">The agent refused.</exception>
    public Task DeleteIntentionAsync(
        string source, string destination, QueryOptions? query = null, CancellationToken stop = default) =>
        SendTextAsync(
            HttpMethod.Delete, Intentions + "/exact", Between(query, source, destination), null, stop);

    /// <summary>Removes the intention with this id.</summary>
    /// <exception cref="ApiException">The agent refused, for example because there is none.</exception>
    public Task DeleteIntentionAsync(string id, QueryOptions? query = null, CancellationToken stop = default) =>
        SendTextAsync(HttpMethod.Delete, $"{Intentions}/{Uri.EscapeDataString(id)}", query, null, stop);

    private static QueryOptions Between(QueryOptions? query, string source, string destination) =>
        (query ?? new()).With("source", source).With("destination", destination);
}
