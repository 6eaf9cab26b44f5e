using System.Runtime.CompilerServices;
using Praetor.Server.ConfigEntries;
using Praetor.Server.ConfigEntries.Kinds;
using Praetor.Server.Model;
using Praetor.Server.State;

namespace Praetor.Server.Intentions;

// A book is made once for every change of the entries, not for every question. It is kept with the tree that it was
// made from: trees are immutable, so the same tree means the same intentions, also for a batch that was never
// published. What one entry says is kept with its record for as long as the record lives, so a change of one entry
// costs reading that entry and sorting all.

/// <summary>Gives the book of all intentions of a state, made anew only when they changed.</summary>
public sealed class IntentionBooks
{
    private static readonly byte[] Prefix = KeyBytes.Folded(ServiceIntentionsKind.Name);

    private readonly ConditionalWeakTable<ConfigEntryRecord, IReadOnlyList<Intention>> _ofEntries = [];
    private volatile Kept? _kept;

    /// <summary>The entries that the book is made of, as they are stored.</summary>
    public static IReadOnlyList<ConfigEntryRecord> Records(ReadView view) =>
        [.. view.Scan(Tables.ConfigByName, Prefix)];

    /// <summary>The book of entries as they are stored.</summary>
    public static IntentionBook Of(IReadOnlyList<ConfigEntryRecord> records) => new(records.SelectMany(
        static r => Intention.From(ConfigEntry.FromStorage(r.Json), r.CreateIndex, r.ModifyIndex)));

    /// <summary>The book; the answer that is made from it depends on all service-intentions entries.</summary>
    public IntentionBook Of(ReadView view)
    {
        view.NotePrefix(Tables.ConfigByName, Prefix);
        var tree = view.TreeOf(Tables.ConfigByName);
        if (_kept is { } kept && ReferenceEquals(kept.Tree, tree))
        {
            return kept.Book;
        }

        var book = new IntentionBook(view.PeekScan(Tables.ConfigByName, Prefix).SelectMany(OfEntry));
        _kept = new Kept(tree, book);
        return book;
    }

    private IReadOnlyList<Intention> OfEntry(ConfigEntryRecord record) => _ofEntries.GetValue(
        record,
        static r => Intention.From(ConfigEntry.FromStorage(r.Json), r.CreateIndex, r.ModifyIndex));

    private sealed record Kept(RadixTree<StoredRecord> Tree, IntentionBook Book);
}
