using System.Text.Json;
using Praetor.Server.Model;

namespace Praetor.Agent.Http.Json;

/// <summary>Writes what a proxy stands for as Consul does.</summary>
internal static class ProxyJson
{
    /// <summary>Writes the member <c>Proxy</c>.</summary>
    /// <param name="json">Where to.</param>
    /// <param name="proxy">Null: written as one with nothing set.</param>
    /// <param name="inCatalog">Upstreams in the catalog show members that the agent leaves out when empty.</param>
    public static void Write(Utf8JsonWriter json, ServiceProxy? proxy, bool inCatalog)
    {
        proxy ??= new ServiceProxy();
        json.WriteStartObject();
        WriteText(json, "DestinationServiceName", proxy.DestinationServiceName);
        WriteText(json, "DestinationServiceID", proxy.DestinationServiceId);
        WriteText(json, "LocalServiceAddress", proxy.LocalServiceAddress);
        if (proxy.LocalServicePort != 0)
        {
            json.WriteNumber("LocalServicePort", proxy.LocalServicePort);
        }

        WriteText(json, "LocalServiceSocketPath", proxy.LocalServiceSocketPath);
        WriteText(json, "Mode", proxy.Mode);
        WriteConfig(json, proxy.Config);
        if (proxy.Upstreams is { Count: > 0 } upstreams)
        {
            json.WriteStartArray("Upstreams");
            foreach (var upstream in upstreams)
            {
                WriteUpstream(json, upstream, inCatalog);
            }

            json.WriteEndArray();
        }

        WriteMeshGateway(json, proxy.MeshGatewayMode);
        WriteExpose(json, proxy);
        WriteFurther(json, proxy.Further);
        json.WriteEndObject();
    }

    private static void WriteUpstream(Utf8JsonWriter json, ServiceUpstream upstream, bool inCatalog)
    {
        json.WriteStartObject();
        WriteText(json, "DestinationType", upstream.DestinationType, always: inCatalog);
        json.WriteString("DestinationName", upstream.DestinationName);
        WriteText(json, "Datacenter", upstream.Datacenter, always: inCatalog);
        WriteText(json, "LocalBindAddress", upstream.LocalBindAddress);
        if (upstream.LocalBindPort != 0)
        {
            json.WriteNumber("LocalBindPort", upstream.LocalBindPort);
        }

        WriteText(json, "LocalBindSocketPath", upstream.LocalBindSocketPath);
        WriteText(json, "LocalBindSocketMode", upstream.LocalBindSocketMode);
        WriteConfig(json, upstream.Config, always: inCatalog);
        WriteMeshGateway(json, upstream.MeshGatewayMode);
        WriteFurther(json, upstream.Further);
        json.WriteEndObject();
    }

    private static void WriteConfig(Utf8JsonWriter json, JsonElement? config, bool always = false)
    {
        if (config is not { ValueKind: JsonValueKind.Object } map || !map.EnumerateObject().Any())
        {
            if (always)
            {
                json.WriteNull("Config");
            }

            return;
        }

        json.WritePropertyName("Config");
        JsonOrder.WriteSorted(json, map);
    }

    private static void WriteMeshGateway(Utf8JsonWriter json, string mode)
    {
        json.WriteStartObject("MeshGateway");
        WriteText(json, "Mode", mode);
        json.WriteEndObject();
    }

    private static void WriteExpose(Utf8JsonWriter json, ServiceProxy proxy)
    {
        json.WriteStartObject("Expose");
        if (proxy.ExposeChecks)
        {
            json.WriteBoolean("Checks", true);
        }

        if (proxy.ExposePaths is { Count: > 0 } paths)
        {
            json.WriteStartArray("Paths");
            foreach (var path in paths)
            {
                json.WriteStartObject();
                json.WriteNumber("ListenerPort", path.ListenerPort);
                json.WriteString("Path", path.Path);
                json.WriteNumber("LocalPathPort", path.LocalPathPort);
                json.WriteString("Protocol", path.Protocol);
                if (path.ParsedFromCheck)
                {
                    json.WriteBoolean("ParsedFromCheck", true);
                }

                json.WriteEndObject();
            }

            json.WriteEndArray();
        }

        json.WriteEndObject();
    }

    private static void WriteFurther(Utf8JsonWriter json, IReadOnlyDictionary<string, JsonElement>? further)
    {
        foreach (var (name, value) in further ?? new Dictionary<string, JsonElement>(StringComparer.Ordinal))
        {
            json.WritePropertyName(name);
            value.WriteTo(json);
        }
    }

    private static void WriteText(Utf8JsonWriter json, string name, string value, bool always = false)
    {
        if (always || value.Length > 0)
        {
            json.WriteString(name, value);
        }
    }
}
