using System.Diagnostics.CodeAnalysis;
using System.Text.Json.Nodes;
using Praetor.Server.ConfigEntries;
using Praetor.Server.ConfigEntries.Kinds;
using Praetor.Server.State;

namespace Praetor.Server.Intentions;

/// <summary>What a change of one intention does to the entries that hold them.</summary>
/// <param name="Puts">Entries to write.</param>
/// <param name="Deletes">Names of entries to delete: their last source is gone.</param>
public sealed record IntentionChange(IReadOnlyList<ConfigEntry> Puts, IReadOnlyList<string> Deletes)
{
    /// <summary>Nothing changes.</summary>
    public static readonly IntentionChange None = new([], []);
}

/// <summary>The older and the exact API over service-intentions entries: from a request to a change of
/// entries.</summary>
/// <param name="book">All intentions as they are.</param>
/// <param name="entryOf">The service-intentions entry of a destination. Null: there is none.</param>
/// <param name="now">The time of the change.</param>
public sealed class IntentionEditor(IntentionBook book, Func<string, ConfigEntry?> entryOf, DateTimeOffset now)
{
    private const string KindName = ServiceIntentionsKind.Name;
    private const int UuidLength = 36;
    private const int DescriptionLengthMax = 512;

    /// <summary>What clients are told when there is no such intention.</summary>
    public const string NotFound = "Intention not found";

    /// <summary>Finds an intention by its id.</summary>
    public static bool TryFind(
        IntentionBook book,
        string id,
        [NotNullWhen(true)] out Intention? intention,
        [NotNullWhen(false)] out Refusal? refusal)
    {
        intention = book.FindById(id);
        refusal = intention is not null ? null
            : UuidProblem(id) is { } problem ? Refusal.BadRequest(problem)
            : new Refusal(404, NotFound);
        return intention is not null;
    }

    /// <summary>Makes an intention; there must be none for the pair.</summary>
    /// <param name="given">What the client wrote.</param>
    /// <param name="newId">The id it gets.</param>
    /// <param name="change">What to do.</param>
    /// <param name="refusal">Why it was refused.</param>
    public bool TryCreate(
        Intention given,
        string newId,
        [NotNullWhen(true)] out IntentionChange? change,
        [NotNullWhen(false)] out Refusal? refusal)
    {
        change = null;
        if (given.Id.Length > 0)
        {
            refusal = Refusal.Failed("ID must be empty when creating a new intention");
            return false;
        }

        if (!IsValid(given, out refusal) || !IsFree(given, "", out refusal))
        {
            return false;
        }

        var made = given with { Id = newId, CreatedAt = now.UtcDateTime, UpdatedAt = now.UtcDateTime };
        return TryPut(made, static _ => false, out change, out refusal);
    }

    /// <summary>Changes the intention with an id; it may move to another pair.</summary>
    public bool TryUpdate(
        string id,
        Intention given,
        [NotNullWhen(true)] out IntentionChange? change,
        [NotNullWhen(false)] out Refusal? refusal)
    {
        change = null;
        if (!TryExisting(id, "modify", out var before, out refusal))
        {
            return false;
        }

        if (!IsValid(given, out refusal) || !IsFree(given, before.Id, out refusal))
        {
            return false;
        }

        var next = given with { Id = before.Id, CreatedAt = before.CreatedAt, UpdatedAt = now.UtcDateTime };
        if (!TryPut(next, s => IsSource(s, before.Id), out var put, out refusal))
        {
            return false;
        }

        change = put;
        if (Intention.SameName(before.DestinationName, next.DestinationName))
        {
            return true;
        }

        var left = Remove(before.DestinationName, s => IsSource(s, before.Id));
        change = new IntentionChange([.. put.Puts, .. left.Puts], left.Deletes);
        return true;
    }

    /// <summary>Makes or changes the intention of a pair.</summary>
    public bool TryUpsert(
        IntentionName source,
        string destination,
        Intention given,
        [NotNullWhen(true)] out IntentionChange? change,
        [NotNullWhen(false)] out Refusal? refusal)
    {
        change = null;
        if (given.Id.Length > 0)
        {
            refusal = Refusal.BadRequest("ID must be empty when an intention is named by source and destination");
            return false;
        }

        var next = given with
        {
            SourceName = source.Name,
            SourceNamespace = source.Namespace,
            SourcePeer = source.Peer,
            DestinationName = destination,
        };
        if (!IsValid(next, out refusal))
        {
            return false;
        }

        // An intention keeps the id by which older clients know it.
        if (book.FindExact(source, destination) is { Id.Length: > 0 } before)
        {
            next = next with { Id = before.Id, CreatedAt = before.CreatedAt, UpdatedAt = now.UtcDateTime };
        }

        return TryPut(next, s => Intention.FromSource(s, destination).IsSameSource(next), out change, out refusal);
    }

    /// <summary>Deletes the intention with an id.</summary>
    public bool TryDelete(
        string id, [NotNullWhen(true)] out IntentionChange? change, [NotNullWhen(false)] out Refusal? refusal)
    {
        change = null;
        if (!TryExisting(id, "delete", out var before, out refusal))
        {
            return false;
        }

        change = Remove(before.DestinationName, s => IsSource(s, before.Id));
        return true;
    }

    /// <summary>Deletes the intention of a pair; nothing happens when there is none.</summary>
    public IntentionChange DeleteExact(IntentionName source, string destination) =>
        book.FindExact(source, destination) is { } before
            ? Remove(destination, s => Intention.FromSource(s, destination).IsSameSource(before))
            : IntentionChange.None;

    private static string? UuidProblem(string id)
    {
        const string Prefix = "failed intention lookup: index error: ";
        return id.Length != UuidLength ? Prefix + "UUID must be 36 characters"
            : !Guid.TryParseExact(id, "D", out _) ? Prefix + "Invalid UUID"
            : null;
    }

    private static bool IsSource(JsonObject source, string id) =>
        Intention.SameName(ConfigEntry.Text(source, "LegacyID"), id);

    private static bool IsValid(Intention given, [NotNullWhen(false)] out Refusal? refusal)
    {
        var problems = ProblemsOf(given).ToList();
        refusal = problems.Count == 0 ? null : Refusal.Failed(ProblemText.List(problems));
        return refusal is null;
    }

    private static IEnumerable<string> ProblemsOf(Intention given)
    {
        foreach (var (name, text, space) in ((string, string, string)[])
            [("Source", given.SourceName, given.SourceNamespace),
            ("Destination", given.DestinationName, given.DestinationNamespace)])
        {
            if (text.Length == 0)
            {
                yield return $"{name}Name must be set";
            }
            else if (ServiceIntentionRules.IsPartialWildcard(text))
            {
                yield return $"{name}Name: wildcard character '*' cannot be used with partial values";
            }
            else if (space == Intention.Wildcard && text != Intention.Wildcard)
            {
                yield return $"{name}Name: exact value cannot follow wildcard namespace";
            }
        }

        if (given.DestinationNamespace is not (Intention.DefaultNamespace or Intention.Wildcard))
        {
            yield return $"Invalid DestinationNS({given.DestinationNamespace}): " +
                "Namespaces is a Consul Enterprise feature";
        }

        if (given.Description.Length > DescriptionLengthMax)
        {
            yield return $"Description exceeds maximum length {DescriptionLengthMax}";
        }

        if (given.IsLayer7 && given.Action.Length > 0)
        {
            yield return "Action must be omitted if Permissions are specified";
        }
        else if (!given.IsLayer7 && given.Action is not ("allow" or "deny"))
        {
            yield return "Action must be set to 'allow' or 'deny'";
        }

        if (given.SourceType != "consul")
        {
            yield return "SourceType must be set to 'consul'";
        }
    }

    private bool IsFree(Intention given, string ownId, [NotNullWhen(false)] out Refusal? refusal)
    {
        var other = book.All.FirstOrDefault(i => i.IsSamePair(given));
        refusal = other is null || (ownId.Length > 0 && other.Id == ownId)
            ? null
            : Refusal.Failed("duplicate intention found: " + other);
        return refusal is null;
    }

    private bool TryExisting(
        string id,
        string verb,
        [NotNullWhen(true)] out Intention? existing,
        [NotNullWhen(false)] out Refusal? refusal)
    {
        existing = book.FindById(id);
        refusal = existing is not null ? null
            : UuidProblem(id) is { } problem ? Refusal.Failed("Intention lookup failed: " + problem)
            : Refusal.Failed($"Cannot {verb} non-existent intention: '{id}'");
        return existing is not null;
    }

    private bool TryPut(
        Intention next,
        Func<JsonObject, bool> replaces,
        [NotNullWhen(true)] out IntentionChange? change,
        [NotNullWhen(false)] out Refusal? refusal)
    {
        change = null;
        var body = BodyOf(next.DestinationName);
        var sources = body["Sources"]!.AsArray();
        foreach (var old in sources.OfType<JsonObject>().Where(replaces).ToList())
        {
            sources.Remove(old);
        }

        sources.Add((JsonNode)next.ToSource());
        if (!ConfigEntryReader.TryRead(body, out var entry, out refusal))
        {
            return false;
        }

        change = new IntentionChange([entry], []);
        return true;
    }

    private IntentionChange Remove(string destination, Func<JsonObject, bool> which)
    {
        var body = BodyOf(destination);
        var sources = body["Sources"]!.AsArray();
        foreach (var old in sources.OfType<JsonObject>().Where(which).ToList())
        {
            sources.Remove(old);
        }

        var name = ConfigEntry.Text(body, "Name");
        return sources.Count == 0
            ? new IntentionChange([], [name])
            : new IntentionChange([new ConfigEntry(KindName, name, body)], []);
    }

    private JsonObject BodyOf(string destination)
    {
        var body = entryOf(destination)?.Body.DeepClone().AsObject() ??
            new JsonObject { ["Kind"] = KindName, ["Name"] = destination };
        if (body["Sources"] is not JsonArray)
        {
            body["Sources"] = new JsonArray();
        }

        return body;
    }
}
