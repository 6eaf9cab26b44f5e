using Praetor.Agent.Config;
using Praetor.Agent.Local;
using Shouldly;
using Xunit;

namespace Unit.Local;

public sealed class ReloadTests
{
    private const string Counting = """
        {"Name":"counting","Port":9001,"Check":{"ID":"c","TTL":"1h"},"Connect":{"SidecarService":{}}}
        """;

    [Fact]
    public async Task A_service_whose_file_is_gone_is_deregistered_and_one_of_a_client_stays()
    {
        await using var world = await LocalWorld.StartedAsync(with: static options => options with
        {
            Services = [LocalWorld.FromFile(options, Counting)],
        });
        await world.PutAsync("service/register", """{"Name":"c2","Port":9005}""");
        world.InCatalog("counting-sidecar-proxy").ShouldNotBeNull();

        await world.Agent.ReloadAsync(world.Options with { Services = [] });

        world.Agent.State.Current.Services.Keys.ShouldBe(["c2"]);
        world.Contents().Services.Select(static s => s.Id).ShouldBe(["c2", "consul"], ignoreOrder: true);
    }

    [Fact]
    public async Task A_reload_keeps_the_health_of_checks_and_the_port_of_a_sidecar()
    {
        await using var world = await LocalWorld.StartedAsync(with: static options => options with
        {
            Services = [LocalWorld.FromFile(options, Counting)],
        });
        await world.PutAsync("check/pass/c");

        await world.Agent.ReloadAsync(world.Options with { Services = [LocalWorld.FromFile(world.Options, Counting)] });

        world.CheckInCatalog("c")!.Status.ShouldBe("passing");
        world.InCatalog("counting-sidecar-proxy")!.Port.ShouldBe(21000);
    }

    [Fact]
    public async Task A_sidecar_and_a_check_that_left_the_file_go()
    {
        await using var world = await LocalWorld.StartedAsync(with: static options => options with
        {
            Services = [LocalWorld.FromFile(options, Counting)],
        });

        await world.Agent.ReloadAsync(world.Options with
        {
            Services = [LocalWorld.FromFile(world.Options, """{"Name":"counting","Port":9001}""")],
        });

        world.Agent.State.Current.Services.Keys.ShouldBe(["counting"]);
        world.Agent.State.Current.Checks.ShouldBeEmpty();
        world.CheckInCatalog("c").ShouldBeNull();
    }

    [Fact]
    public async Task What_a_client_registered_over_a_file_is_the_files_again_after_a_reload()
    {
        await using var world = await LocalWorld.StartedAsync(with: static options => options with
        {
            Services = [LocalWorld.FromFile(options, Counting)],
        });
        await world.PutAsync("service/register", """{"Name":"counting","Port":1}""");
        world.InCatalog("counting")!.Port.ShouldBe(1);

        await world.Agent.ReloadAsync(world.Options);

        world.InCatalog("counting")!.Port.ShouldBe(9001);
        world.Agent.State.Current.Services["counting"].Origin.ShouldBe(LocalOrigin.ConfigFile);
    }

    [Fact]
    public async Task A_service_without_a_name_comes_neither_into_the_state_nor_into_the_catalog()
    {
        await using var world = await LocalWorld.StartedAsync(with: static options => options with
        {
            Services =
            [
                new DefinitionPlanner(options.Node, LocalOrigin.ConfigFile).Plan(new ServiceDefinition { Port = 9 }),
                LocalWorld.FromFile(options, Counting),
            ],
        });

        world.Agent.State.Current.Services.Keys.ShouldBe(["counting", "counting-sidecar-proxy"], ignoreOrder: true);
        world.Contents().Services.ShouldNotContain(static s => s.Id.Length == 0);
    }
}
