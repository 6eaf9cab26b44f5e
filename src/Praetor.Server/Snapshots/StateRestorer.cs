using Codecs.MessagePack;
using Codecs.Snapshots;
using Praetor.Server.ConfigEntries;
using Praetor.Server.Model;
using Praetor.Server.State;

namespace Praetor.Server.Snapshots;

/// <summary>A state from an archive, ready to take the place of another.</summary>
/// <param name="Image">The state.</param>
/// <param name="Meta">What the archive says of itself.</param>
/// <param name="Kept">Records that were kept for later versions, by type.</param>
/// <param name="Skipped">Records that were stepped over, by type.</param>
/// <param name="Warnings">What else is not as it was, with how often.</param>
public sealed record RestoredState(
    StateImage Image, SnapshotMeta Meta, IReadOnlyDictionary<string, int> Kept,
    IReadOnlyDictionary<string, int> Skipped, IReadOnlyDictionary<string, int> Warnings);

/// <summary>Puts a state together from the records of an archive.</summary>
/// <remarks>Used by one thread at a time. What is wrong with an archive ends it, and nothing of it counts.</remarks>
public sealed class StateRestorer
{
    private readonly StateImage _image = new();
    private readonly SortedDictionary<string, int> _kept = new(StringComparer.Ordinal);
    private readonly SortedDictionary<string, int> _skipped = new(StringComparer.Ordinal);
    private readonly SortedDictionary<string, int> _warnings = new(StringComparer.Ordinal);
    private readonly List<OldIntention> _intentions = [];
    private readonly RecordRelay _relay;
    private string _lastNode = "";
    private int _keptCount;

    private StateRestorer() => _relay = new RecordRelay(Take);

    /// <summary>The index of the state's last change.</summary>
    internal ulong LastIndex { get; private set; }

    /// <summary>The parts of the certificate authority.</summary>
    internal CaPieces Ca { get; } = new();

    /// <summary>What many records say alike.</summary>
    internal MessagePackPool Pool { get; } = new();

    /// <summary>What was put together so far; only primary indexes are complete.</summary>
    internal ReadView View => _image.View;

    /// <summary>Reads a whole archive, on a thread of its own.</summary>
    /// <param name="archive">The archive; its reads may wait.</param>
    /// <exception cref="SnapshotException">It is no sound archive.</exception>
    public static async Task<RestoredState> ReadAsync(Stream archive)
    {
        var done = new TaskCompletionSource<RestoredState>(TaskCreationOptions.RunContinuationsAsynchronously);
        StateThread.Start("snapshot restore", () =>
        {
            try
            {
                done.SetResult(Read(archive));
            }
            catch (Exception e) // supervisor: whatever it is, who waits hears of it
            {
                done.SetException(e);
            }
        });
        return await done.Task;
    }

    /// <summary>Reads a whole archive; needs a stack as deep as a key may be long.</summary>
    /// <exception cref="SnapshotException">It is no sound archive.</exception>
    internal static RestoredState Read(Stream archive)
    {
        // One thread unpacks and checks the archive, the other makes records of what comes out.
        var restorer = new StateRestorer();
        using var relay = restorer._relay;
        SnapshotMeta meta;
        try
        {
            meta = SnapshotReader.Read(archive, restorer.Begin, relay.Add);
        }
        catch (SnapshotException)
        {
            // What was wrong with a record before it comes first.
            relay.End();
            throw;
        }

        relay.End();
        restorer.Finish();
        return new RestoredState(
            restorer._image, meta, restorer._kept, restorer._skipped, restorer._warnings);
    }

    /// <summary>A record that is not what its type says.</summary>
    internal static SnapshotException Malformed(byte type, string why) =>
        new($"failed to read snapshot: a record of type {SnapshotRecordTypes.NameOf(type)} cannot be read: {why}");

    /// <summary>Whether everything that was asked of a record was there as it is wanted.</summary>
    internal bool IsSound(scoped in MessagePackMap map, byte type) =>
        map.Problem is { } problem ? throw Malformed(type, problem) : true;

    /// <summary>Adds a record; the first with a key counts.</summary>
    internal void Add<T>(Table<T> table, T record)
        where T : StoredRecord
    {
        if (record.ModifyIndex > SnapshotLimits.IndexMax)
        {
            throw new SnapshotException($"failed to read snapshot: an index is above {SnapshotLimits.IndexMax}");
        }

        // A name ends with a zero byte where it is part of a key.
        if (HasZero(record))
        {
            throw new SnapshotException($"failed to read snapshot: a name in {table.Name} holds a zero byte");
        }

        if (!_image.TryAdd(table, record))
        {
            Skip($"{table.Name} (a second one with the same name)");
        }
    }

    /// <summary>Whether a node is the one that was added last: it comes again with all that is on it.</summary>
    internal bool IsLastNode(string name) => _lastNode == name;

    internal void AddNode(NodeRecord node)
    {
        _lastNode = node.Name;
        if (_image.View.Peek(Tables.NodesByName, KeyBytes.Folded(node.Name)) is null)
        {
            Add(Tables.Nodes, node);
        }
    }

    internal void Add(OldIntention intention) => _intentions.Add(intention);

    /// <summary>Adds an entry as it was stored.</summary>
    internal void AddEntry(ConfigEntryRecord record)
    {
        try
        {
            ConfigEntry.FromStorage(record.Json);
        }
        catch (Exception e) when (e is System.Text.Json.JsonException or ArgumentException)
        {
            throw Malformed(SnapshotRecordTypes.ConfigEntry, e.Message);
        }

        Add(Tables.ConfigEntries, record);
    }

    /// <summary>Counts a record that is kept; gives its number.</summary>
    internal int Keep(byte type)
    {
        Count(_kept, SnapshotRecordTypes.NameOf(type));
        return _keptCount++;
    }

    internal void Skip(string what) => Count(_skipped, what);

    internal void Warn(string what) => Count(_warnings, what);

    private static bool HasZero(StoredRecord record) => record switch
    {
        NodeRecord n => HasZero([n.Name, n.Id, n.Address]),
        ServiceRecord s => HasZero([s.Node, s.Id, s.Name, s.Address, s.ConnectDestination ?? ""]),
        CheckRecord c => HasZero([c.Node, c.Id, c.ServiceName, c.ServiceId, c.Status]),
        ConfigEntryRecord e => HasZero([e.Kind, e.Name]),
        DocumentRecord d => HasZero([d.Name]),
        CoordinateRecord c => HasZero([c.Node, c.Segment]),
        SessionRecord s => HasZero([s.Id, s.Node, .. s.CheckIds()]),
        _ => false,
    };

    private static bool HasZero(params ReadOnlySpan<string> names)
    {
        foreach (var name in names)
        {
            if (name.Contains('\0', StringComparison.Ordinal))
            {
                return true;
            }
        }

        return false;
    }

    private static void Count(SortedDictionary<string, int> counts, string what) =>
        counts[what] = counts.GetValueOrDefault(what) + 1;

    private void Begin(ulong lastIndex)
    {
        LastIndex = lastIndex;
        _image.Reach(lastIndex);
    }

    private void Take(byte type, ReadOnlySpan<byte> value)
    {
        if (RecordKinds.ByType[type] is not { } kind)
        {
            Skip(SnapshotRecordTypes.NameOf(type));
        }
        else
        {
            kind.Read?.Invoke(this, value);
        }
    }

    private void Finish()
    {
        IntentionRecords.Finish(this, _intentions);
        Ca.Finish(this);

        // Here, on the thread with the deep stack, and not on the writer's.
        _ = _image.Snapshot;
    }
}
