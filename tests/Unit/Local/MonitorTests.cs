using System.IO.Pipelines;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;
using Praetor.Agent.Http;
using Shouldly;
using Xunit;

namespace Unit.Local;

public sealed class MonitorTests
{
    [Fact]
    public async Task A_watcher_gets_lines_as_they_are_written_whatever_the_agents_own_level_is()
    {
        await using var world = await LocalWorld.StartedAsync();
        var pipe = new Pipe();
        using var left = new CancellationTokenSource();
        var context = new DefaultHttpContext { Response = { Body = pipe.Writer.AsStream() } };
        var watching = Monitor(world)(context, Request("loglevel=debug", left.Token));

        world.Log.CreateLogger("agent").LogDebug("seen");

        using var lines = new StreamReader(pipe.Reader.AsStream());
        (await lines.ReadLineAsync(left.Token)).ShouldNotBeNull().ShouldEndWith("[DEBUG] agent: seen");
        await left.CancelAsync();
        await watching;
    }

    [Fact]
    public async Task An_unknown_level_is_refused()
    {
        await using var world = await LocalWorld.StartedAsync();
        using var body = new MemoryStream();
        var context = new DefaultHttpContext { Response = { Body = body } };

        await Monitor(world)(context, Request("loglevel=loud", CancellationToken.None));

        context.Response.StatusCode.ShouldBe(400);
        System.Text.Encoding.UTF8.GetString(body.ToArray()).ShouldBe("Bad request: Unknown log level: loud");
    }

    private static Func<HttpContext, ApiRequest, Task> Monitor(LocalWorld world) =>
        world.Routes.Find("/v1/agent/monitor")!.Methods["GET"].Stream!;

    private static ApiRequest Request(string query, CancellationToken left) => new()
    {
        Method = "GET",
        Target = "/v1/agent/monitor?" + query,
        Path = "/v1/agent/monitor",
        Query = QueryParameters.Parse(query),
        Aborted = left,
    };
}
