using System.Globalization;
using System.Text;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;
using Praetor.Agent.Logging;

namespace Praetor.Agent.Http.Endpoints;

/// <summary>/v1/agent/monitor: the log as it is written.</summary>
internal sealed class AgentMonitorEndpoint(LogBroadcast log, TimeProvider time)
{
    public void AddTo(RouteTable routes) => routes.Stream(
        "GET", "/v1/agent/monitor", RouteRows.AgentRead, StreamAsync, "The log as it is written (loglevel, logjson).");

    private async Task StreamAsync(HttpContext context, ApiRequest request)
    {
        var asked = request.Query["loglevel"] is { Length: > 0 } text ? text : "info";
        if (!LogLevels.TryParse(asked, out var level))
        {
            context.Response.StatusCode = StatusCodes.Status400BadRequest;
            context.Response.ContentType = Reply.TextType;
            await context.Response.WriteAsync($"Bad request: Unknown log level: {asked}", request.Aborted);
            return;
        }

        using var watcher = log.Watch(level);
        context.Response.ContentType = request.Query.Has("logjson") ? Reply.JsonType : Reply.TextType;
        try
        {
            // Who watches wants to know at once that it works, not with the first line.
            await context.Response.StartAsync(request.Aborted);
            await context.Response.Body.FlushAsync(request.Aborted);
            await SendAsync(context, watcher, request.Query.Has("logjson"), request.Aborted);
        }
        catch (Exception e) when (e is OperationCanceledException or IOException)
        {
            // The watcher left.
        }
    }

    private async Task SendAsync(HttpContext context, LogWatcher watcher, bool asJson, CancellationToken stop)
    {
        var text = new StringBuilder();
        while (await watcher.Lines.WaitToReadAsync(stop))
        {
            text.Clear();
            while (watcher.Lines.TryRead(out var line))
            {
                text.Append(asJson ? line.ToJson() : line.ToText()).Append('\n');
            }

            if (watcher.TakeDropped() is > 0 and var dropped)
            {
                var count = dropped.ToString(CultureInfo.InvariantCulture);
                var note = new LogLine(
                    time.GetUtcNow(), LogLevel.Warning, "agent.monitor", $"the reader is too slow: dropped={count}");
                text.Append(asJson ? note.ToJson() : note.ToText()).Append('\n');
            }

            await context.Response.Body.WriteAsync(Encoding.UTF8.GetBytes(text.ToString()), stop);
            await context.Response.Body.FlushAsync(stop);
        }
    }
}
