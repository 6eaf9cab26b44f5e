using Microsoft.Data.Sqlite;
using Praetor.Server.Storage;

namespace Praetor.Agent.Local;

/// <summary>Keeps what clients registered, in one SQLite file beside the state: documents by kind and id.</summary>
/// <remarks>
/// One thread writes. What gathers while one transaction is synced goes into the next, so the cost of a sync is shared
/// by all who registered meanwhile, and a service with its checks and sidecar becomes durable as a whole.
/// </remarks>
public sealed class LocalDatabase : IDisposable
{
    /// <summary>After this long, what a full disk refused is tried again, should nothing else be written.</summary>
    public static readonly TimeSpan RetryAfter = TimeSpan.FromSeconds(5);

    /// <summary>How many edits may wait for the disk; more are refused at once rather than pile up.</summary>
    public const int PendingEditsMax = 16 * 1024;

    private const int CheckpointPages = 1000;

    private readonly Lock _gate = new();
    private readonly AutoResetEvent _arrived = new(false);
    private readonly SqliteConnection _connection;
    private readonly SqliteCommand _put;
    private readonly SqliteCommand _delete;
    private readonly Thread _writer;
    private readonly string _path;
    private List<Pending> _pending = [];
    private bool _stopping;

    // Once a sync has failed nobody knows what is on the disk: nothing is written or promised any more.
    private volatile IOException? _failed;

    // What a full disk refused, newest change of each document; the writer's own. The state holds it already, so it
    // goes into the next write that succeeds. There are no more than documents.
    private readonly Dictionary<(string Kind, string Id), DocumentChange> _owed = [];

    /// <summary>Opens the file, or makes it, readable by its owner only.</summary>
    /// <exception cref="IOException">The file cannot be opened, or another process has it open.</exception>
    public LocalDatabase(string path)
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
                CREATE TABLE IF NOT EXISTS document(
                    kind TEXT NOT NULL, id TEXT NOT NULL, body BLOB NOT NULL, PRIMARY KEY(kind, id)) WITHOUT ROWID
                """);
            _put = Prepare(
                "INSERT OR REPLACE INTO document(kind, id, body) VALUES($kind, $id, $body)", "$kind", "$id", "$body");
            _delete = Prepare("DELETE FROM document WHERE kind = $kind AND id = $id", "$kind", "$id");
        }
        catch (Exception e) when (e is SqliteException or UnauthorizedAccessException or IOException)
        {
            throw new IOException($"{path}: cannot be opened ({e.Message}); {SqliteRemedy.For(e)}", e);
        }

        _writer = new Thread(Run) { Name = "local writer", IsBackground = true };
        _writer.Start();
    }

    /// <summary>Told, once, when durability cannot be promised any more: the process must end.</summary>
    public event Action<IOException>? Failed;

    /// <summary>Reads all documents, before the first edit.</summary>
    /// <exception cref="IOException">The data cannot be read.</exception>
    internal List<(string Kind, string Id, byte[] Body)> Load()
    {
        try
        {
            using var rows = _connection.CreateCommand();
            rows.CommandText = "SELECT kind, id, body FROM document";
            using var reader = rows.ExecuteReader();
            var documents = new List<(string, string, byte[])>();
            while (reader.Read())
            {
                documents.Add((reader.GetString(0), reader.GetString(1), (byte[])reader.GetValue(2)));
            }

            return documents;
        }
        catch (SqliteException e)
        {
            throw new IOException($"{_path}: cannot be read ({e.Message}); restore it or remove it", e);
        }
    }

    /// <summary>Writes changes as a whole; ends when a power loss no longer takes them away.</summary>
    /// <remarks>
    /// The task fails when the disk is full; the changes are then written as soon as there is room again. After any
    /// other failure this and all later ones are refused.
    /// </remarks>
    internal Task CommitAsync(IReadOnlyList<DocumentChange> changes)
    {
        var pending = new Pending(changes);
        lock (_gate)
        {
            if (_failed is { } failed)
            {
                return Task.FromException(failed);
            }

            if (_stopping || _pending.Count >= PendingEditsMax)
            {
                return Task.FromException(new IOException(
                    $"{_path}: not written, {(_stopping ? "the agent is stopping" : "too many writes wait")}"));
            }

            _pending.Add(pending);
            if (_pending.Count == 1)
            {
                _arrived.Set();
            }
        }

        return pending.Done.Task;
    }

    /// <summary>Bounds the file, as a full disk would.</summary>
    internal void LimitPages(long pages) => Execute(string.Create(
        System.Globalization.CultureInfo.InvariantCulture, $"PRAGMA max_page_count={pages}"));

    /// <summary>Writes what is waiting and closes the file.</summary>
    public void Dispose()
    {
        lock (_gate)
        {
            if (_stopping)
            {
                return;
            }

            _stopping = true;
        }

        _arrived.Set();
        _writer.Join();
        _put.Dispose();
        _delete.Dispose();
        _connection.Dispose();
        _arrived.Dispose();
    }

    private static void CreatePrivately(string path)
    {
        var options = new FileStreamOptions
        {
            Mode = FileMode.OpenOrCreate, Access = FileAccess.ReadWrite, Share = FileShare.ReadWrite,
        };
        if (!OperatingSystem.IsWindows())
        {
            options.UnixCreateMode = UnixFileMode.UserRead | UnixFileMode.UserWrite;
        }

        using var file = new FileStream(path, options);
    }

    private void Run()
    {
        var batch = new List<Pending>();
        while (true)
        {
            bool stopping;
            lock (_gate)
            {
                (batch, _pending) = (_pending, batch);
                stopping = _stopping;
            }

            if (batch.Count > 0)
            {
                Commit(batch);
                batch.Clear();
            }
            else if (stopping)
            {
                Commit(batch);
                return;
            }
            else if (!_arrived.WaitOne(_owed.Count > 0 ? RetryAfter : Timeout.InfiniteTimeSpan))
            {
                Commit(batch);
            }
        }
    }

    private void Commit(List<Pending> batch)
    {
        if (_failed is { } failed)
        {
            batch.ForEach(pending => pending.Done.TrySetException(failed));
            return;
        }

        if (batch.Count == 0 && _owed.Count == 0)
        {
            return;
        }

        try
        {
            using var transaction = _connection.BeginTransaction();
            _put.Transaction = _delete.Transaction = transaction;
            foreach (var change in _owed.Values.Concat(batch.SelectMany(static pending => pending.Changes)))
            {
                Write(change);
            }

            transaction.Commit();
        }
        catch (SqliteException e)
        {
            Refuse(batch, e);
            return;
        }

        _owed.Clear();
        batch.ForEach(static pending => pending.Done.TrySetResult());
    }

    private void Refuse(List<Pending> batch, SqliteException e)
    {
        var failure = new IOException($"{_path}: a write failed ({e.Message}); see to the disk", e);
        if (e.SqliteErrorCode == SQLitePCL.raw.SQLITE_FULL)
        {
            foreach (var change in batch.SelectMany(static pending => pending.Changes))
            {
                _owed[(change.Kind, change.Id)] = change;
            }
        }
        else
        {
            _failed = failure;
        }

        // Whoever ends the process hears of it before those whose writes are gone.
        if (_failed is not null)
        {
            Failed?.Invoke(failure);
        }

        batch.ForEach(pending => pending.Done.TrySetException(failure));
    }

    private void Write(DocumentChange change)
    {
        var command = change.Encode is null ? _delete : _put;
        command.Parameters[0].Value = change.Kind;
        command.Parameters[1].Value = change.Id;
        if (change.Encode is not null)
        {
            command.Parameters[2].Value = change.Encode();
        }

        command.ExecuteNonQuery();
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

    private sealed record Pending(IReadOnlyList<DocumentChange> Changes)
    {
        public TaskCompletionSource Done { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);
    }
}
