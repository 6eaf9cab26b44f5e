using Praetor.Server.ConfigEntries;
using Praetor.Server.ConfigEntries.Kinds;
using Praetor.Server.Model;
using Praetor.Server.State;

namespace Praetor.Server.Intentions;

/// <summary>Makes an intention; answers its id.</summary>
/// <param name="books">Where all intentions are known from.</param>
/// <param name="given">What the client wrote.</param>
/// <param name="id">The id it gets.</param>
/// <param name="now">The time.</param>
public sealed class CreateIntention(IntentionBooks books, Intention given, string id, DateTimeOffset now)
    : Command<string>
{
    /// <inheritdoc/>
    protected override Outcome<string> Apply(WriteTransaction tx) =>
        IntentionWrites.Editor(tx, books, now).TryCreate(given, id, out var change, out var refusal)
            ? IntentionWrites.Do(tx, change, id)
            : refusal;
}

/// <summary>Changes the intention with an id; answers the id.</summary>
/// <param name="books">Where all intentions are known from.</param>
/// <param name="id">The id.</param>
/// <param name="given">What the client wrote.</param>
/// <param name="now">The time.</param>
public sealed class UpdateIntention(IntentionBooks books, string id, Intention given, DateTimeOffset now)
    : Command<string>
{
    /// <inheritdoc/>
    protected override Outcome<string> Apply(WriteTransaction tx) =>
        IntentionWrites.Editor(tx, books, now).TryUpdate(id, given, out var change, out var refusal)
            ? IntentionWrites.Do(tx, change, id)
            : refusal;
}

/// <summary>Deletes the intention with an id.</summary>
/// <param name="books">Where all intentions are known from.</param>
/// <param name="id">The id.</param>
/// <param name="now">The time.</param>
public sealed class DeleteIntention(IntentionBooks books, string id, DateTimeOffset now) : Command<bool>
{
    /// <inheritdoc/>
    protected override Outcome<bool> Apply(WriteTransaction tx) =>
        IntentionWrites.Editor(tx, books, now).TryDelete(id, out var change, out var refusal)
            ? IntentionWrites.Do(tx, change, true)
            : refusal;
}

/// <summary>Makes or changes the intention of a pair.</summary>
/// <param name="books">Where all intentions are known from.</param>
/// <param name="source">Who connects.</param>
/// <param name="destination">What is reached.</param>
/// <param name="given">What the client wrote.</param>
/// <param name="now">The time.</param>
public sealed class UpsertIntention(
    IntentionBooks books, IntentionName source, string destination, Intention given, DateTimeOffset now)
    : Command<bool>
{
    /// <inheritdoc/>
    protected override Outcome<bool> Apply(WriteTransaction tx) =>
        IntentionWrites.Editor(tx, books, now).TryUpsert(source, destination, given, out var change, out var refusal)
            ? IntentionWrites.Do(tx, change, true)
            : refusal;
}

/// <summary>Deletes the intention of a pair, if there is one.</summary>
/// <param name="books">Where all intentions are known from.</param>
/// <param name="source">Who connects.</param>
/// <param name="destination">What is reached.</param>
/// <param name="now">The time.</param>
public sealed class DeleteExactIntention(
    IntentionBooks books, IntentionName source, string destination, DateTimeOffset now) : Command<bool>
{
    /// <inheritdoc/>
    protected override Outcome<bool> Apply(WriteTransaction tx) =>
        IntentionWrites.Do(tx, IntentionWrites.Editor(tx, books, now).DeleteExact(source, destination), true);
}

/// <summary>What all commands do to intentions alike.</summary>
internal static class IntentionWrites
{
    private const string Kind = ServiceIntentionsKind.Name;

    public static IntentionEditor Editor(WriteTransaction tx, IntentionBooks books, DateTimeOffset now) => new(
        books.Of(tx),
        name => ConfigWrites.Peek(tx, Kind, name) is { } record ? ConfigEntry.FromStorage(record.Json) : null,
        now);

    public static Outcome<T> Do<T>(WriteTransaction tx, IntentionChange change, T result)
    {
        foreach (var entry in change.Puts)
        {
            ConfigWrites.Put(tx, entry, ConfigWrites.Peek(tx, Kind, entry.Name));
        }

        foreach (var name in change.Deletes)
        {
            if (ConfigWrites.Peek(tx, Kind, name) is { } record)
            {
                tx.Delete(Tables.ConfigEntries, record);
            }
        }

        return result;
    }
}
