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
    /// <summary>A sidecar of which nobody said who runs it: the agent does while nobody else does, if it can and
    /// may.</summary>
    public static ServicePlan ByDefault(ServicePlan sidecar, LocalService parent, NodeIdentity node)
    {
        var service = sidecar.Service;
        var isOurs = service.Record.Proxy is { } proxy && IsServed(proxy)
            && IsHere(service.Record.Address, node) && IsHere(parent.Record.Address, node)
            && (service.Origin == LocalOrigin.ConfigFile || Problem(proxy, node) is null);
        return sidecar with { Service = service with { IsManaged = isOurs, GivesWay = isOurs } };
    }

    /// <summary>The first thing that a sidecar run by the agent may not do. Null: nothing.</summary>
    public static string? Problem(ServicePlan plan, NodeIdentity node) =>
        plan.Sidecar?.Service is { IsManaged: true, Origin: LocalOrigin.Api, Record.Proxy: { } proxy }
            ? Problem(proxy, node)
            : null;

    private static string? Problem(ServiceProxy proxy, NodeIdentity node)
    {
        if (TextOf(proxy, "bind_address") is { } bind && !IsPublic(bind, node))
        {
            return Refusal("bind_address", bind, "loopback or the node's own address");
        }

        return Dialled(proxy).Concat(Bound(proxy))
            .Where(static at => at.Host.Length > 0 && !IsLoopback(at.Host))
            .Select(static at => Refusal(at.Key, at.Host, "loopback"))
            .FirstOrDefault();
    }

    // What a proxy of layer 4 with ports of its own can do.
    private static bool IsServed(ServiceProxy proxy) =>
        proxy.Mode != "transparent" && proxy.LocalServiceSocketPath.Length == 0
        && (proxy.Upstreams ?? []).All(static upstream => upstream.LocalBindSocketPath.Length == 0);

    // What is registered for another machine, or for a container's network, cannot be served from here.
    private static bool IsHere(string address, NodeIdentity node) => address.Length == 0 || IsPublic(address, node);

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
