using System.Text.Json;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;

namespace Samples.Counting;

/// <summary>A service that counts how often it was asked. <c>GET /</c> gives the count, <c>GET /health</c> says that it
/// is well. It knows nothing of the mesh: it listens on 127.0.0.1 at <c>PORT</c> (9001).</summary>
internal static class CountingApp
{
    private const int DefaultPort = 9001;

    public static Task Main()
    {
        var port = Environment.GetEnvironmentVariable("PORT") is { Length: > 0 } set ? set : $"{DefaultPort}";
        return Build($"http://127.0.0.1:{port}").RunAsync();
    }

    /// <summary>The service, not yet started.</summary>
    public static WebApplication Build(string address)
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.SetMinimumLevel(LogLevel.Warning);
        var app = builder.Build();
        app.Urls.Add(address);
        var count = 0L;
        app.MapGet("/", (RequestDelegate)(context => AnswerAsync(context, Interlocked.Increment(ref count))));
        app.MapGet("/health", (RequestDelegate)(context => context.Response.WriteAsync("counting is well\n")));
        return app;
    }

    private static async Task AnswerAsync(HttpContext context, long count)
    {
        context.Response.ContentType = "application/json";
        await using var json = new Utf8JsonWriter(context.Response.BodyWriter);
        json.WriteStartObject();
        json.WriteNumber("count", count);
        json.WriteString("hostname", Environment.MachineName);
        json.WriteEndObject();
    }
}
