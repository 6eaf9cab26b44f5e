using Praetor.Server.Catalog;
using Praetor.Server.Model;

namespace Praetor.Agent.Http;

/// <summary>Shows nodes and services by the addresses under which other datacenters reach them
/// (<c>translate_wan_addrs</c>).</summary>
/// <remarks>The agent that a user asks decides whether it is done, by a parameter on the request that it passes on; the
/// server that answers does it, since it knows the tagged addresses.</remarks>
internal static class WanAddresses
{
    /// <summary>The parameter by which another datacenter's agent asks for it.</summary>
    public const string Parameter = "translate-wan-addrs";

    /// <summary>Tells clients that addresses are translated; Consul's header.</summary>
    public const string Header = "X-Consul-Translate-Addresses";

    private const string Wan = "wan";
    private const string WanIPv4 = "wan_ipv4";
    private const string WanIPv6 = "wan_ipv6";

    /// <summary>The node as the asker is to see it.</summary>
    public static NodeRecord Of(ApiRequest request, NodeRecord node) =>
        request.Query.Has(Parameter) && Find(node.TaggedAddresses) is { } address
            ? node with { Address = address }
            : node;

    /// <summary>The service as the asker is to see it.</summary>
    public static ServiceRecord Of(ApiRequest request, ServiceRecord service)
    {
        if (!request.Query.Has(Parameter) || service.TaggedAddresses is not { } tagged)
        {
            return service;
        }

        var port = tagged.GetValueOrDefault(Wan) is { Port: not 0 } wan ? wan.Port : service.Port;
        var address = Find(tagged.ToDictionary(
            static pair => pair.Key, static pair => pair.Value.Address, StringComparer.Ordinal));
        return service with { Address = address ?? service.Address, Port = port };
    }

    /// <summary>The instance as the asker is to see it.</summary>
    public static Instance Of(ApiRequest request, Instance instance) => request.Query.Has(Parameter)
        ? instance with { Node = Of(request, instance.Node), Service = Of(request, instance.Service) }
        : instance;

    // Consul's order: the families' own addresses go before the general one.
    private static string? Find(IReadOnlyDictionary<string, string>? tagged) => tagged is null ? null
        : tagged.GetValueOrDefault(WanIPv6) is { Length: > 0 } six ? six
        : tagged.GetValueOrDefault(WanIPv4) is { Length: > 0 } four ? four
        : tagged.GetValueOrDefault(Wan) is { Length: > 0 } any ? any
        : null;
}
