using System.Net;
using System.Text.Json;
using Praetor.Server.Model;

namespace Praetor.Agent.Local;

/// <summary>What a client may ask of a proxy that runs in the agent.</summary>
/// <remarks>
/// The proxy binds and dials from inside the agent: who may register a service must not thereby reach, or open, what
/// only this machine can. Files are the administrator's and may say what they like.
/// </remarks>
internal static class ManagedProxyRules
{
    /// <summary>The first thing that a sidecar run by the agent may not do. Null: nothing.</summary>
    public static string? Problem(ServicePlan plan, NodeIdentity node)
    {
        if (plan.Sidecar?.Service is not { IsManaged: true, Origin: LocalOrigin.Api, Record.Proxy: { } proxy })
        {
            return null;
        }

        if (TextOf(proxy, "bind_address") is { } bind && !IsPublic(bind, node))
        {
            return Refusal("bind_address", bind, "loopback or the node's own address");
        }

        return Dialled(proxy).Concat(Bound(proxy))
            .Where(static at => at.Host.Length > 0 && !IsLoopback(at.Host))
            .Select(static at => Refusal(at.Key, at.Host, "loopback"))
            .FirstOrDefault();
    }

    private static IEnumerable<(string Key, string Host)> Dialled(ServiceProxy proxy)
    {
        yield return ("local_service_address", proxy.LocalServiceAddress);
        yield return ("local_service_address", HostOf(TextOf(proxy, "local_service_address")));
    }

    private static IEnumerable<(string Key, string Host)> Bound(ServiceProxy proxy)
    {
        var metrics = TextOf(proxy, "metrics_bind_addr");
        yield return ("metrics_bind_addr", metrics is null || HostOf(metrics).Length > 0 ? HostOf(metrics) : metrics);
        foreach (var upstream in proxy.Upstreams ?? [])
        {
            yield return ("local_bind_address", upstream.LocalBindAddress);
        }
    }

    private static string Refusal(string key, string value, string allowed) =>
        $"{key} \"{value}\": a managed proxy that is registered by the API may use {allowed} only; "
        + "define the service in a configuration file of the agent, or run the proxy by itself";

    private static bool IsPublic(string address, NodeIdentity node) =>
        IsLoopback(address) || address is "0.0.0.0" or "::" || address == node.Address;

    private static bool IsLoopback(string host) =>
        host == "localhost" || (IPAddress.TryParse(host, out var address) && IPAddress.IsLoopback(address));

    private static string HostOf(string? address)
    {
        var colon = address?.LastIndexOf(':') ?? -1;
        return colon < 0 ? address ?? "" : address![..colon].Trim('[', ']');
    }

    private static string? TextOf(ServiceProxy proxy, string key) =>
        proxy.Config is { ValueKind: JsonValueKind.Object } config && config.TryGetProperty(key, out var value)
            ? value.ValueKind == JsonValueKind.String ? value.GetString() : value.GetRawText()
            : null;
}
