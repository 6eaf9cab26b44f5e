using System.Globalization;
using System.Net;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.Extensions.Logging;
using Praetor.Agent.Checks;

namespace Praetor.Agent.Http;

/// <summary>Names each request in the log when it was answered, for those who look for it with level trace.</summary>
/// <remarks>Consul does so with level debug. That is a dev agent's own level, and a line for each request costs more
/// than most answers.</remarks>
internal sealed partial class RequestLog(ILogger log, TimeProvider time)
{
    private const string Token = "token";
    private const string Hidden = "<hidden>";

    /// <summary>Whether anybody reads it now.</summary>
    public bool IsRead => log.IsEnabled(LogLevel.Trace);

    /// <summary>Has a request answered and names it.</summary>
    public async Task AnswerAsync(HttpContext context, Func<HttpContext, Task> answer)
    {
        var began = time.GetTimestamp();
        try
        {
            await answer(context);
        }
        finally
        {
            var target = context.Features.GetRequiredFeature<IHttpRequestFeature>().RawTarget;
            var (address, port) = (context.Connection.RemoteIpAddress, context.Connection.RemotePort);
            Log.Finished(
                log, context.Request.Method, WithoutToken(target), context.Response.StatusCode,
                address is null ? "a Unix socket" : new IPEndPoint(address, port).ToString(),
                GoText.Duration(time.GetElapsedTime(began)));
        }
    }

    /// <summary>What was asked for, without the secret that may stand in it.</summary>
    public static string WithoutToken(string target)
    {
        var question = target.IndexOf('?');
        if (question < 0)
        {
            return target;
        }

        var parameters = target[(question + 1)..].Split('&').Select(static parameter =>
            IsToken(parameter.Split('=', 2)[0]) ? $"{Token}={Hidden}" : parameter);
        return string.Create(
            CultureInfo.InvariantCulture, $"{target.AsSpan(0, question + 1)}{string.Join('&', parameters)}");
    }

    // As whoever answers reads it: letters may stand there in code.
    private static bool IsToken(string name) =>
        Uri.UnescapeDataString(name.Replace('+', ' ')).Equals(Token, StringComparison.OrdinalIgnoreCase);

    private static partial class Log
    {
        [LoggerMessage(1, LogLevel.Trace, "Request finished: method={Method} url={Url} status={Status} from={From} "
            + "latency={Latency}")]
        public static partial void Finished(
            ILogger log, string method, string url, int status, string from, string latency);
    }
}
