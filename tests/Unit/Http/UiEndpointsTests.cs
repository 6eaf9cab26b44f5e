using System.Text;
using Praetor.Agent.Http;
using Praetor.Agent.Http.Endpoints;
using Praetor.Server.Catalog;
using Praetor.Server.Model;
using Praetor.Server.Queries;
using Praetor.Server.State;
using Praetor.Server.Storage;
using Shouldly;
using Xunit;

namespace Unit.Http;

/// <summary>Order and presence of members, which the recorded exchanges do not look at.</summary>
public sealed class UiEndpointsTests : IDisposable
{
    private readonly StateStore _store = new(new MemoryEngine());
    private readonly RouteTable _routes = new();

    public UiEndpointsTests() => new UiEndpoints().AddTo(_routes);

    public void Dispose() => _store.Dispose();

    [Fact]
    public async Task A_service_has_the_members_of_Consul_in_its_order_and_then_todays()
    {
        await PutAsync("n1", new ServiceRecord { Id = "web", Name = "web", Port = 80 });
        Text("/v1/internal/ui/services").ShouldBe("""
            [{"Name":"web","Tags":null,"Nodes":["n1"],"InstanceCount":1,"ChecksPassing":0,"ChecksWarning":0,
            "ChecksCritical":0,"ExternalSources":null,"GatewayConfig":{},"Datacenter":"dc1","TransparentProxy":false,
            "ConnectNative":false,"ConnectedWithProxy":false,"ConnectedWithGateway":false}]
            """.ReplaceLineEndings(""));
    }

    [Fact]
    public async Task A_proxy_says_what_it_stands_for()
    {
        await PutAsync("n1", new ServiceRecord
        {
            Id = "p", Name = "p", Kind = "connect-proxy", Port = 80, Proxy = new() { DestinationServiceName = "web" },
        });
        var text = Text("/v1/internal/ui/services");
        text.ShouldStartWith("""[{"Kind":"connect-proxy","Name":"p","Tags":null,"Nodes":["n1"],"InstanceCount":1,""");
        text.ShouldContain("""{"Kind":"connect-proxy",""");
        text.ShouldContain(""""InstanceCount":1,"ProxyFor":["web"],"ChecksPassing":0,"""");
    }

    [Fact]
    public async Task A_node_without_anything_on_it_has_empty_lists()
    {
        await PutAsync("n1", null);
        const string node = """
            {"ID":"","Node":"n1","Address":"10.0.0.1","TaggedAddresses":null,"Meta":null,"Services":[],"Checks":[]}
            """;
        Text("/v1/internal/ui/nodes").ShouldBe($"[{node}]");
        Text("/v1/internal/ui/node/N1").ShouldBe(node);
    }

    [Fact]
    public void A_node_that_is_not_there_is_answered_404_with_nothing()
    {
        var answer = Read("/v1/internal/ui/node/nope");
        answer.Status.ShouldBe(404);
        answer.Body.ShouldBeEmpty();
        answer.IsRefusal.ShouldBeFalse("one can wait until it is there");
    }

    [Fact]
    public void No_name_of_a_node_is_refused() => Read("/v1/internal/ui/node/").Status.ShouldBe(400);

    [Theory]
    [InlineData("/v1/internal/ui/services", "Service.Service==web", 200)]
    [InlineData("/v1/internal/ui/services", "Name==web", 500)]
    [InlineData("/v1/internal/ui/nodes", "Services.Service==web", 200)]
    [InlineData("/v1/internal/ui/nodes", "Datacenter==dc1", 500)]
    [InlineData("/v1/internal/ui/node/n1", "Datacenter==dc1", 404)]
    public void A_filter_may_name_what_is_listed(string path, string filter, int status) =>
        Read($"{path}?filter={Uri.EscapeDataString(filter)}").Status.ShouldBe(status);

    [Fact]
    public async Task A_service_is_summed_up_from_the_instances_that_pass_the_filter()
    {
        await PutAsync("n1", new ServiceRecord { Id = "web", Name = "web", Port = 80, Tags = ["a"] });
        await PutAsync("n2", new ServiceRecord { Id = "web", Name = "web", Port = 81, Tags = ["b"] });
        Text("/v1/internal/ui/services?filter=Node.Node==n2")
            .ShouldStartWith("""[{"Name":"web","Tags":["b"],"Nodes":["n2"],"InstanceCount":1,""");
        Text("/v1/internal/ui/services?filter=Node.Node==n3").ShouldBe("[]");
    }

    [Theory]
    [InlineData(0, false)]
    [InlineData(0, true)]
    [InlineData(1, true)]
    [InlineData(3, false)]
    [InlineData(3, true)]
    public async Task What_is_put_together_of_kept_parts_looks_as_if_it_was_written_at_once(int services, bool pretty)
    {
        for (var i = 0; i < services; i++)
        {
            await PutAsync("n1", new ServiceRecord { Id = $"s{i}", Name = $"s{i}", Port = 80, Tags = ["a<b"] });
        }

        const string filter = "?filter=Node.Node!=nothing";
        Text("/v1/internal/ui/services", pretty).ShouldBe(Text($"/v1/internal/ui/services{filter}", pretty));
    }

    [Fact]
    public async Task The_overview_is_three_lists_of_counts()
    {
        await PutAsync("n1", new ServiceRecord { Id = "web", Name = "web", Port = 80 });
        Text("/v1/internal/ui/catalog-overview").ShouldBe("""
            {"Nodes":[{"Total":1,"Passing":1,"Warning":0,"Critical":0}],
            "Services":[{"Name":"web","Total":1,"Passing":1,"Warning":0,"Critical":0}],"Checks":[]}
            """.ReplaceLineEndings(""));
    }

    [Fact]
    public async Task Each_answer_depends_on_what_it_shows_and_on_nothing_else()
    {
        // With a check, for where nothing stands a change nearby counts.
        await PutAsync("n1", new ServiceRecord { Id = "web", Name = "web", Port = 80 }, Check("critical"));
        await PutAsync("n2", null);
        var (services, nodes, node) = Indexes();
        await PutAsync("n2", null, Check("passing"));
        Indexes().ShouldBe((services, _store.Current.Index, node));
        nodes.ShouldBeLessThan(_store.Current.Index);
        await PutAsync("n1", null, Check("passing"));
        var now = _store.Current.Index;
        Indexes().ShouldBe((now, now, now));
    }

    private static CheckRecord Check(string status) => new() { Id = "c", Status = status };

    private (ulong Services, ulong Nodes, ulong Node) Indexes() => (
        Read("/v1/internal/ui/services").Index, Read("/v1/internal/ui/nodes").Index,
        Read("/v1/internal/ui/node/n1").Index);

    private Task PutAsync(string node, ServiceRecord? service, params CheckRecord[] checks) => _store.SubmitAsync(
        new Register(new Registration
        {
            Node = new NodeRecord { Name = node, Address = "10.0.0.1", Datacenter = "dc1" },
            Service = service,
            Checks = checks,
        }));

    private string Text(string target, bool pretty = false)
    {
        var answer = Read(target, pretty);
        answer.Status.ShouldBe(200);
        return Encoding.UTF8.GetString(answer.Body);
    }

    private QueryAnswer Read(string target, bool pretty = false)
    {
        var question = target.IndexOf('?');
        var path = question < 0 ? target : target[..question];
        var match = _routes.Find(path).ShouldNotBeNull();
        var request = new ApiRequest
        {
            Method = "GET",
            Target = target,
            Path = path,
            Query = question < 0 ? QueryParameters.None : QueryParameters.Parse(target.AsSpan(question + 1)),
            PathValues = match.Values,
            Pretty = pretty,
        };
        return match.Methods["GET"].Read!(request, new ReadView(_store.Current, tracks: false));
    }
}
