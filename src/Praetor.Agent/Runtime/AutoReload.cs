using Praetor.Agent.Config;

namespace Praetor.Agent.Runtime;

/// <summary>Reloads whenever a configuration file was changed, for those who set <c>auto_reload_config</c>.</summary>
/// <remarks>
/// It looks, four times a second, instead of being told: the kernel tells nothing of files on other machines, and for a
/// folder whose link is led elsewhere it tells of the old one. To look at a file costs some microseconds. A change
/// counts when it looks the same twice, as a file that is being written does not.
/// </remarks>
internal sealed class AutoReload(Func<string> look, TimeProvider time, Func<CancellationToken, Task> reload)
{
    /// <summary>How often it looks: a change is taken over within two of these, and less than a second.</summary>
    public static readonly TimeSpan Interval = TimeSpan.FromMilliseconds(250);

    /// <summary>Looks until <paramref name="stop"/>.</summary>
    /// <param name="applied">How things looked when the configuration was read.</param>
    /// <param name="stop">Ends it.</param>
    public async Task RunAsync(string applied, CancellationToken stop)
    {
        var before = applied;
        while (true)
        {
            await Task.Delay(Interval, time, stop);
            var now = look();
            if (now != applied && now == before)
            {
                applied = now;
                await reload(stop);
            }

            before = now;
        }
    }

    /// <summary>The files of TLS that a reload reads again.</summary>
    public static IReadOnlyList<string> TlsFiles(AgentConfig config) =>
        [.. new[] { config.Tls, config.Https, config.InternalTls }
            .SelectMany(static tls => (string[])[tls.CaFile, tls.CaPath, tls.CertFile, tls.KeyFile])
            .Where(static path => path.Length > 0).Distinct()];
}
