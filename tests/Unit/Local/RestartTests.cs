using Microsoft.Data.Sqlite;
using Praetor.Agent.Checks;
using Shouldly;
using Support;
using Xunit;

namespace Unit.Local;

public sealed class RestartTests
{
    [Fact]
    public async Task What_clients_registered_survives_and_what_was_told_too()
    {
        using var folder = new TempFolder("local");
        await using (var before = await LocalWorld.StartedAsync(folder.Path))
        {
            await before.PutAsync("service/register", """
                {"Name":"web","Port":80,"Tags":["a"],"Meta":{"k":"v"},"Check":{"TTL":"1h"},"Connect":{"SidecarService":
                 {"Proxy":{"Upstreams":[{"DestinationName":"db","LocalBindPort":9191}],"Config":{"x":1}}}}}
                """);
            await before.PutAsync("check/warn/service:web?note=hot");
            await before.PutAsync("check/register", """{"Name":"disk","TTL":"1h"}""");
            await before.PutAsync("maintenance?enable=true&reason=why");
            await before.PutAsync("service/maintenance/web?enable=true");
        }

        await using var after = await LocalWorld.StartedAsync(folder.Path);

        after.InCatalog("web")!.Tags.ShouldBe(["a"]);
        after.InCatalog("web-sidecar-proxy")!.Proxy!.Upstreams!.ShouldHaveSingleItem().LocalBindPort.ShouldBe(9191);
        after.InCatalog("web-sidecar-proxy")!.Proxy!.Config!.Value.GetProperty("x").GetInt32().ShouldBe(1);
        after.CheckInCatalog("service:web")!.Status.ShouldBe("warning");
        after.CheckInCatalog("service:web")!.Output.ShouldBe("hot");
        after.CheckInCatalog("disk")!.Status.ShouldBe("critical");
        after.CheckInCatalog("_node_maintenance")!.Notes.ShouldBe("why");
        after.CheckInCatalog("_service_maintenance:web").ShouldNotBeNull();
    }

    [Fact]
    public async Task What_was_taken_out_does_not_come_back()
    {
        using var folder = new TempFolder("local");
        await using (var before = await LocalWorld.StartedAsync(folder.Path))
        {
            await before.PutAsync(
                "service/register", """{"Name":"web","Check":{"TTL":"1h"},"Connect":{"SidecarService":{}}}""");
            await before.PutAsync("service/deregister/web");
        }

        await using var after = await LocalWorld.StartedAsync(folder.Path);

        after.Agent.State.Current.Services.ShouldBeEmpty();
        after.Agent.State.Current.Checks.ShouldBeEmpty();
    }

    [Fact]
    public async Task A_service_whose_file_is_gone_does_not_come_back()
    {
        using var folder = new TempFolder("local");
        await using (await LocalWorld.StartedAsync(folder.Path, static options => options with
        {
            Services = [LocalWorld.FromFile(options, """{"Name":"filed","Port":1,"Check":{"TTL":"1h"}}""")],
        }))
        {
            // It was there once.
        }

        await using var after = await LocalWorld.StartedAsync(folder.Path);

        after.Agent.State.Current.Services.ShouldBeEmpty();
    }

    [Fact]
    public async Task A_script_of_a_client_is_forgotten_when_scripts_are_not_allowed_any_more()
    {
        using var folder = new TempFolder("local");
        await using (var before = await LocalWorld.StartedAsync(
            folder.Path, static options => options with { Scripts = ScriptChecks.On }))
        {
            await before.PutAsync("check/register", """{"Name":"s","Args":["/bin/true"],"Interval":"1h"}""");
        }

        await using var after = await LocalWorld.StartedAsync(folder.Path);

        after.Agent.State.Current.Checks.ShouldBeEmpty();
    }

    [Fact]
    public async Task A_script_of_a_file_ends_the_start_and_the_reload_where_it_is_not_allowed()
    {
        const string Scripted = """{"Name":"s","Check":{"Args":["/bin/true"],"Interval":"1h"}}""";
        await using var world = await LocalWorld.StartedAsync();
        var scripted = world.Options with { Services = [LocalWorld.FromFile(world.Options, Scripted)] };

        var problem = await world.Agent.ReloadAsync(scripted);
        problem.ShouldNotBeNull().ShouldStartWith("Scripts are disabled on this agent");
        world.Agent.State.Current.Services.ShouldBeEmpty();
        await using var refused = new LocalWorld(with: _ => scripted);
        await Should.ThrowAsync<FormatException>(() => refused.Agent.StartAsync(CancellationToken.None));
    }

    [Fact]
    public async Task The_file_is_for_its_owner_only_and_for_one_agent()
    {
        using var folder = new TempFolder("local");
        await using var world = await LocalWorld.StartedAsync(folder.Path);

        if (!OperatingSystem.IsWindows())
        {
            File.GetUnixFileMode(Path.Combine(folder.Path, "local.db"))
                .ShouldBe(UnixFileMode.UserRead | UnixFileMode.UserWrite);
        }

        Should.Throw<IOException>(() => new LocalWorld(folder.Path)).InnerException.ShouldBeOfType<SqliteException>();
    }
}
