using System.Net;
using System.Net.Sockets;
using System.Text;
using Praetor.Agent.Config;
using Praetor.Agent.Dns;
using Praetor.Agent.Http;
using Praetor.Agent.Http.Tls;
using Praetor.Agent.Logging;

namespace Praetor.Agent.Runtime;

/// <summary>Where users ask this agent: HTTP and DNS.</summary>
internal sealed class ClientInterfaces(AgentConfig config, AgentLog log, TimeProvider time) : IAsyncDisposable
{
    // What a path of a Unix socket may be long on Linux.
    private const int SocketPathMax = 107;

    private readonly HostGuard _guard = new(Guards(config));
    private readonly string? _ownSocket = OwnSocketOf(config);
    private TlsGate? _tls;
    private HttpServer? _http;
    private DnsServer? _dns;

    public HostGuard Guard => _guard;

    /// <summary>Where HTTP listens, for people.</summary>
    public string HttpAddresses => string.Join(' ', _http?.Addresses ?? []);

    /// <summary>Where HTTPS listens, for people.</summary>
    public string HttpsAddresses => string.Join(' ', _http?.TlsAddresses ?? []);

    /// <summary>Where this process reaches its own HTTP API: sidecars inside the agent ask it like any other proxy.
    /// When HTTP is off it is a Unix socket for this process alone.</summary>
    public string OwnAddress => _ownSocket is null ? OwnAddressOf(config) : $"unix://{_ownSocket}";

    /// <summary>Where DNS listens.</summary>
    public IReadOnlyList<IPEndPoint> DnsEndPoints => _dns?.EndPoints ?? [];

    /// <summary>Begins to answer DNS.</summary>
    /// <exception cref="IOException">A port is taken, or an address is not this machine's.</exception>
    public void StartDns(IDnsCatalog catalog, IReadOnlyList<IPEndPoint> recursors)
    {
        if (config.Ports.Dns < 0 || config.Addresses.Dns.Count == 0)
        {
            return;
        }

        _dns = new DnsServer(
            ConfigMapping.Dns(config, recursors), catalog, time, new Random(), log.CreateLogger("agent.dns"));
        try
        {
            _dns.Start();
        }
        catch (SocketException e)
        {
            throw ListenFailure.Of("DNS", string.Join(' ', config.Addresses.Dns), "ports.dns", e);
        }
    }

    /// <summary>Begins to answer HTTP, and HTTPS.</summary>
    /// <exception cref="IOException">A port is taken, or an address is not this machine's.</exception>
    public async Task StartHttpAsync(ApiSurroundings around, TlsMaterial tls, CancellationToken stop)
    {
        var api = new HttpApi(around);
        _tls = new TlsGate(tls.Https, config.Limits.HttpsHandshakeTimeout, time, log.CreateLogger("agent.https"));
        var options = new HttpServerOptions(EndPoints(config.Addresses.Http), config.Limits.HttpConnectionsPerClient)
        {
            HeaderBytesMax = config.Http.MaxHeaderBytes,
            TlsEndPoints = EndPoints(config.Addresses.Https),
            Tls = _tls,
            SocketFiles = config.SocketFiles,
            OwnSocket = _ownSocket,
        };
        _http = new HttpServer(options, api.HandleAsync, log);
        try
        {
            await _http.StartAsync(stop);
        }
        catch (Exception e) when (e is SocketException or InvalidOperationException or IOException)
        {
            var where = string.Join(' ', [.. config.Addresses.Http, .. config.Addresses.Https]);
            throw e.GetBaseException() is SocketException
                ? ListenFailure.Of("HTTP", where, "ports.http", e)
                : new IOException($"HTTP cannot listen on {where}: {e.Message}", e);
        }
    }

    /// <summary>Takes over what can change.</summary>
    public void Reload(AgentConfig next, TlsMaterial tls, IReadOnlyList<IPEndPoint> recursors)
    {
        _guard.Rules = Guards(next);
        if (_tls is not null)
        {
            _tls.Tls = tls.Https;
        }

        if (_http is not null)
        {
            _http.ConnectionsPerClientMax = next.Limits.HttpConnectionsPerClient;
        }

        _dns?.Reload(ConfigMapping.Dns(next, recursors));
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

    private static List<EndPoint> EndPoints(IEnumerable<ListenAddress> addresses) =>
        [.. addresses.Select(static a => a.EndPoint)];

    private static string OwnAddressOf(AgentConfig config)
    {
        var http = config.Addresses.Http[0];
        if (http.Address is not { } address)
        {
            return http.ToString();
        }

        var reachable = address.Equals(IPAddress.Any) ? IPAddress.Loopback
            : address.Equals(IPAddress.IPv6Any) ? IPAddress.IPv6Loopback : address;
        return new IPEndPoint(reachable, http.Port).ToString();
    }

    private static string? OwnSocketOf(AgentConfig config)
    {
        if (config.Addresses.Http.Count > 0)
        {
            return null;
        }

        var path = Path.GetFullPath(Path.Combine(config.DataDir, "agent.sock"));
        return config.DataDir.Length > 0 && Encoding.UTF8.GetByteCount(path) <= SocketPathMax
            ? path : Path.Combine(Path.GetTempPath(), $"praetor-{Guid.NewGuid():N}.sock");
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
