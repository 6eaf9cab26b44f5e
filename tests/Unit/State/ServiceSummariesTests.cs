using Praetor.Server.Catalog;
using Praetor.Server.Model;
using Praetor.Server.State;
using Praetor.Server.Storage;
using Shouldly;
using Xunit;

namespace Unit.State;

public sealed class ServiceSummariesTests : IDisposable
{
    private readonly StateStore _store = new(new MemoryEngine());
    private readonly ServiceSummaries<ServiceSummary> _summaries = new(static s => s);

    public void Dispose() => _store.Dispose();

    [Fact]
    public async Task A_service_is_the_sum_of_its_instances()
    {
        await PutAsync("n2", Service("web-1", "web", tags: ["b", "a"], source: "nomad"));
        await PutAsync("n1", Service("web-2", "web", tags: ["c", "a"], source: "kubernetes"));
        await PutAsync("n1", Service("web-3", "web"));
        await PutAsync("n1", null, Check("node", "", "warning"), Check("c", "web-2", "critical"));
        var web = Read().Single();
        web.Tags.ShouldBe(["a", "b", "c"]);
        web.Nodes.ShouldBe(["n1", "n1", "n2"]);
        web.ExternalSources.ShouldBe(["kubernetes", "nomad"], "the node that comes first says it first");
        web.Checks.ShouldBe(new CheckTally(Passing: 0, Warning: 2, Critical: 1));
    }

    [Fact]
    public async Task Names_that_differ_in_case_only_are_two_services()
    {
        await PutAsync("n1", Service("a", "web"));
        await PutAsync("n1", Service("b", "WEB"));
        Read().Select(s => s.Name).ShouldBe(["WEB", "web"]);
    }

    [Fact]
    public async Task What_did_not_change_is_not_made_anew()
    {
        await PutAsync("n1", Service("web", "web"));
        await PutAsync("n2", Service("db", "db"));
        var before = Read();
        await PutAsync("n1", null, Check("c", "web", "critical"));
        var after = Read();
        after[0].ShouldBeSameAs(before[0]);
        after[1].ShouldNotBeSameAs(before[1]);
        after[1].Checks.Critical.ShouldBe(1);
    }

    [Fact]
    public async Task A_proxy_that_comes_and_goes_shows_at_the_service_that_it_stands_for()
    {
        await PutAsync("n1", Service("web", "web"));
        Read().Single().HasProxy.ShouldBeFalse();
        await PutAsync("n2", Proxy("p1", "web", "transparent"));
        Web().HasProxy.ShouldBeTrue();
        Web().IsTransparent.ShouldBeTrue();
        await PutAsync("n3", Proxy("p2", "web", ""));
        Web().IsTransparent.ShouldBeFalse();
        await _store.SubmitAsync(new Deregister("n2", "", ""));
        await _store.SubmitAsync(new Deregister("n3", "", ""));
        Web().HasProxy.ShouldBeFalse();
    }

    [Fact]
    public async Task A_service_without_instances_is_gone()
    {
        await PutAsync("n1", Service("web", "web"));
        Read().Count.ShouldBe(1);
        await _store.SubmitAsync(new Deregister("n1", "web", ""));
        Read().ShouldBeEmpty();
    }

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    public async Task What_is_kept_is_always_what_would_be_made_anew(int seed)
    {
        var random = new Random(seed);
        for (var step = 0; step < 300; step++)
        {
            await ChangeAsync(random);
            var view = View();
            var kept = Shown(_summaries.Read(view));
            var anew = new ServiceSummaries<ServiceSummary>(static s => s).Read(view);
            kept.ShouldBe(Shown(anew), $"seed {seed}, step {step}");
            kept.ShouldBe(Shown(ServiceSummary.Of(view, _ => true)), $"seed {seed}, step {step}");
        }
    }

    [Fact]
    public async Task An_older_state_is_read_as_it_was()
    {
        await PutAsync("n1", Service("web", "web"));
        var older = View();
        await PutAsync("n1", null, Check("c", "web", "critical"));
        Web().Checks.Critical.ShouldBe(1);
        _summaries.Read(older).Single().Checks.Critical.ShouldBe(0);
        Web().Checks.Critical.ShouldBe(1);
    }

    [Fact]
    public async Task The_overview_counts_each_by_its_worst_check()
    {
        await PutAsync("n1", Service("web", "web"), Check("node", "", "warning"), Check("c1", "web", "critical"));
        await PutAsync("n2", Service("web", "web"), Check("c1", "web", "passing"), Check("c2", "web", "warning"));
        await PutAsync("n3", Service("db", "db"));
        var overview = CatalogOverview.Of(View());
        overview.Nodes.ShouldBe(new HealthCount("", 3, new CheckTally(2, 1, 0)));
        overview.Services.ShouldBe([new("db", 1, new(1, 0, 0)), new("web", 2, new(0, 1, 1))]);
        overview.Checks.ShouldBe(
            [new("c1", 2, new(1, 0, 1)), new("c2", 1, new(0, 1, 0)), new("node", 1, new(0, 1, 0))]);
    }

    private Task ChangeAsync(Random random)
    {
        var node = $"n{random.Next(4)}";
        var service = $"s{random.Next(4)}";
        var id = $"i{random.Next(3)}";
        var check = Check($"c{random.Next(4)}", random.Next(3) == 0 ? "" : id, Status(random));
        return random.Next(8) switch
        {
            0 => _store.SubmitAsync(new Deregister(node, "", "")),
            1 => _store.SubmitAsync(new Deregister(node, id, "")),
            2 => _store.SubmitAsync(new Deregister(node, "", check.Id)),
            3 => PutAsync(node, Proxy(id, service, random.Next(2) == 0 ? "transparent" : "")),
            4 or 5 => PutAsync(node, null, check),
            _ => PutAsync(node, Service(id, service, [Status(random)]), check),
        };
    }

    private static string Status(Random random) =>
        random.Next(3) switch { 0 => "passing", 1 => "warning", _ => "critical" };

    private Task PutAsync(string node, ServiceRecord? service, params CheckRecord[] checks) => _store.SubmitAsync(
        new Register(new Registration
        {
            Node = new NodeRecord { Name = node, Address = "10.0.0.1", Datacenter = "dc1" },
            Service = service,
            Checks = checks,
        }));

    private static ServiceRecord Service(
        string id, string name, IReadOnlyList<string>? tags = null, string? source = null) => new()
        {
            Id = id,
            Name = name,
            Port = 80,
            Tags = tags,
            Meta = source is null ? null : new Dictionary<string, string> { ["external-source"] = source },
        };

    private static ServiceRecord Proxy(string id, string destination, string mode) => new()
    {
        Id = id,
        Name = $"{destination}-proxy",
        Kind = ServiceRecord.ConnectProxyKind,
        Port = 81,
        Proxy = new ServiceProxy { DestinationServiceName = destination, Mode = mode },
    };

    private static CheckRecord Check(string id, string service, string status) =>
        new() { Id = id, Name = id, ServiceId = service, Status = status };

    private ReadView View() => new(_store.Current, tracks: false);

    private IReadOnlyList<ServiceSummary> Read() => _summaries.Read(View());

    private ServiceSummary Web() => Read().Single(s => s.Name == "web");

    private static string Shown(IEnumerable<ServiceSummary> summaries) => string.Join('\n', summaries.Select(s =>
        $"{s.Name} {s.Kind} {s.Checks} {s.HasProxy} {s.IsTransparent} {string.Join(',', s.Tags)} "
        + $"{string.Join(',', s.Nodes)} {string.Join(',', s.ProxyFor)}"));
}
