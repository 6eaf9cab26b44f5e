using System.Buffers.Binary;
using Microsoft.Data.Sqlite;
using Praetor.Server.State;

namespace Praetor.Server.Storage;

/// <summary>Keeps the state in one SQLite file: write-ahead log, a sync for every commit.</summary>
/// <remarks>
/// SQLite makes the durable calls itself, in native code: .NET's own flush hides failures on Linux. One batch is one
/// transaction, so one sync carries all the writes that gathered while the one before was under way.
/// </remarks>
public sealed class SqliteEngine : IStorageEngine
{
    private const int SqliteFull = 13;
    private const int IndexBytes = 16;

    // A longer log makes checkpoints rarer: 4,000 pages of 4 KiB are 16 MiB, written back in some 20 ms.
    private const int CheckpointPages = 4000;

    private readonly SqliteConnection _connection;
    private readonly SqliteCommand _put;
    private readonly SqliteCommand _delete;
    private readonly SqliteCommand _index;
    private readonly string _path;

    /// <summary>Opens the file, or makes it, readable by its owner only.</summary>
    /// <exception cref="StorageFailedException">The file cannot be opened, or another process has it open.</exception>
    public SqliteEngine(string path)
    {
        _path = path;
        try
        {
            CreatePrivately(path);
            SQLitePCL.Batteries_V2.Init();
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
        }
        catch (Exception e) when (e is SqliteException or IOException or UnauthorizedAccessException)
        {
            throw new StorageFailedException($"{path}: cannot be opened ({e.Message}); is another agent using it?", e);
        }

        _put = Prepare(
            "INSERT OR REPLACE INTO record(tbl, key, value) VALUES($tbl, $key, $value)", "$tbl", "$key", "$value");
        _delete = Prepare("DELETE FROM record WHERE tbl = $tbl AND key = $key", "$tbl", "$key");
        _index = Prepare("INSERT OR REPLACE INTO last(id, idx) VALUES(1, $idx)", "$idx");
    }

    /// <inheritdoc/>
    public string Name => "sqlite";

    /// <inheritdoc/>
    public ulong Load(Action<StoredRow> visit)
    {
        try
        {
            using var rows = _connection.CreateCommand();
            rows.CommandText = "SELECT tbl, value FROM record";
            using var reader = rows.ExecuteReader();
            while (reader.Read())
            {
                visit(ReadRow(reader.GetByte(0), (byte[])reader.GetValue(1)));
            }

            using var last = _connection.CreateCommand();
            last.CommandText = "SELECT idx FROM last";
            return last.ExecuteScalar() is long index ? (ulong)index : 0;
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
            using var transaction = _connection.BeginTransaction();
            _put.Transaction = _delete.Transaction = _index.Transaction = transaction;
            foreach (var change in batch.Changes)
            {
                Write(change);
            }

            _index.Parameters[0].Value = (long)batch.LastIndex;
            _index.ExecuteNonQuery();
            transaction.Commit();
        }
        catch (SqliteException e) when (e.SqliteErrorCode == SqliteFull)
        {
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
        _put.Dispose();
        _delete.Dispose();
        _index.Dispose();
        _connection.Dispose();
    }

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

    private StoredRow ReadRow(byte table, byte[] value)
    {
        if (value.Length < IndexBytes)
        {
            throw new StorageFailedException($"{_path}: a row of table {table} is cut short; restore a snapshot");
        }

        return new StoredRow(
            table,
            BinaryPrimitives.ReadUInt64LittleEndian(value),
            BinaryPrimitives.ReadUInt64LittleEndian(value.AsSpan(8)),
            value[IndexBytes..]);
    }

    private void Write(RecordChange change)
    {
        if (change.Record is null)
        {
            _delete.Parameters[0].Value = change.Table.Id;
            _delete.Parameters[1].Value = change.Key;
            _delete.ExecuteNonQuery();
            return;
        }

        var body = change.Table.Encode(change.Record);
        var value = new byte[IndexBytes + body.Length];
        BinaryPrimitives.WriteUInt64LittleEndian(value, change.Record.CreateIndex);
        BinaryPrimitives.WriteUInt64LittleEndian(value.AsSpan(8), change.Record.ModifyIndex);
        body.CopyTo(value, IndexBytes);
        _put.Parameters[0].Value = change.Table.Id;
        _put.Parameters[1].Value = change.Key;
        _put.Parameters[2].Value = value;
        _put.ExecuteNonQuery();
    }

    private void Execute(string sql)
    {
        using var command = _connection.CreateCommand();
        command.CommandText = sql;
        command.ExecuteNonQuery();
    }

    private SqliteCommand Prepare(string sql, params ReadOnlySpan<string> names)
    {
        var command = _connection.CreateCommand();
        command.CommandText = sql;
        foreach (var name in names)
        {
            command.Parameters.Add(new SqliteParameter { ParameterName = name });
        }

        command.Prepare();
        return command;
    }
}
