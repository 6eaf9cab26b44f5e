using System.Globalization;
using Praetor.CommandLine;
using Praetor.Proxy;

namespace Praetor.Commands;

/// <summary>Writes the log of a proxy in the foreground to standard output, as text or JSON.</summary>
internal sealed class ProxyLogWriter(Shell shell, string level, bool json)
{
    private readonly ProxyLogLevel _least = level.ToUpperInvariant() switch
    {
        "TRACE" or "DEBUG" => ProxyLogLevel.Debug,
        "WARN" => ProxyLogLevel.Warn,
        "ERR" or "ERROR" => ProxyLogLevel.Error,
        _ => ProxyLogLevel.Info,
    };

    public void Write(ProxyLogLevel level, string message)
    {
        if (level < _least)
        {
            return;
        }

        var now = shell.Time.GetUtcNow().ToString("yyyy-MM-dd'T'HH:mm:ss.fff'Z'", CultureInfo.InvariantCulture);
        var name = level.ToString().ToUpperInvariant();
        var line = json ? AsJson(now, name, message) : $"    {now} {$"[{name}]",-7} {message}";
        lock (shell)
        {
            shell.Say(line);
            shell.Out.Flush();
        }
    }

    private static string AsJson(string now, string name, string message)
    {
        var text = new GoJson("");
        text.WriteString(message);
        return $"{{\"@level\":\"{name.ToLowerInvariant()}\",\"@message\":{text},\"@module\":\"proxy\","
            + $"\"@timestamp\":\"{now}\"}}";
    }
}
