using Praetor.Server.Catalog;
using Praetor.Server.Kv;
using Praetor.Server.Model;
using Praetor.Server.Queries;
using Praetor.Server.State;
using Praetor.Server.Storage;
using Shouldly;
using Xunit;

namespace Unit.State;

public sealed class ReplaceAllTests : IDisposable
{
    private static readonly TimeSpan Long = TimeSpan.FromMinutes(1);

    private readonly string _path = Path.Combine(Path.GetTempPath(), $"praetor-{Guid.NewGuid():N}.db");

    public void Dispose()
    {
        foreach (var file in Directory.GetFiles(Path.GetTempPath(), Path.GetFileName(_path) + "*"))
        {
            File.Delete(file);
        }
    }

    [Fact]
    public async Task Nothing_of_the_state_before_is_left_and_records_keep_their_indexes()
    {
        using var store = new StateStore(new MemoryEngine());
        await store.SubmitAsync(new PutKey("old", [1], 0, null));
        await StateStoreTests.Register(store, "n1", "web");
        (await store.SubmitAsync(new Replace(Image(("new", 7))))).Value.ShouldBeTrue();
        var view = View(store);
        KvQueries.Get(view, "old").ShouldBeNull();
        CatalogQueries.Nodes(view).ShouldBeEmpty();
        KvQueries.Get(view, "new")!.ModifyIndex.ShouldBe(7UL);
    }

    [Theory]
    [InlineData(3UL)]
    [InlineData(5000UL)]
    public async Task The_index_afterwards_is_above_both_states(ulong restored)
    {
        using var store = new StateStore(new MemoryEngine());
        for (var i = 0; i < 10; i++)
        {
            await store.SubmitAsync(new PutKey("old", [(byte)i], 0, null));
        }

        var before = store.Current.Index;
        await store.SubmitAsync(new Replace(Image(("new", restored))));
        store.Current.Index.ShouldBeGreaterThan(Math.Max(before, restored));
        var view = View(store);
        KvQueries.Get(view, "new");
        view.Index.ShouldBe(store.Current.Index);
        await store.SubmitAsync(new PutKey("later", [1], 0, null));
        KvQueries.Get(View(store), "later")!.ModifyIndex.ShouldBeGreaterThan(view.Index);
    }

    [Fact]
    public async Task Who_waits_for_anything_is_woken()
    {
        using var store = new StateStore(new MemoryEngine());
        await store.SubmitAsync(new PutKey("same", [1], 0, null));
        var hub = new QueryHub(store, TimeProvider.System);
        var index = store.Current.Index;
        var stop = TestContext.Current.CancellationToken;
        var there = hub.WaitAsync("a", v => Answer(v, "same"), ignoresEqual: false, index, Long, stop);
        var absent = hub.WaitAsync("b", v => Answer(v, "x"), ignoresEqual: false, index, Long, stop);
        await store.SubmitAsync(new Replace(Image(("same", 1))));
        (await there).Index.ShouldBe(store.Current.Index);
        (await absent).Index.ShouldBe(store.Current.Index);
    }

    [Fact]
    public async Task It_stays_so_after_a_restart_and_the_index_does_not_go_backwards()
    {
        ulong last;
        using (var store = new StateStore(new SqliteEngine(_path)))
        {
            await store.SubmitAsync(new PutKey("old", [1], 0, null));
            await store.SubmitAsync(new Replace(Image(("new", 900), ("other", 12))));
            last = store.Current.Index;
        }

        using var again = new StateStore(new SqliteEngine(_path));
        again.Current.Index.ShouldBe(last);
        var view = View(again);
        KvQueries.Get(view, "old").ShouldBeNull();
        KvQueries.Get(view, "other")!.ModifyIndex.ShouldBe(12UL);
        view.Index.ShouldBe(last);
    }

    [Fact]
    public async Task Writes_of_the_same_batch_before_it_are_gone_and_those_after_it_stay()
    {
        using var store = new StateStore(new SqliteEngine(_path));
        await Task.WhenAll(
            store.SubmitAsync(new PutKey("before", [1], 0, null)),
            store.SubmitAsync(new Replace(Image(("new", 9)))),
            store.SubmitAsync(new PutKey("after", [1], 0, null)));
        KvQueries.List(View(store), "").Select(static k => k.Key).ShouldBe(["after", "new"]);
    }

    [Fact]
    public async Task A_disk_without_room_leaves_the_state_as_it_was()
    {
        var engine = new SqliteEngine(_path);
        using var store = new StateStore(engine);
        await store.SubmitAsync(new PutKey("old", [1], 0, null));
        engine.LimitPages(8);
        var image = new StateImage();
        for (var i = 0; i < 100; i++)
        {
            image.TryAdd(Tables.Kv, new KvRecord { Key = $"k{i}", Value = new byte[4096], ModifyIndex = 5 });
        }

        (await store.SubmitAsync(new Replace(image))).Refusal.ShouldNotBeNull();
        KvQueries.List(View(store), "").Select(static k => k.Key).ShouldBe(["old"]);
        (await store.SubmitAsync(new PutKey("old", [2], 0, null))).Value.ShouldBeTrue();
    }

    [Fact]
    public async Task The_store_says_that_it_was_replaced()
    {
        using var store = new StateStore(new MemoryEngine());
        var told = 0;
        store.Replaced += () => told++;
        await store.SubmitAsync(new PutKey("a", [1], 0, null));
        await store.SubmitAsync(new Replace(Image(("new", 9))));
        told.ShouldBe(1);
    }

    private static StateImage Image(params (string Key, ulong Index)[] keys)
    {
        var image = new StateImage();
        foreach (var (key, index) in keys)
        {
            image.TryAdd(Tables.Kv, new KvRecord { Key = key, Value = [1], CreateIndex = index, ModifyIndex = index });
        }

        return image;
    }

    private static ReadView View(StateStore store) => new(store.Current, tracks: false);

    private static QueryAnswer Answer(ReadView view, string key)
    {
        var value = KvQueries.Get(view, key)?.Value ?? [];
        return new QueryAnswer(view.Index, 200, "", value);
    }

    private sealed class Replace(StateImage image) : Command<bool>
    {
        protected override Outcome<bool> Apply(WriteTransaction tx)
        {
            tx.ReplaceAll(image);
            ReplacedMark.Put(tx);
            return true;
        }
    }
}
