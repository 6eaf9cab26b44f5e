using System.Globalization;
using System.Text.Json;
using Praetor.Client.Connect;

namespace Praetor.Proxy.Control;

/// <summary>Turns a registration into a proxy's configuration.</summary>
/// <remarks>
/// The settings of a proxy are free-form, and people write numbers as texts; both are taken, as Consul does. A setting
/// that cannot be read leaves the default in place: a proxy that serves beats one that complains.
/// </remarks>
internal static class Settings
{
    private const string PreparedQuery = "prepared_query";

    /// <summary>The configuration that a registration describes.</summary>
    public static ProxyConfig Read(ProxyRegistration registration)
    {
        var proxy = registration.Proxy ?? new ProxyDefinition();
        return new ProxyConfig
        {
            Service = proxy.DestinationServiceName,
            PublicListener = ReadListener(registration, proxy),
            Upstreams = [.. (proxy.Upstreams ?? []).Where(static u => IsPort(u.LocalBindPort)).Select(ReadUpstream)],
            MetricsAddress = Text(proxy.Config, "metrics_bind_addr"),
        };
    }

    /// <summary>The <c>host:port</c> in a text; null when there is none. An empty host stays empty.</summary>
    public static (string Host, int Port)? SplitAddress(string text)
    {
        var colon = text.LastIndexOf(':');
        return colon >= 0
            && ushort.TryParse(text.AsSpan(colon + 1), NumberStyles.None, CultureInfo.InvariantCulture, out var port)
                ? (text[..colon].Trim('[', ']'), port)
                : null;
    }

    private static PublicListenerConfig? ReadListener(ProxyRegistration registration, ProxyDefinition proxy)
    {
        var port = registration.Port > 0 ? registration.Port : Number(proxy.Config, "bind_port") ?? 0;
        var host = proxy.LocalServiceAddress is { Length: > 0 } address ? address : "127.0.0.1";
        var local = (Host: host, Port: proxy.LocalServicePort);
        if (Text(proxy.Config, "local_service_address") is { } text && SplitAddress(text) is { } own)
        {
            local = own;
        }

        if (!IsPort(port) || !IsPort(local.Port))
        {
            return null;
        }

        return new PublicListenerConfig
        {
            BindAddress = Text(proxy.Config, "bind_address") ?? "0.0.0.0",
            BindPort = port,
            LocalServiceAddress = local.Host,
            LocalServicePort = local.Port,
            LocalConnectTimeout = Span(proxy.Config, "local_connect_timeout_ms") ?? Limits.LocalConnectTimeout,
            HandshakeTimeout = Span(proxy.Config, "handshake_timeout_ms") ?? Limits.HandshakeTimeout,
            MaxConnections = Number(proxy.Config, "max_connections") ?? Limits.ConnectionsPerListener,
        };
    }

    private static UpstreamConfig ReadUpstream(UpstreamDefinition upstream) => new()
    {
        Name = upstream.DestinationName,
        IsPreparedQuery = upstream.DestinationType == PreparedQuery,
        Datacenter = upstream.Datacenter is { Length: > 0 } datacenter ? datacenter : null,
        BindAddress = upstream.LocalBindAddress is { Length: > 0 } address ? address : "127.0.0.1",
        BindPort = upstream.LocalBindPort,
        ConnectTimeout = Span(upstream.Config, "connect_timeout_ms") ?? Limits.ConnectTimeout,
        HandshakeTimeout = Span(upstream.Config, "handshake_timeout_ms") ?? Limits.HandshakeTimeout,
        MaxConnections = Number(upstream.Config, "max_connections") ?? Limits.ConnectionsPerListener,
        Balancer = Text(upstream.Config, "balancer") ?? Balancing.LeastConnections.Name,
    };

    private static bool IsPort(int port) => port is > 0 and <= ushort.MaxValue;

    private static string? Text(Dictionary<string, JsonElement>? config, string key)
    {
        if (config is null || !config.TryGetValue(key, out var value))
        {
            return null;
        }

        return value.ValueKind switch
        {
            JsonValueKind.String => value.GetString() is { Length: > 0 } text ? text : null,
            JsonValueKind.Number => value.GetRawText(),
            _ => null,
        };
    }

    private static int? Number(Dictionary<string, JsonElement>? config, string key) =>
        double.TryParse(Text(config, key), CultureInfo.InvariantCulture, out var number)
        && number is > 0 and < int.MaxValue
            ? (int)number
            : null;

    private static TimeSpan? Span(Dictionary<string, JsonElement>? config, string key) =>
        Number(config, key) is { } milliseconds ? TimeSpan.FromMilliseconds(milliseconds) : null;
}
