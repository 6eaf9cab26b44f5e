using Praetor.Server.Catalog;
using Praetor.Server.Kv;
using Praetor.Server.Model;
using Praetor.Server.State;
using Praetor.Server.Storage;
using Shouldly;
using Xunit;

namespace Unit.State;

public sealed class SqliteEngineTests : IDisposable
{
    private readonly string _path = Path.Combine(Path.GetTempPath(), $"praetor-{Guid.NewGuid():N}.db");

    public void Dispose()
    {
        foreach (var file in Directory.GetFiles(Path.GetTempPath(), Path.GetFileName(_path) + "*"))
        {
            File.Delete(file);
        }
    }

    [Fact]
    public async Task Everything_is_there_again_with_its_indexes()
    {
        ulong last;
        using (var store = new StateStore(new SqliteEngine(_path)))
        {
            await store.SubmitAsync(new PutKey("a/b", [0, 255], 42, null));
            await store.SubmitAsync(new PutKey("gone", [1], 0, null));
            await store.SubmitAsync(new DeleteKey("gone", Recurse: false, Cas: null));
            await StateStoreTests.Register(store, "n1", "web");
            last = store.Current.Index;
        }

        using var again = new StateStore(new SqliteEngine(_path));
        again.Current.Index.ShouldBe(last);
        var view = new ReadView(again.Current, tracks: false);
        var key = KvQueries.Get(view, "a/b")!;
        key.Value.ShouldBe([0, 255]);
        key.Flags.ShouldBe(42UL);
        key.ModifyIndex.ShouldBe(2UL);
        KvQueries.Get(view, "gone").ShouldBeNull();
        var instance = CatalogQueries.Instances(view, "WEB", connect: false).Single();
        instance.Service.Port.ShouldBe(80);
        instance.Health.ShouldBe(CheckStatuses.Passing);
    }

    [Fact]
    public async Task Who_waits_across_a_restart_learns_of_what_was_removed_before_it()
    {
        using (var store = new StateStore(new SqliteEngine(_path)))
        {
            await store.SubmitAsync(new PutKey("a/1", [1], 0, null));
            await store.SubmitAsync(new PutKey("a/2", [1], 0, null));
            await store.SubmitAsync(new DeleteKey("a/2", Recurse: false, Cas: null));
        }

        using var again = new StateStore(new SqliteEngine(_path));
        var view = new ReadView(again.Current, tracks: false);
        KvQueries.List(view, "a/").Count().ShouldBe(1);
        view.Index.ShouldBe(again.Current.Index);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task The_last_index_is_there_again_whether_a_row_tells_it_or_not(bool removed)
    {
        ulong last;
        using (var store = new StateStore(new SqliteEngine(_path)))
        {
            await store.SubmitAsync(new PutKey("a", [1], 0, null));
            await store.SubmitAsync(new PutKey("b", [1], 0, null));
            if (removed)
            {
                await store.SubmitAsync(new DeleteKey("b", Recurse: false, Cas: null));
            }

            last = store.Current.Index;
        }

        using var again = new StateStore(new SqliteEngine(_path));
        again.Current.Index.ShouldBe(last);
    }

    [Fact]
    public async Task A_full_disk_refuses_a_write_and_takes_later_ones()
    {
        var engine = new SqliteEngine(_path);
        using var store = new StateStore(engine);
        await store.SubmitAsync(new PutKey("a", [1], 0, null));
        engine.LimitPages(8);
        var refused = await store.SubmitAsync(new PutKey("big", new byte[100_000], 0, null));
        refused.Refusal!.Text.ShouldContain("no space left");
        KvQueries.Get(new ReadView(store.Current, tracks: false), "big").ShouldBeNull();
        (await store.SubmitAsync(new PutKey("a", [2], 0, null))).Value.ShouldBeTrue();
        engine.LimitPages(1_000_000);
        (await store.SubmitAsync(new PutKey("big", new byte[100_000], 0, null))).Value.ShouldBeTrue();
    }

    [Fact]
    public async Task A_second_process_is_told_that_the_file_is_in_use()
    {
        using var store = new StateStore(new SqliteEngine(_path));
        await store.SubmitAsync(new PutKey("a", [1], 0, null));
        Should.Throw<StorageFailedException>(() => new SqliteEngine(_path)).Message.ShouldContain("another agent");
    }

    [Fact]
    public void A_damaged_file_is_not_taken_for_one_in_use()
    {
        File.WriteAllBytes(_path, [.. Enumerable.Repeat((byte)'x', 8192)]);
        var message = Should.Throw<StorageFailedException>(() => new SqliteEngine(_path)).Message;
        message.ShouldContain("restore a snapshot");
        message.ShouldNotContain("another agent");
    }

    [Theory]
    [InlineData(SQLitePCL.raw.SQLITE_BUSY, "another agent")]
    [InlineData(SQLitePCL.raw.SQLITE_NOTADB, "damaged")]
    [InlineData(SQLitePCL.raw.SQLITE_CORRUPT, "damaged")]
    [InlineData(SQLitePCL.raw.SQLITE_READONLY, "read-only")]
    [InlineData(SQLitePCL.raw.SQLITE_CANTOPEN, "read-only")]
    [InlineData(SQLitePCL.raw.SQLITE_FULL, "no space")]
    [InlineData(SQLitePCL.raw.SQLITE_IOERR, "disk")]
    public void What_to_do_depends_on_why_the_file_cannot_be_opened(int code, string remedy) =>
        SqliteRemedy.For(new Microsoft.Data.Sqlite.SqliteException("no", code)).ShouldContain(remedy);

    [Fact]
    public void Only_the_owner_may_read_the_file()
    {
        using var engine = new SqliteEngine(_path);
        if (!OperatingSystem.IsWindows())
        {
            File.GetUnixFileMode(_path).ShouldBe(UnixFileMode.UserRead | UnixFileMode.UserWrite);
        }
    }
}
