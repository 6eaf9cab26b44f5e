using System.Buffers;
using System.Buffers.Binary;
using Microsoft.Data.Sqlite;
using Praetor.Server.State;
using SQLitePCL;

namespace Praetor.Server.Storage;

/// <summary>Keeps the state in one SQLite file: write-ahead log, a sync for every commit.</summary>
/// <remarks>
/// SQLite makes the durable calls itself, in native code: .NET's own flush hides failures on Linux. One batch is one
/// transaction, so one sync carries all the writes that gathered while the one before was under way.
/// </remarks>
public sealed class SqliteEngine : IStorageEngine
{
    private const int SqliteFull = 13;
    // Rows are put together in one buffer, which grows with the largest.
    private const int RowBytes = 4096;

    // A longer log makes checkpoints rarer: 4,000 pages of 4 KiB are 16 MiB, written back in some 20 ms.
    private const int CheckpointPages = 4000;

    private readonly SqliteConnection _connection;
    private readonly SqliteStatement _begin;
    private readonly SqliteStatement _commit;
    private readonly SqliteStatement _rollback;
    private readonly SqliteStatement _put;
    private readonly SqliteStatement _add;
    private readonly SqliteStatement _delete;
    private readonly SqliteStatement _clear;
    private readonly SqliteStatement _index;
    private readonly string _path;
    private readonly ArrayBufferWriter<byte> _row = new(RowBytes);

    /// <summary>Opens the file, or makes it, readable by its owner only.</summary>
    /// <exception cref="StorageFailedException">The file cannot be opened, or another process has it open.</exception>
    public SqliteEngine(string path)
    {
        _path = path;
        try
        {
            CreatePrivately(path);
            Batteries_V2.Init();
            _connection = new SqliteConnection($"Data Source={path};Pooling=False;Default Timeout=1");
            _connection.Open();
            Execute("PRAGMA locking_mode=EXCLUSIVE");
            Execute("PRAGMA journal_mode=WAL");
            Execute("PRAGMA synchronous=FULL");
            Execute($"PRAGMA wal_autocheckpoint={CheckpointPages}");
            Execute("""
                CREATE TABLE IF NOT EXISTS record(
                    tbl INTEGER NOT NULL, key BLOB NOT NULL, value BLOB NOT NULL, PRIMARY KEY(tbl, key)) WITHOUT ROWID
                """);
            Execute("CREATE TABLE IF NOT EXISTS last(id INTEGER PRIMARY KEY CHECK(id = 1), idx INTEGER NOT NULL)");
            _begin = new SqliteStatement(_connection.Handle!, "BEGIN IMMEDIATE");
            _commit = new SqliteStatement(_connection.Handle!, "COMMIT");
            _rollback = new SqliteStatement(_connection.Handle!, "ROLLBACK");
            _put = new SqliteStatement(_connection.Handle!, """
                INSERT INTO record(tbl, key, value) VALUES(?1, ?2, ?3)
                ON CONFLICT(tbl, key) DO UPDATE SET value = excluded.value
                """);
            _add = new SqliteStatement(_connection.Handle!, "INSERT INTO record(tbl, key, value) VALUES(?1, ?2, ?3)");
            _delete = new SqliteStatement(_connection.Handle!, "DELETE FROM record WHERE tbl = ?1 AND key = ?2");
            _clear = new SqliteStatement(_connection.Handle!, "DELETE FROM record");
            _index = new SqliteStatement(_connection.Handle!, "INSERT OR REPLACE INTO last(id, idx) VALUES(1, ?1)");
        }
        catch (Exception e) when (e is SqliteException or IOException or UnauthorizedAccessException)
        {
            throw new StorageFailedException($"{path}: cannot be opened ({e.Message}); {SqliteRemedy.For(e)}", e);
        }
    }

    /// <inheritdoc/>
    public string Name => "sqlite";

    /// <inheritdoc/>
    public ulong Load(Action<StoredRow> visit)
    {
        try
        {
            using var rows = new SqliteStatement(_connection.Handle!, "SELECT tbl, value FROM record");
            var newest = 0UL;
            while (rows.Next())
            {
                var row = ReadRow((byte)rows.Number(0), rows.Bytes(1));
                newest = Math.Max(newest, row.ModifyIndex);
                visit(row);
            }

            using var last = _connection.CreateCommand();
            last.CommandText = "SELECT idx FROM last";
            return last.ExecuteScalar() is long index ? Math.Max(newest, (ulong)index) : newest;
        }
        catch (SqliteException e)
        {
            throw new StorageFailedException($"{_path}: cannot be read ({e.Message}); restore a snapshot", e);
        }
    }

    /// <inheritdoc/>
    public void Commit(CommitBatch batch)
    {
        try
        {
            _begin.Run();
            if (batch.Whole is { } state)
            {
                _clear.Run();
                WriteAll(state);
            }
            else
            {
                foreach (var change in batch.Changes)
                {
                    Write(change);
                }
            }

            // One page less to write and to check: a row that was put tells the index of the batch, too.
            if (batch.Changes is not [.., { Record.ModifyIndex: var index }] || index != batch.LastIndex)
            {
                _index.Bind(1, (long)batch.LastIndex).Run();
            }

            _commit.Run();
        }
        catch (SqliteException e) when (e.SqliteErrorCode == SqliteFull)
        {
            Rollback();
            throw new StorageFullException($"{_path}: no space left to write to; free some", e);
        }
        catch (SqliteException e)
        {
            throw new StorageFailedException($"{_path}: a write failed ({e.Message}); see to the disk", e);
        }
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        foreach (var statement in (SqliteStatement[])[_begin, _commit, _rollback, _put, _add, _delete, _clear, _index])
        {
            statement.Dispose();
        }

        _connection.Dispose();
    }

    /// <summary>Bounds the file, so that a test sees a full disk.</summary>
    internal void LimitPages(int pages) => Execute($"PRAGMA max_page_count={pages}");

    private static void CreatePrivately(string path)
    {
        var options = new FileStreamOptions
        {
            Mode = FileMode.OpenOrCreate,
            Access = FileAccess.ReadWrite,
            Share = FileShare.ReadWrite,
        };
        if (!OperatingSystem.IsWindows())
        {
            options.UnixCreateMode = UnixFileMode.UserRead | UnixFileMode.UserWrite;
        }

        using var file = new FileStream(path, options);
    }

    private StoredRow ReadRow(byte table, ReadOnlySpan<byte> value)
    {
        if (value.Length < RowBlock.IndexBytes)
        {
            throw new StorageFailedException($"{_path}: a row of table {table} is cut short; restore a snapshot");
        }

        return new StoredRow(
            table,
            BinaryPrimitives.ReadUInt64LittleEndian(value),
            BinaryPrimitives.ReadUInt64LittleEndian(value[sizeof(ulong)..]),
            value[RowBlock.IndexBytes..].ToArray());
    }

    private void Write(RecordChange change)
    {
        if (change.Record is null)
        {
            _delete.Bind(1, change.Table.Id).Bind(2, change.Key).Run();
            return;
        }

        _row.ResetWrittenCount();
        RowBlock.Write(_row, change);
        _put.Bind(1, change.Table.Id).Bind(2, change.Key).Bind(3, _row.WrittenSpan).Run();
    }

    // While one block is written the next is encoded. In the order of the keys pages fill one after the other.
    private void WriteAll(StateSnapshot state)
    {
        using var records = state.Records().GetEnumerator();
        var (now, next) = (new RowBlock().Fill(records), new RowBlock());
        while (!now.IsLast)
        {
            var filling = Task.Run(() => next.Fill(records));
            try
            {
                Write(now);
            }
            finally
            {
                // Also when there is no room: it reads the state until then.
                Task.WaitAny(filling);
            }

            (now, next) = (filling.GetAwaiter().GetResult(), now);
        }

        Write(now);
    }

    private void Write(RowBlock block)
    {
        for (var row = 0; row < block.Count; row++)
        {
            var (table, key) = block[row];
            _add.Bind(1, table).Bind(2, key).Bind(3, block.Value(row)).Run();
        }
    }

    // SQLite may have taken the transaction back itself.
    private void Rollback()
    {
        if (raw.sqlite3_get_autocommit(_connection.Handle) != 0)
        {
            return;
        }

        try
        {
            _rollback.Run();
        }
        catch (SqliteException e)
        {
            throw new StorageFailedException($"{_path}: a write cannot be undone ({e.Message}); see to the disk", e);
        }
    }

    private void Execute(string sql)
    {
        using var command = _connection.CreateCommand();
        command.CommandText = sql;
        command.ExecuteNonQuery();
    }
}
