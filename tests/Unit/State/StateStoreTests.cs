using System.Text;
using Praetor.Server.Catalog;
using Praetor.Server.Kv;
using Praetor.Server.Model;
using Praetor.Server.State;
using Praetor.Server.Storage;
using Shouldly;
using Xunit;

namespace Unit.State;

public sealed class StateStoreTests
{
    private static readonly NodeRecord Node = new() { Name = "n1", Address = "10.0.0.1", Datacenter = "dc1" };

    [Fact]
    public async Task A_key_is_there_when_its_put_is_answered()
    {
        using var store = new StateStore(new MemoryEngine());
        (await store.SubmitAsync(Put("a", "1"))).Value.ShouldBeTrue();
        Encoding.UTF8.GetString(Get(store, "a")!.Value).ShouldBe("1");
    }

    [Fact]
    public async Task Every_command_has_an_index_of_its_own_also_within_a_batch()
    {
        using var store = new StateStore(new MemoryEngine());
        await Task.WhenAll(Enumerable.Range(0, 200).Select(i => store.SubmitAsync(Put($"k{i}", "v"))));
        var indexes = KvQueries.List(View(store), "").Select(k => k.ModifyIndex).ToList();
        indexes.Distinct().Count().ShouldBe(200);
        store.Current.Index.ShouldBe(indexes.Max());
    }

    [Fact]
    public async Task Check_and_set_takes_only_the_index_that_is_there()
    {
        using var store = new StateStore(new MemoryEngine());
        (await store.SubmitAsync(new PutKey("a", [1], 0, 0))).Value.ShouldBeTrue();
        (await store.SubmitAsync(new PutKey("a", [2], 0, 0))).Value.ShouldBeFalse();
        var index = Get(store, "a")!.ModifyIndex;
        (await store.SubmitAsync(new PutKey("a", [3], 0, index))).Value.ShouldBeTrue();
        (await store.SubmitAsync(new PutKey("a", [4], 0, index))).Value.ShouldBeFalse();
        Get(store, "a")!.Value.ShouldBe([3]);
    }

    [Fact]
    public async Task The_same_value_again_is_no_change()
    {
        using var store = new StateStore(new MemoryEngine());
        await store.SubmitAsync(Put("a", "1"));
        var before = store.Current.Index;
        (await store.SubmitAsync(Put("a", "1"))).Value.ShouldBeTrue();
        store.Current.Index.ShouldBe(before);
    }

    [Fact]
    public async Task A_refused_registration_leaves_nothing_behind()
    {
        using var store = new StateStore(new MemoryEngine());
        var outcome = await store.SubmitAsync(new Register(new Registration
        {
            Node = Node,
            Checks = [new CheckRecord { Id = "c", ServiceId = "nowhere" }],
        }));
        outcome.Refusal!.Text.ShouldBe("failed inserting check: Missing service registration on node \"n1\"");
        CatalogQueries.Nodes(View(store)).ShouldBeEmpty();
    }

    [Fact]
    public async Task A_nodes_check_touches_every_service_on_it_and_no_other()
    {
        using var store = new StateStore(new MemoryEngine());
        await Register(store, "n1", "web");
        await Register(store, "n2", "db");
        var db = CatalogQueries.VersionOf(store.Current, "db", connect: false);
        await store.SubmitAsync(new Register(new Registration
        {
            Node = Node,
            SkipNodeUpdate = true,
            Checks = [new CheckRecord { Id = "serfHealth", Status = "passing" }],
        }));
        CatalogQueries.VersionOf(store.Current, "web", connect: false).ShouldBe(store.Current.Index);
        CatalogQueries.VersionOf(store.Current, "db", connect: false).ShouldBe(db);
    }

    [Theory]
    [InlineData("web", "db")]
    [InlineData("", "db")]
    [InlineData("web", "")]
    public async Task A_check_that_goes_over_to_another_service_touches_the_one_that_loses_it(string from, string to)
    {
        using var store = new StateStore(new MemoryEngine());
        await Register(store, "n1", "web");
        await Register(store, "n1", "db");
        await PutCheckAsync(store, from);
        await PutCheckAsync(store, to);
        CatalogQueries.VersionOf(store.Current, "web", connect: false).ShouldBe(store.Current.Index);
        CatalogQueries.VersionOf(store.Current, "db", connect: false).ShouldBe(store.Current.Index);
    }

    [Fact]
    public async Task A_node_takes_its_services_and_checks_with_it()
    {
        using var store = new StateStore(new MemoryEngine());
        await Register(store, "n1", "web");
        await store.SubmitAsync(new Deregister("N1", "", ""));
        var view = View(store);
        CatalogQueries.Nodes(view).ShouldBeEmpty();
        CatalogQueries.Services(view).ShouldBeEmpty();
        CatalogQueries.ChecksIn(view, "any").ShouldBeEmpty();
    }

    [Fact]
    public async Task An_instance_that_takes_another_name_keeps_its_checks()
    {
        using var store = new StateStore(new MemoryEngine());
        await Register(store, "n1", "web");
        await store.SubmitAsync(new Register(new Registration
        {
            Node = Node,
            Checks = [new CheckRecord { Id = "web-check", ServiceId = "WEB", Status = "critical" }],
        }));
        await store.SubmitAsync(new Register(new Registration
        {
            Node = Node,
            Service = new ServiceRecord { Id = "web", Name = "web2", Port = 80 },
        }));
        CatalogQueries.Instances(View(store), "web2", connect: false).Single().Health.ShouldBe(CheckStatuses.Critical);
    }

    [Fact]
    public async Task A_machine_renamed_is_found_under_its_new_name_only()
    {
        using var store = new StateStore(new MemoryEngine());
        var id = "11111111-2222-3333-4444-555555555555";
        await store.SubmitAsync(new Register(new Registration { Node = Node with { Id = id } }));
        await store.SubmitAsync(new Register(new Registration { Node = Node with { Id = id, Name = "n9" } }));
        CatalogQueries.Nodes(View(store)).Select(n => n.Name).ShouldBe(["n9"]);
    }

    [Fact]
    public async Task A_batch_that_finds_the_disk_full_changes_nothing_and_the_next_one_works()
    {
        var engine = new FillingEngine();
        using var store = new StateStore(engine);
        await store.SubmitAsync(Put("a", "1"));
        engine.IsFull = true;
        (await store.SubmitAsync(Put("a", "2"))).Refusal!.Status.ShouldBe(500);
        Encoding.UTF8.GetString(Get(store, "a")!.Value).ShouldBe("1");
        engine.IsFull = false;
        (await store.SubmitAsync(Put("a", "3"))).Value.ShouldBeTrue();
        Encoding.UTF8.GetString(Get(store, "a")!.Value).ShouldBe("3");
    }

    [Fact]
    public async Task After_a_failed_commit_nothing_more_is_acknowledged()
    {
        var engine = new FillingEngine { IsBroken = true };
        using var store = new StateStore(engine);
        StorageFailedException? told = null;
        store.Failed += e => told = e;
        (await store.SubmitAsync(Put("a", "1"))).Refusal.ShouldNotBeNull();
        engine.IsBroken = false;
        (await store.SubmitAsync(Put("b", "1"))).Refusal.ShouldNotBeNull();
        told.ShouldNotBeNull();
        Get(store, "a").ShouldBeNull();
    }

    [Fact]
    public async Task Those_who_waited_behind_a_failed_sync_are_refused_too_and_the_engine_is_not_asked_again()
    {
        var engine = new StickingEngine();
        using var store = new StateStore(engine);
        var told = 0;
        store.Failed += _ => Interlocked.Increment(ref told);
        var first = store.SubmitAsync(Put("first", "1"));
        engine.Reached.Wait(TestContext.Current.CancellationToken);
        var behind = Enumerable.Range(0, 2 * StateStore.BatchCommandsMax)
            .Select(i => store.SubmitAsync(Put($"k{i}", "v"))).ToList();
        engine.GoOn.Set();
        (await first).Refusal.ShouldNotBeNull().Text.ShouldContain("the sync failed");
        foreach (var outcome in await Task.WhenAll(behind))
        {
            outcome.Refusal.ShouldNotBeNull();
        }

        (await store.SubmitAsync(Put("later", "1"))).Refusal.ShouldNotBeNull();
        engine.Commits.ShouldBe(1);
        told.ShouldBe(1);
        KvQueries.List(View(store), "").ShouldBeEmpty();
    }

    [Fact]
    public async Task Every_command_is_answered_also_those_that_come_while_the_store_stops()
    {
        for (var round = 0; round < 500; round++)
        {
            var store = new StateStore(new MemoryEngine());
            var answers = Task.Run(() => Task.WhenAll(Enumerable.Range(0, 8).Select(
                i => store.SubmitAsync(Put($"k{i}", "v")))));
            store.Dispose();
            await answers.WaitAsync(TimeSpan.FromSeconds(20));
        }
    }

    internal static Task Register(StateStore store, string node, string service, int port = 80) => store.SubmitAsync(
        new Register(new Registration
        {
            Node = Node with { Name = node },
            Service = new ServiceRecord { Id = service, Name = service, Port = port },
            Checks = [new CheckRecord { Id = $"{service}-check", ServiceId = service, Status = "passing" }],
        }));

    private static Task PutCheckAsync(StateStore store, string service) => store.SubmitAsync(
        new Register(new Registration
        {
            Node = Node,
            SkipNodeUpdate = true,
            Checks = [new CheckRecord { Id = "c", ServiceId = service, Status = "critical" }],
        }));

    private static PutKey Put(string key, string value) => new(key, Encoding.UTF8.GetBytes(value), 0, null);

    private static ReadView View(StateStore store) => new(store.Current, tracks: false);

    private static KvRecord? Get(StateStore store, string key) => KvQueries.Get(View(store), key);

    private sealed class FillingEngine : IStorageEngine
    {
        public bool IsFull { get; set; }

        public bool IsBroken { get; set; }

        public string Name => "test";

        public ulong Load(Action<StoredRow> visit) => 0;

        public void Commit(CommitBatch batch)
        {
            if (IsFull)
            {
                throw new StorageFullException("no space");
            }

            if (IsBroken)
            {
                throw new StorageFailedException("broken");
            }
        }

        public void Dispose()
        {
            // Nothing is held.
        }
    }

    /// <summary>Its first sync takes until it is told to go on, and then fails; one after that would succeed.</summary>
    private sealed class StickingEngine : IStorageEngine
    {
        public ManualResetEventSlim Reached { get; } = new();

        public ManualResetEventSlim GoOn { get; } = new();

        public int Commits { get; private set; }

        public string Name => "test";

        public ulong Load(Action<StoredRow> visit) => 0;

        public void Commit(CommitBatch batch)
        {
            Commits++;
            Reached.Set();
            GoOn.Wait(TimeSpan.FromSeconds(20));
            if (Commits == 1)
            {
                throw new StorageFailedException("the sync failed");
            }
        }

        public void Dispose()
        {
            Reached.Dispose();
            GoOn.Dispose();
        }
    }
}
