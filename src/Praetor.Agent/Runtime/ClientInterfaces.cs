using System.Net;
using System.Net.Sockets;
using Praetor.Agent.Config;
using Praetor.Agent.Dns;
using Praetor.Agent.Http;
using Praetor.Agent.Logging;

namespace Praetor.Agent.Runtime;

/// <summary>Where users ask this agent: HTTP and DNS.</summary>
internal sealed class ClientInterfaces(AgentConfig config, AgentLog log, TimeProvider time) : IAsyncDisposable
{
    private readonly HostGuard _guard = new(Guards(config));
    private HttpServer? _http;
    private DnsServer? _dns;

    public HostGuard Guard => _guard;

    /// <summary>Where HTTP listens, for people.</summary>
    public string HttpAddresses => string.Join(' ', _http?.Addresses ?? []);

    /// <summary>Where DNS listens.</summary>
    public IReadOnlyList<IPEndPoint> DnsEndPoints => _dns?.EndPoints ?? [];

    /// <summary>Begins to answer DNS.</summary>
    /// <exception cref="IOException">A port is taken, or an address is not this machine's.</exception>
    public void StartDns(IDnsCatalog catalog)
    {
        if (config.Ports.Dns < 0 || config.Addresses.Dns.Count == 0)
        {
            return;
        }

        _dns = new DnsServer(ConfigMapping.Dns(config), catalog, time, new Random(), log.CreateLogger("agent.dns"));
        try
        {
            _dns.Start();
        }
        catch (SocketException e)
        {
            throw ListenFailure.Of("DNS", string.Join(' ', config.Addresses.Dns), "ports.dns", e);
        }
    }

    /// <summary>Begins to answer HTTP.</summary>
    /// <exception cref="IOException">A port is taken, or an address is not this machine's.</exception>
    public async Task StartHttpAsync(ApiSurroundings around, CancellationToken stop)
    {
        if (config.Addresses.Http.Count == 0)
        {
            return;
        }

        var api = new HttpApi(around);
        var endPoints = config.Addresses.Http.Select(static a => a.EndPoint).ToList();
        var options = new HttpServerOptions(endPoints, config.Limits.HttpConnectionsPerClient)
        {
            HeaderBytesMax = config.Http.MaxHeaderBytes,
        };
        _http = new HttpServer(options, api.HandleAsync, log);
        try
        {
            await _http.StartAsync(stop);
        }
        catch (Exception e) when (e is SocketException or InvalidOperationException or IOException)
        {
            throw ListenFailure.Of("HTTP", string.Join(' ', config.Addresses.Http), "ports.http", e);
        }
    }

    /// <summary>Takes over what can change.</summary>
    public void Reload(AgentConfig next)
    {
        _guard.Rules = Guards(next);
        if (_http is not null)
        {
            _http.ConnectionsPerClientMax = next.Limits.HttpConnectionsPerClient;
        }

        _dns?.Reload(ConfigMapping.Dns(next));
    }

    public async ValueTask DisposeAsync()
    {
        if (_http is not null)
        {
            await _http.DisposeAsync();
        }

        if (_dns is not null)
        {
            await _dns.StopAsync();
        }
    }

    /// <summary>Where this process reaches its own HTTP API: sidecars inside the agent ask it like any other
    /// proxy. Null: it has none.</summary>
    public static string? OwnAddress(AgentConfig config)
    {
        var http = config.Addresses.Http.FirstOrDefault();
        if (http?.Address is not { } address)
        {
            return http?.ToString();
        }

        var reachable = address.Equals(IPAddress.Any) ? IPAddress.Loopback
            : address.Equals(IPAddress.IPv6Any) ? IPAddress.IPv6Loopback : address;
        return new IPEndPoint(reachable, http.Port).ToString();
    }

    internal static GuardRules Guards(AgentConfig config)
    {
        string[] own = [config.NodeName, Environment.MachineName, "." + config.Dns.Domain.TrimEnd('.')];
        return new GuardRules
        {
            HostNames = own.Concat(config.Http.AllowedHosts).Select(static n => n.ToLowerInvariant())
                .ToHashSet(StringComparer.Ordinal),
            BlockedPrefixes = config.Http.BlockEndpoints,
            WriteNetworks = config.Http.AllowWriteFrom,
        };
    }
}
