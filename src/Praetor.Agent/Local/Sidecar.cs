using System.Globalization;
using Praetor.Agent.Checks;
using Praetor.Server.Model;

namespace Praetor.Agent.Local;

/// <summary>Ports from which sidecars get theirs.</summary>
public readonly record struct PortRange(int Min, int Max)
{
    /// <summary>Consul's, since 1.3.</summary>
    public static PortRange Sidecars { get; } = new(21000, 21255);
}

/// <summary>What a service's sidecar is when nobody says otherwise.</summary>
internal static class Sidecar
{
    private static readonly TimeSpan ListeningInterval = TimeSpan.FromSeconds(10);

    /// <summary>The id of a service's sidecar.</summary>
    public static string IdOf(string serviceId) => serviceId + "-sidecar-proxy";

    /// <summary>The sidecar with a port: the one asked for, the one it had, or the first that is free.</summary>
    /// <returns>Null: no port is free.</returns>
    public static LocalService? WithPort(LocalService sidecar, LocalSnapshot now, PortRange range)
    {
        if (sidecar.Record.Port > 0)
        {
            return sidecar;
        }

        var had = now.Services.GetValueOrDefault(sidecar.Record.Id)?.Record.Port ?? 0;
        if (had >= range.Min && had <= range.Max)
        {
            return WithPort(sidecar, had);
        }

        var taken = now.Services.Values.Select(static s => s.Record.Port).ToHashSet();
        for (var port = range.Min; port <= range.Max; port++)
        {
            if (!taken.Contains(port))
            {
                return WithPort(sidecar, port);
            }
        }

        return null;
    }

    /// <summary>Whether it listens, and how the service is that it stands for.</summary>
    public static IReadOnlyList<CheckSpec> DefaultChecks(ServiceRecord sidecar, string parentId)
    {
        var address = sidecar.Address.Length > 0 ? sidecar.Address : "127.0.0.1";
        var host = address.Contains(':') ? $"[{address}]" : address;
        return
        [
            new CheckSpec
            {
                Id = "",
                Name = "Connect Sidecar Listening",
                Tcp = host + ":" + sidecar.Port.ToString(CultureInfo.InvariantCulture),
                Interval = ListeningInterval,
                IsEager = true,
            },
            new CheckSpec { Id = "", Name = "Connect Sidecar Aliasing " + parentId, AliasService = parentId },
        ];
    }

    private static LocalService WithPort(LocalService sidecar, int port) =>
        sidecar with { Record = sidecar.Record with { Port = port } };
}
