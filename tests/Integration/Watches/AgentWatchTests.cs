using System.Net;
using System.Text;
using Integration.Lifecycle;
using Praetor.Client;
using Shouldly;
using Support;
using Xunit;

namespace Integration.Watches;

/// <summary>Watches of a real agent's files: programs and URLs that are told of changes.</summary>
public sealed class AgentWatchTests
{
    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(15);

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_program_is_started_at_first_and_after_each_change()
    {
        using var folder = new TempFolder("watch");
        var seen = folder.File("seen");
        await using var agent = await StartAsync($$"""
            enable_local_script_checks = true
            watches = [{
              type = "key" key = "a" args = ["sh", "-c", "echo $CONSUL_INDEX >> {{seen}}; cat >> {{seen}}"]
            }]
            """);
        await LinesAsync(seen, 2);
        await agent.Client.PutKeyAsync("a", "one"u8.ToArray(), stop: Stop);
        await LinesAsync(seen, 4);

        var lines = await File.ReadAllLinesAsync(seen, Stop);
        lines[1].ShouldBe("null");
        lines[3].ShouldStartWith("{\"Key\":\"a\",\"CreateIndex\":");
        lines[3].ShouldContain("\"Value\":\"b25l\"");
        lines[3].ShouldContain($"\"ModifyIndex\":{lines[2]},");
    }

    [Fact]
    public async Task What_changes_while_a_program_runs_comes_as_one()
    {
        using var folder = new TempFolder("watch");
        var (seen, gate) = (folder.File("seen"), folder.File("gate"));
        await using var agent = await StartAsync($$"""
            enable_local_script_checks = true
            watches = [{
              type = "key" key = "a"
              args = ["sh", "-c", "cat >> {{seen}}; while [ ! -e {{gate}} ]; do sleep 0.02; done"]
            }]
            """);
        await LinesAsync(seen, 1);
        for (var i = 0; i < 20; i++)
        {
            await agent.Client.PutKeyAsync("a", Encoding.UTF8.GetBytes($"{i:00}"), stop: Stop);
        }

        await File.WriteAllTextAsync(gate, "", Stop);
        await LinesAsync(seen, 2);
        await agent.Client.PutKeyAsync("a", "end"u8.ToArray(), stop: Stop);
        await LinesAsync(seen, 3);

        var lines = await File.ReadAllLinesAsync(seen, Stop);
        lines.Length.ShouldBe(3);
        lines[1].ShouldContain($"\"Value\":\"{Convert.ToBase64String("19"u8)}\"");
    }

    [Fact]
    public async Task A_url_is_sent_the_news()
    {
        using var listener = new HttpListener();
        var port = FreePorts.Take();
        listener.Prefixes.Add($"http://127.0.0.1:{port}/");
        listener.Start();
        await using var agent = await StartAsync($$"""
            watches = [{
              type = "event" name = "deploy" handler_type = "http"
              http_handler_config { path = "http://127.0.0.1:{{port}}/hook" method = "PUT" header { X-Word = ["w"] } }
            }]
            """);
        (await NextAsync(listener)).Body.ShouldBe("[]\n");

        await agent.Client.FireEventAsync(new UserEvent { Name = "deploy", Payload = "1"u8.ToArray() }, Stop);
        var told = await NextAsync(listener);
        await agent.Client.FireEventAsync(new UserEvent { Name = "deploy", Payload = "2"u8.ToArray() }, Stop);
        var again = await NextAsync(listener);

        (told.Method, told.Word, told.Type).ShouldBe(("PUT", "w", "application/json"));
        told.Body.ShouldContain("\"Payload\":\"MQ==\"");
        again.Body.ShouldContain("\"Payload\":\"Mg==\"");
        again.Body.ShouldNotContain("MQ==", Case.Sensitive, "only what is new is told");
    }

    [Fact]
    public async Task A_reload_begins_and_ends_watches_and_leaves_the_others_alone()
    {
        using var folder = new TempFolder("watch");
        var (stays, goes, comes) = (folder.File("stays"), folder.File("goes"), folder.File("comes"));
        var config = folder.File("watches.hcl");
        string Watch(string file) => $$"""{ type = "key" key = "a" args = ["sh", "-c", "cat >> {{file}}"] },""";
        await File.WriteAllTextAsync(config, $"watches = [ {Watch(stays)} {Watch(goes)} ]", Stop);
        await using var agent = await AgentProcess.StartAsync(
            new AgentOptions
            {
                Hcl = ["enable_local_script_checks = true"],
                Arguments = ["-config-file", config],
            }, Stop);
        await LinesAsync(stays, 1);
        await LinesAsync(goes, 1);

        await File.WriteAllTextAsync(config, $"watches = [ {Watch(stays)} {Watch(comes)} ]", Stop);
        await agent.Client.ReloadAsync(Stop);
        await LinesAsync(comes, 1);
        await agent.Client.PutKeyAsync("a", "x"u8.ToArray(), stop: Stop);
        await LinesAsync(comes, 2);
        await LinesAsync(stays, 2);

        (await File.ReadAllLinesAsync(goes, Stop)).Length.ShouldBe(1);
        await File.WriteAllTextAsync(config, "watches = [{ type = \"foo\" args = [\"x\"] }]", Stop);
        var refused = await Should.ThrowAsync<ApiException>(agent.Client.ReloadAsync(Stop));
        refused.Body.ShouldContain("Unsupported watch type: foo");
    }

    [Fact]
    public async Task A_program_that_may_not_run_keeps_the_agent_from_starting()
    {
        using var start = Command.Start(
            "agent", "-dev", "-hcl", AgentPorts.Take().ToHcl(), "-hcl",
            "watches = [{ type = \"nodes\" args = [\"true\"] }]");

        var (code, _, errors) = await start.EndAsync();

        code.ShouldBe(1);
        errors.ShouldContain("enable_local_script_checks");
    }

    [Fact]
    public async Task The_command_prints_once_or_runs_a_program_until_it_fails()
    {
        await using var agent = await StartAsync("");
        await agent.Client.PutKeyAsync("a", "<x>"u8.ToArray(), stop: Stop);

        var (code, once) = await agent.RunAsync("watch", "-type=key", "-key=a");
        var (failed, run) = await agent.RunAsync("watch", "-type=key", "-key=a", "cat; echo $CONSUL_INDEX; exit 4");

        code.ShouldBe(0);
        once.ShouldStartWith("{\n    \"Key\": \"a\",\n");
        failed.ShouldBe(1);
        run.ShouldStartWith("{\"Key\":\"a\",");
        run.ShouldEndWith("Error executing handler: exit status 4\n");
    }

    [Fact]
    public async Task Exec_says_what_an_agent_without_sessions_lacks()
    {
        await using var agent = await StartAsync("");
        Assert.SkipUnless(
            (await agent.Http.PutAsync("/v1/session/create", null, Stop)).StatusCode == HttpStatusCode.NotFound,
            "the agent has sessions");

        var (code, said) = await agent.RunAsync("exec", "uptime");

        code.ShouldBe(1);
        said.ShouldStartWith("Failed to create session: ");
        said.ShouldContain("this agent has no sessions");
    }

    private static Task<AgentProcess> StartAsync(string hcl) =>
        AgentProcess.StartAsync(new AgentOptions { Hcl = hcl.Length > 0 ? [hcl] : [] }, Stop);

    private static Task LinesAsync(string file, int count) => Eventually.HoldsAsync(
        $"{Path.GetFileName(file)} has {count} lines", Limit,
        async () => File.Exists(file) && (await File.ReadAllLinesAsync(file, Stop)).Length >= count, Stop);

    private static async Task<(string Method, string? Word, string? Type, string Body)> NextAsync(HttpListener listener)
    {
        var context = await listener.GetContextAsync().WaitAsync(Limit, TimeProvider.System, Stop);
        using var reader = new StreamReader(context.Request.InputStream);
        var body = await reader.ReadToEndAsync(Stop);
        context.Response.Close();
        return (context.Request.HttpMethod, context.Request.Headers["X-Word"], context.Request.ContentType, body);
    }
}
