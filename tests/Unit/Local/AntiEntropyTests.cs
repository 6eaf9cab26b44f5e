using Praetor.Agent.Http;
using Praetor.Agent.Http.Json;
using Praetor.Agent.Local;
using Praetor.Server.Catalog;
using Praetor.Server.Model;
using Praetor.Server.State;
using Shouldly;
using Xunit;

namespace Unit.Local;

public sealed class AntiEntropyTests
{
    private const int Schedules = 1000;

    [Fact]
    public async Task Whatever_is_done_to_the_catalog_one_comparison_brings_it_back()
    {
        await using var world = await LocalWorld.StartedAsync();
        for (var i = 0; i < 5; i++)
        {
            await world.PutAsync("service/register", $$"""
                {"Name":"s{{i}}","Port":{{i + 1}},"Tags":["t"],"Checks":[{"TTL":"1h"},{"TTL":"1h","Status":"passing"}]}
                """);
        }

        await world.PutAsync("check/register", """{"Name":"disk","TTL":"1h"}""");
        await world.Store.SubmitAsync(new Register(Foreign()));
        var wanted = Shown(world.Contents());
        for (var seed = 0; seed < Schedules; seed++)
        {
            await DisturbAsync(world, new Random(seed));

            (await world.Agent.AntiEntropy.CompareAsync(CancellationToken.None)).ShouldBeTrue($"seed {seed}");

            Shown(world.Contents()).ShouldBe(wanted, $"seed {seed}");
        }

        var view = new ReadView(world.Store.Current, tracks: false);
        CatalogQueries.ServicesOn(view, "other").ShouldHaveSingleItem().Id.ShouldBe("theirs");
    }

    [Fact]
    public async Task A_comparison_of_equals_writes_nothing()
    {
        await using var world = await LocalWorld.StartedAsync();
        await world.PutAsync(
            "service/register", """{"Name":"web","Port":1,"Check":{"TTL":"1h"},"Connect":{"SidecarService":{}}}""");
        await world.Agent.AntiEntropy.CompareAsync(CancellationToken.None);
        var before = world.Store.Current.Index;

        await world.Agent.AntiEntropy.CompareAsync(CancellationToken.None);

        world.Store.Current.Index.ShouldBe(before);
    }

    [Fact]
    public async Task What_was_deleted_from_the_catalog_is_back_within_75_seconds()
    {
        await using var world = await LocalWorld.StartedAsync();
        await world.PutAsync("service/register", """{"Name":"web","Port":1}""");
        await world.Agent.AntiEntropy.SettledAsync();
        await world.Store.SubmitAsync(new Deregister(LocalWorld.NodeName, "web", ""));

        world.Time.Advance(TimeSpan.FromSeconds(76));

        await world.UntilAsync(static now => now.Services.Any(static s => s.Id == "web"));
    }

    [Fact]
    public async Task Tags_changed_in_the_catalog_stay_where_that_is_allowed()
    {
        await using var world = await LocalWorld.StartedAsync();
        await world.PutAsync(
            "service/register", """{"Name":"free","Tags":["a"],"EnableTagOverride":true,"Check":{"TTL":"1h"}}""");
        await world.PutAsync("service/register", """{"Name":"fixed","Tags":["a"]}""");
        foreach (var id in (string[])["free", "fixed"])
        {
            await world.Store.SubmitAsync(new Register(new Registration
            {
                Node = world.Options.Node.Record(),
                SkipNodeUpdate = true,
                Service = world.InCatalog(id)! with { Tags = ["b"] },
            }));
        }

        await world.Agent.AntiEntropy.CompareAsync(CancellationToken.None);
        await world.Agent.AntiEntropy.SettledAsync();

        world.InCatalog("free")!.Tags.ShouldBe(["b"]);
        world.Agent.State.Current.Services["free"].Record.Tags.ShouldBe(["b"]);
        world.InCatalog("fixed")!.Tags.ShouldBe(["a"]);
    }

    [Fact]
    public async Task A_new_output_alone_goes_out_later_and_a_new_status_at_once()
    {
        await using var world = await LocalWorld.StartedAsync();
        await world.PutAsync("check/register", """{"Name":"disk","TTL":"24h"}""");
        await world.PutAsync("check/pass/disk?note=one");

        await world.PutAsync("check/pass/disk?note=two");
        world.CheckInCatalog("disk")!.Output.ShouldBe("one");

        world.Time.Advance(TimeSpan.FromMinutes(8));
        await world.UntilAsync(static now => now.Checks.Any(static c => c is { Id: "disk", Output: "two" }));

        await world.PutAsync("check/fail/disk?note=three");
        world.CheckInCatalog("disk")!.Output.ShouldBe("three");
    }

    [Fact]
    public async Task Many_registrations_at_once_are_few_commands()
    {
        var catalog = new HeldCatalog();
        await using var world = await LocalWorld.StartedAsync(catalog: catalog);
        catalog.Inner = world.Catalog;
        catalog.Hold();

        var registrations = Enumerable.Range(0, 50)
            .Select(i => world.PutAsync("service/register", $$"""{"Name":"s{{i}}","Port":1}"""))
            .ToList();
        catalog.Release();
        await Task.WhenAll(registrations);

        catalog.Commands.ShouldBeLessThanOrEqualTo(3);
        world.Contents().Services.Count(static s => s.Id != NodeIdentity.ServerServiceId).ShouldBe(50);
    }

    [Fact]
    public async Task A_catalog_that_was_away_is_caught_up_with_within_5_seconds()
    {
        var catalog = new HeldCatalog { IsAway = true };
        await using var world = await LocalWorld.StartedAsync(catalog: catalog);
        catalog.Inner = world.Catalog;

        await world.PutAsync("service/register", """{"Name":"web","Port":1}""");
        world.InCatalog("web").ShouldBeNull();
        catalog.IsAway = false;
        world.Time.Advance(TimeSpan.FromSeconds(5));

        await world.UntilAsync(static now => now.Services.Any(static s => s.Id == "web"));
    }

    [Fact]
    public async Task A_failure_that_nobody_foresaw_does_not_end_the_sending()
    {
        var catalog = new HeldCatalog();
        await using var world = await LocalWorld.StartedAsync(catalog: catalog);
        catalog.Inner = world.Catalog;
        catalog.Fault = new InvalidOperationException("a bug");

        await world.PutAsync("service/register", """{"Name":"web","Port":1}""");
        world.InCatalog("web").ShouldBeNull();
        catalog.Fault = null;
        world.Time.Advance(TimeSpan.FromSeconds(5));

        await world.UntilAsync(static now => now.Services.Any(static s => s.Id == "web"));
    }

    [Fact]
    public async Task A_service_that_the_catalog_refuses_does_not_hold_back_the_others()
    {
        await using var world = await LocalWorld.StartedAsync();
        await world.PutAsync("service/register", """{"Name":"web","Port":1,"Check":{"TTL":"1h"}}""");
        await world.Store.SubmitAsync(new Deregister(LocalWorld.NodeName, "web", ""));

        // The check's service is gone from the catalog: this is refused, and mended by the comparison that follows.
        await world.PutAsync("check/pass/service:web");
        await world.PutAsync("service/register", """{"Name":"other","Port":2}""");
        world.InCatalog("other").ShouldNotBeNull();

        world.Time.Advance(TimeSpan.FromSeconds(5));
        await world.UntilAsync(static now => now.Checks.Any(static c => c is { Id: "service:web", Status: "passing" }));
    }

    private static string Shown(NodeContents contents) => System.Text.Encoding.UTF8.GetString(Reply.Bytes(true, json =>
    {
        json.WriteStartArray();
        CatalogJson.WriteNode(json, contents.Node! with { CreateIndex = 0, ModifyIndex = 0 });
        foreach (var service in contents.Services)
        {
            CatalogJson.WriteNodeService(json, service with { CreateIndex = 0, ModifyIndex = 0 });
        }

        foreach (var check in contents.Checks)
        {
            CatalogJson.WriteCheck(json, check with { CreateIndex = 0, ModifyIndex = 0 });
        }

        json.WriteEndArray();
    }));

    private static Registration Foreign() => new()
    {
        Node = new NodeRecord { Name = "other", Address = "10.0.0.9", Datacenter = "dc1" },
        Service = new ServiceRecord { Id = "theirs", Name = "theirs" },
    };

    private static async Task DisturbAsync(LocalWorld world, Random random)
    {
        for (var step = random.Next(1, 6); step > 0; step--)
        {
            var contents = world.Contents();
            var service = contents.Services.Count > 0 ? contents.Services[random.Next(contents.Services.Count)] : null;
            var check = contents.Checks.Count > 0 ? contents.Checks[random.Next(contents.Checks.Count)] : null;
            switch (random.Next(7))
            {
                case 0:
                    await world.Store.SubmitAsync(new Deregister(LocalWorld.NodeName, "", ""));
                    break;
                case 1 when service is not null:
                    await world.Store.SubmitAsync(new Deregister(LocalWorld.NodeName, service.Id, ""));
                    break;
                case 2 when check is not null:
                    await world.Store.SubmitAsync(new Deregister(LocalWorld.NodeName, "", check.Id));
                    break;
                case 3 when service is not null:
                    await PutAsync(world, service with { Port = random.Next(1, 9999), Tags = ["changed"] }, []);
                    break;
                case 4 when service is not null:
                    await PutAsync(world, service with { Id = "copy" + random.Next(3), Name = "renamed" }, []);
                    break;
                case 5 when check is not null && service is not null:
                    await PutAsync(world, null, [check with { Status = "warning", ServiceId = service.Id }]);
                    break;
                default:
                    await PutAsync(world, null, [new CheckRecord { Id = "stray" + random.Next(3), Name = "stray" }]);
                    break;
            }
        }
    }

    private static async Task PutAsync(LocalWorld world, ServiceRecord? service, IReadOnlyList<CheckRecord> checks) =>
        await world.Store.SubmitAsync(new Register(new Registration
        {
            Node = world.Options.Node.Record() with { Address = "10.1.1.1" }, Service = service, Checks = checks,
        }));

    private sealed class HeldCatalog : ICatalog
    {
        private volatile TaskCompletionSource _gate = Opened();
        private int _commands;

        public ICatalog? Inner { get; set; }

        public volatile bool IsAway;

        /// <summary>What it fails with. Null: it does not.</summary>
        public volatile Exception? Fault;

        public int Commands => Volatile.Read(ref _commands);

        public void Hold() => (_gate, _commands) =
            (new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously), 0);

        public void Release() => _gate.TrySetResult();

        public async Task<IReadOnlyList<Refusal?>> ApplyAsync(CatalogChanges changes, CancellationToken stop)
        {
            Interlocked.Increment(ref _commands);
            await _gate.Task;
            if (Fault is { } fault)
            {
                throw fault;
            }

            return IsAway || Inner is null
                ? throw new CatalogUnreachableException("away")
                : await Inner.ApplyAsync(changes, stop);
        }

        public ValueTask<NodeContents> ReadAsync(string node, CancellationToken stop) => Fault is { } fault
            ? throw fault
            : IsAway || Inner is null
            ? throw new CatalogUnreachableException("away")
            : Inner.ReadAsync(node, stop);

        public NodeContents? Known(string node) => IsAway ? null : Inner?.Known(node);

        public IDisposable Watch(string node, Action changed) => Inner!.Watch(node, changed);

        private static TaskCompletionSource Opened()
        {
            var gate = new TaskCompletionSource();
            gate.SetResult();
            return gate;
        }
    }
}
