using Praetor.Server.Model;
using Praetor.Server.Storage;

namespace Praetor.Server.State;

/// <summary>Makes records of stored rows while further rows are being read, and hands them on in their order.</summary>
/// <remarks>Rows are decoded in blocks, on other threads; who adds them takes the records, too.</remarks>
internal sealed class RowsDecoder(Action<Table, StoredRecord> take)
{
    private const int BlockRows = 1024;

    // Enough for every processor to have one while the oldest is taken.
    private static readonly int BlocksMax = Environment.ProcessorCount + 1;

    private readonly Queue<Task<(Table Table, StoredRecord Record)[]>> _blocks = new();
    private List<StoredRow> _rows = new(BlockRows);

    /// <summary>Takes the next row.</summary>
    /// <exception cref="StorageFailedException">One of those before it is of no table of this version.</exception>
    public void Add(StoredRow row)
    {
        _rows.Add(row);
        if (_rows.Count == BlockRows)
        {
            Decode();
        }
    }

    /// <summary>Hands on all that is left.</summary>
    /// <exception cref="StorageFailedException">A row is of no table of this version.</exception>
    public void End()
    {
        while (_blocks.Count > 0)
        {
            TakeOldest();
        }

        // Little is not worth another thread.
        foreach (var row in _rows)
        {
            var (table, record) = Decode(row);
            take(table, record);
        }
    }

    private void Decode()
    {
        var rows = _rows;
        _rows = new List<StoredRow>(BlockRows);
        _blocks.Enqueue(Task.Run(() => rows.Select(Decode).ToArray()));
        if (_blocks.Count > BlocksMax)
        {
            TakeOldest();
        }
    }

    private void TakeOldest()
    {
        foreach (var (table, record) in _blocks.Dequeue().GetAwaiter().GetResult())
        {
            take(table, record);
        }
    }

    private static (Table Table, StoredRecord Record) Decode(StoredRow row)
    {
        var table = Tables.ById(row.TableId) ?? throw new StorageFailedException(
            $"the data holds table {row.TableId}, which this version does not know; run the newer version");
        var record = table.Decode(row.Value);
        return (table, record.CreateIndex == row.CreateIndex && record.ModifyIndex == row.ModifyIndex
            ? record : record with { CreateIndex = row.CreateIndex, ModifyIndex = row.ModifyIndex });
    }
}
