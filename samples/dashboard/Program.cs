using System.Net.Sockets;
using System.Text.Encodings.Web;
using System.Text.Json;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;

namespace Samples.Dashboard;

/// <summary>A web page that shows the count of the counting service and keeps itself up to date; when counting cannot
/// be reached, it says so. It asks at <c>COUNTING_SERVICE_URL</c> (http://localhost:9003, where its sidecar listens),
/// and listens itself on 127.0.0.1 at <c>PORT</c> (9002).</summary>
internal static class DashboardApp
{
    private const int DefaultPort = 9002;
    private const string DefaultCounting = "http://localhost:9003";
    private static readonly TimeSpan AnswerLimit = TimeSpan.FromSeconds(2);

    public static async Task Main()
    {
        var port = Environment.GetEnvironmentVariable("PORT") is { Length: > 0 } set ? set : $"{DefaultPort}";
        var counting = Environment.GetEnvironmentVariable("COUNTING_SERVICE_URL") is { Length: > 0 } url
            ? url : DefaultCounting;
        await using var app = Build($"http://127.0.0.1:{port}", counting);
        await app.RunAsync();
    }

    /// <summary>The service, not yet started.</summary>
    public static WebApplication Build(string address, string counting)
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.SetMinimumLevel(LogLevel.Warning);
        var app = builder.Build();
        app.Urls.Add(address);
        var http = new HttpClient(new SocketsHttpHandler { UseProxy = false }) { Timeout = AnswerLimit };
        app.Lifetime.ApplicationStopped.Register(http.Dispose);
        app.MapGet("/", (RequestDelegate)(context => ShowAsync(context, http, counting)));
        app.MapGet("/api/count", (RequestDelegate)(context => TellAsync(context, http, counting)));
        app.MapGet("/health", (RequestDelegate)(context => context.Response.WriteAsync("dashboard is well\n")));
        return app;
    }

    private sealed record State(long? Count, string? Host, string? Error)
    {
        public string Text => Count is { } count ? $"count: {count}" : $"counting is unreachable: {Error}";
    }

    private static async Task<State> AskAsync(HttpClient http, string counting, CancellationToken stop)
    {
        try
        {
            await using var body = await http.GetStreamAsync(new Uri(counting), stop);
            using var json = await JsonDocument.ParseAsync(body, default, stop);
            var host = json.RootElement.TryGetProperty("hostname", out var name) ? name.ToString() : null;
            return new State(json.RootElement.GetProperty("count").GetInt64(), host, null);
        }
        catch (Exception failure) when (failure is HttpRequestException or JsonException or IOException
            or InvalidOperationException or KeyNotFoundException)
        {
            return new State(null, null, Reason(failure));
        }
        catch (OperationCanceledException) when (!stop.IsCancellationRequested)
        {
            return new State(null, null, $"no answer within {AnswerLimit.TotalSeconds:0} s");
        }
    }

    // The outer messages only say that something went wrong; the innermost says what.
    private static string Reason(Exception failure) => failure.GetBaseException() switch
    {
        SocketException { SocketErrorCode: SocketError.ConnectionRefused } => "connection refused",
        SocketException { SocketErrorCode: SocketError.ConnectionReset } => "the connection was closed",
        IOException => "the connection was closed",
        var inner => inner.Message,
    };

    private static async Task TellAsync(HttpContext context, HttpClient http, string counting)
    {
        var state = await AskAsync(http, counting, context.RequestAborted);
        context.Response.ContentType = "application/json";
        context.Response.Headers.CacheControl = "no-store";
        await using var json = new Utf8JsonWriter(context.Response.BodyWriter);
        json.WriteStartObject();
        json.WriteBoolean("ok", state.Count is not null);
        json.WriteString("text", state.Text);
        json.WriteString("count", state.Count?.ToString("#,0"));
        json.WriteString("host", state.Host);
        json.WriteEndObject();
    }

    private static async Task ShowAsync(HttpContext context, HttpClient http, string counting)
    {
        var state = await AskAsync(http, counting, context.RequestAborted);
        context.Response.ContentType = "text/html; charset=utf-8";
        context.Response.Headers.CacheControl = "no-store";
        context.Response.Headers.ContentSecurityPolicy =
            "default-src 'none'; style-src 'unsafe-inline'; script-src 'unsafe-inline'; connect-src 'self'";
        var page = Page
            .Replace("{class}", state.Count is null ? "down" : "up", StringComparison.Ordinal)
            .Replace("{big}", state.Count?.ToString("#,0") ?? "—", StringComparison.Ordinal)
            .Replace("{text}", HtmlEncoder.Default.Encode(state.Text), StringComparison.Ordinal)
            .Replace("{from}", HtmlEncoder.Default.Encode(counting), StringComparison.Ordinal);
        await context.Response.WriteAsync(page, context.RequestAborted);
    }

    private const string Page = """
        <!doctype html>
        <html lang="en">
        <head>
        <meta charset="utf-8">
        <meta name="viewport" content="width=device-width, initial-scale=1">
        <title>Dashboard</title>
        <style>
        :root { color-scheme: light dark; --up: #1a7f4b; --down: #b3261e; --line: #8884; }
        body { font: 16px/1.5 system-ui, sans-serif; margin: 0; min-height: 100vh; display: grid; place-items: center; }
        main { width: min(34rem, 90vw); border: 1px solid var(--line); border-radius: 14px; padding: 2rem; }
        h1 { font-size: 1rem; font-weight: 600; margin: 0; opacity: .7; }
        #big { font-size: 5rem; line-height: 1.2; font-weight: 700; margin: .5rem 0; }
        #big { font-variant-numeric: tabular-nums; }
        #text { margin: 0; font-weight: 600; }
        .up #text { color: var(--up); } .down #text { color: var(--down); } .down #big { opacity: .3; }
        #dots { display: flex; gap: 3px; height: 22px; margin-top: 1.25rem; align-items: end; }
        #dots i { flex: 1; height: 100%; border-radius: 3px; background: var(--line); }
        #dots i.y { background: var(--up); } #dots i.n { background: var(--down); }
        footer { margin-top: 1rem; font-size: .85rem; opacity: .65; }
        </style>
        </head>
        <body>
        <main id="card" class="{class}">
        <h1>Dashboard: what counting says</h1>
        <div id="big">{big}</div>
        <p id="text" role="status">{text}</p>
        <div id="dots" aria-hidden="true"></div>
        <footer>asked at {from}, once a second</footer>
        </main>
        <script>
        const at = id => document.getElementById(id);
        const shown = Array(30).fill('');
        function show(state) {
          at('card').className = state.ok ? 'up' : 'down';
          at('big').textContent = state.count ?? '—';
          at('text').textContent = state.text;
          shown.push(state.ok ? 'y' : 'n'); shown.shift();
          at('dots').replaceChildren(...shown.map(c => Object.assign(document.createElement('i'), { className: c })));
        }
        async function ask() {
          try { show(await (await fetch('/api/count')).json()); }
          catch { show({ ok: false, count: null, text: 'the dashboard itself does not answer' }); }
          setTimeout(ask, 1000);
        }
        ask();
        </script>
        </body>
        </html>
        """;
}
