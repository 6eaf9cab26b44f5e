using System.Buffers;
using System.Globalization;
using System.Net.Http.Headers;
using System.Net.Security;
using System.Text.Json;
using Microsoft.Extensions.Logging;
using Praetor.Agent.Checks;
using Praetor.Agent.Http.Json;
using Praetor.Client.Watches;

namespace Praetor.Agent.Watches;

/// <summary>Tells handlers of news, and the log what came of it.</summary>
internal sealed partial class WatchHandlers(TimeProvider time, ILogger log) : IDisposable
{
    private static readonly JsonWriterOptions GoJson = new() { Encoder = GoJsonEncoder.Instance };

    private readonly CheckProcess _processes = new(time);
    private readonly SemaphoreSlim _places = new(WatchLimits.HandlersAtOnce);

    /// <summary>Tells a handler; what goes wrong with it is logged.</summary>
    /// <exception cref="OperationCanceledException">It was stopped; a program that ran is killed.</exception>
    public async Task TellAsync(WatchDefinition watch, WatchNews news, CancellationToken stop)
    {
        await _places.WaitAsync(stop);
        try
        {
            var body = BodyOf(news);
            var index = news.Index.ToString(CultureInfo.InvariantCulture);
            await (watch.Handler switch
            {
                WatchHandler.Script script => RunAsync(watch, script, body, index, stop),
                WatchHandler.Http http => SendAsync(watch, http, body, index, stop),
                _ => Task.CompletedTask,
            });
        }
        finally
        {
            _places.Release();
        }
    }

    public void Dispose() => _places.Dispose();

    // With a line end behind it, as Go's encoder leaves it.
    private static byte[] BodyOf(WatchNews news)
    {
        var buffer = new ArrayBufferWriter<byte>();
        using (var json = new Utf8JsonWriter(buffer, GoJson))
        {
            news.Data.WriteTo(json);
        }

        buffer.Write("\n"u8);
        return buffer.WrittenSpan.ToArray();
    }

    private async Task RunAsync(
        WatchDefinition watch, WatchHandler.Script script, byte[] body, string index, CancellationToken stop)
    {
        var output = new OutputCapture(WatchLimits.OutputBytesMax);
        var run = new ProcessRun(script.Args, WatchLimits.ScriptTimeMax, output.TakeAsync)
        {
            Input = body,
            Environment = new Dictionary<string, string>(StringComparer.Ordinal) { ["CONSUL_INDEX"] = index },
        };
        var end = await _processes.RunAsync(run, output, stop);
        var problem = end.StartError
            ?? (end.IsLate ? $"killed after {GoText.Duration(WatchLimits.ScriptTimeMax)}"
                : end.ExitCode == 0 ? null : $"exit status {end.ExitCode}");
        if (problem is not null)
        {
            Log.ScriptFailed(log, watch.Query.Type, script.Args[0], problem);
        }

        Log.ScriptEnded(log, watch.Query.Type, script.Args[0], output.Summary());
    }

    private async Task SendAsync(
        WatchDefinition watch, WatchHandler.Http to, byte[] body, string index, CancellationToken stop)
    {
        using var limit = new RunLimit(to.Timeout, time, stop);
        try
        {
            using var http = new HttpMessageInvoker(Handler(to));
            using var request = Request(to, body, index);
            using var answer = await http.SendAsync(request, limit.Token);
            var output = await OutputOfAsync(answer, limit.Token);
            if (answer.IsSuccessStatusCode)
            {
                Log.Sent(log, watch.Query.Type, Shown(to), output);
            }
            else
            {
                Log.Refused(log, watch.Query.Type, Shown(to), (int)answer.StatusCode, output);
            }
        }
        catch (Exception failure) when (failure is HttpRequestException or IOException)
        {
            Log.SendFailed(log, watch.Query.Type, Shown(to), failure.Message);
        }
        catch (OperationCanceledException) when (limit.IsLate)
        {
            Log.SendFailed(log, watch.Query.Type, Shown(to), $"no answer within {GoText.Duration(to.Timeout)}");
        }
    }

    private static SocketsHttpHandler Handler(WatchHandler.Http to)
    {
        var handler = new SocketsHttpHandler { UseCookies = false };
        if (to.SkipsVerification)
        {
            handler.SslOptions = new SslClientAuthenticationOptions
            {
                // The file says so: tls_skip_verify.
                RemoteCertificateValidationCallback = static (_, _, _, _) => true,
            };
        }

        return handler;
    }

    private static HttpRequestMessage Request(WatchHandler.Http to, byte[] body, string index)
    {
        var content = new ByteArrayContent(body);
        content.Headers.ContentType = new MediaTypeHeaderValue("application/json");
        var request = new HttpRequestMessage(new HttpMethod(to.Method), to.Path) { Content = content };
        request.Headers.TryAddWithoutValidation("X-Consul-Index", index);
        foreach (var (name, value) in to.Headers)
        {
            if (!request.Headers.TryAddWithoutValidation(name, value))
            {
                content.Headers.TryAddWithoutValidation(name, value);
            }
        }

        return request;
    }

    private static async Task<string> OutputOfAsync(HttpResponseMessage answer, CancellationToken stop)
    {
        var output = new OutputCapture(WatchLimits.OutputBytesMax);
        var buffer = new byte[WatchLimits.OutputBytesMax];
        await using var body = await answer.Content.ReadAsStreamAsync(stop);
        while (output.Total < WatchLimits.AnswerBytesMax && await body.ReadAsync(buffer, stop) is > 0 and var read)
        {
            output.Add(buffer.AsSpan(0, read));
        }

        return output.Summary();
    }

    // Without user, password and parameters: any of these may be a secret.
    private static string Shown(WatchHandler.Http to) => to.Path.GetLeftPart(UriPartial.Path)
        .Replace(to.Path.UserInfo.Length > 0 ? to.Path.UserInfo + "@" : "\0", "", StringComparison.Ordinal);

    private static partial class Log
    {
        [LoggerMessage(1, LogLevel.Error, "a watch's handler failed: type={Type} handler={Handler} error={Problem}")]
        public static partial void ScriptFailed(ILogger log, string type, string handler, string problem);

        [LoggerMessage(2, LogLevel.Debug, "a watch's handler ended: type={Type} handler={Handler} output={Output}")]
        public static partial void ScriptEnded(ILogger log, string type, string handler, string output);

        [LoggerMessage(3, LogLevel.Trace, "a watch's handler answered: type={Type} handler={Handler} output={Output}")]
        public static partial void Sent(ILogger log, string type, string handler, string output);

        [LoggerMessage(4, LogLevel.Error,
            "a watch's handler refused: type={Type} handler={Handler} status={Status} output={Output}")]
        public static partial void Refused(ILogger log, string type, string handler, int status, string output);

        [LoggerMessage(5, LogLevel.Error,
            "a watch's handler was not reached: type={Type} handler={Handler} error={Problem}")]
        public static partial void SendFailed(ILogger log, string type, string handler, string problem);
    }
}
