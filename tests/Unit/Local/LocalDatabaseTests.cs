using Microsoft.Data.Sqlite;
using Praetor.Agent.Local;
using Shouldly;
using Support;
using Xunit;

namespace Unit.Local;

public sealed class LocalDatabaseTests
{
    private const int LargeBytes = 256 * 1024;

    [Fact]
    public async Task After_a_failed_write_nothing_is_promised_any_more()
    {
        using var folder = new TempFolder("database");
        var path = folder.File("local.db");
        RefuseIn(path, "bad");
        using var database = new LocalDatabase(path);
        var failures = 0;
        database.Failed += _ => Interlocked.Increment(ref failures);

        await database.CommitAsync([Put("first")]);
        await Should.ThrowAsync<IOException>(database.CommitAsync([Put("bad")]));
        await Should.ThrowAsync<IOException>(database.CommitAsync([Put("good")]));

        failures.ShouldBe(1);
        database.Load().Select(static row => row.Id).ShouldBe(["first"]);
    }

    [Fact]
    public async Task What_a_full_disk_refused_is_written_when_there_is_room()
    {
        using var folder = new TempFolder("database");
        using var database = new LocalDatabase(folder.File("local.db"));
        await database.CommitAsync([Put("first")]);
        database.LimitPages(8);

        await Should.ThrowAsync<IOException>(database.CommitAsync([Put("large", LargeBytes), Put("beside")]));
        database.LimitPages(1_000_000);
        await database.CommitAsync([Put("next")]);

        database.Load().Select(static row => row.Id).Order().ShouldBe(["beside", "first", "large", "next"]);
    }

    [Fact]
    public void A_damaged_file_is_not_taken_for_one_in_use()
    {
        using var folder = new TempFolder("database");
        var path = folder.Write("local.db", new string('x', 8192));
        var message = Should.Throw<IOException>(() => new LocalDatabase(path)).Message;
        message.ShouldContain("damaged");
        message.ShouldNotContain("another agent");
    }

    private static DocumentChange Put(string id, int bytes = 1) =>
        new(LocalDocuments.TokenKind, id, () => new byte[bytes]);

    private static void RefuseIn(string path, string id)
    {
        using var connection = new SqliteConnection($"Data Source={path};Pooling=False");
        connection.Open();
        using var command = connection.CreateCommand();
        command.CommandText = $"""
            CREATE TABLE document(
                kind TEXT NOT NULL, id TEXT NOT NULL, body BLOB NOT NULL, PRIMARY KEY(kind, id)) WITHOUT ROWID;
            CREATE TRIGGER refuse BEFORE INSERT ON document WHEN NEW.id = '{id}'
            BEGIN SELECT RAISE(ABORT, 'refused'); END;
            """;
        command.ExecuteNonQuery();
    }
}
