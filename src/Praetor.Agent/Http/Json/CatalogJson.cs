using System.Text.Json;
using Praetor.Server.Catalog;
using Praetor.Server.Model;

namespace Praetor.Agent.Http.Json;

/// <summary>Writes records of the catalog as Consul does: its names, its order, its choice of null or empty.</summary>
internal static class CatalogJson
{
    private static readonly Dictionary<string, string> NoMeta = new(StringComparer.Ordinal);

    public static void WriteNode(Utf8JsonWriter json, NodeRecord node)
    {
        json.WriteStartObject();
        json.WriteString("ID", node.Id);
        json.WriteString("Node", node.Name);
        json.WriteString("Address", node.Address);
        json.WriteString("Datacenter", node.Datacenter);
        WriteMap(json, "TaggedAddresses", node.TaggedAddresses);
        WriteMap(json, "Meta", node.Meta);
        WriteLocality(json, "Locality", node.Locality);
        WriteIndexes(json, node.CreateIndex, node.ModifyIndex);
        json.WriteEndObject();
    }

    /// <summary>A service as it stands in health answers and in those about a node.</summary>
    public static void WriteNodeService(Utf8JsonWriter json, ServiceRecord service, bool showsNoTagsAsNull = false)
    {
        json.WriteStartObject();
        if (service.Kind.Length > 0)
        {
            json.WriteString("Kind", service.Kind);
        }

        json.WriteString("ID", service.Id);
        json.WriteString("Service", service.Name);
        WriteTags(json, "Tags", service.Tags, showsNoTagsAsNull);
        json.WriteString("Address", service.Address);
        WriteTaggedAddresses(json, "TaggedAddresses", service.TaggedAddresses);
        WriteMap(json, "Meta", service.Meta);
        json.WriteNumber("Port", service.Port);
        WritePorts(json, "Ports", service.Ports);
        if (service.SocketPath.Length > 0)
        {
            json.WriteString("SocketPath", service.SocketPath);
        }

        WriteWeights(json, "Weights", service.Weights);
        json.WriteBoolean("EnableTagOverride", service.EnableTagOverride);
        json.WritePropertyName("Proxy");
        ProxyJson.Write(json, service.Proxy, inCatalog: true);
        WriteConnect(json, service.ConnectNative);
        json.WriteString("PeerName", "");
        WriteLocality(json, "Locality", service.Locality);
        WriteIndexes(json, service.CreateIndex, service.ModifyIndex);
        json.WriteEndObject();
    }

    /// <summary>A service as it stands in /v1/catalog/service, flattened together with its node.</summary>
    public static void WriteCatalogService(Utf8JsonWriter json, NodeRecord node, ServiceRecord service)
    {
        json.WriteStartObject();
        json.WriteString("ID", node.Id);
        json.WriteString("Node", node.Name);
        json.WriteString("Address", node.Address);
        json.WriteString("Datacenter", node.Datacenter);
        WriteMap(json, "TaggedAddresses", node.TaggedAddresses);
        WriteMap(json, "NodeMeta", node.Meta);
        json.WriteString("ServiceKind", service.Kind);
        json.WriteString("ServiceID", service.Id);
        json.WriteString("ServiceName", service.Name);
        WriteTags(json, "ServiceTags", service.Tags);
        json.WriteString("ServiceAddress", service.Address);
        WriteTaggedAddresses(json, "ServiceTaggedAddresses", service.TaggedAddresses);
        WriteWeights(json, "ServiceWeights", service.Weights);
        WriteMap(json, "ServiceMeta", service.Meta ?? NoMeta);
        json.WriteNumber("ServicePort", service.Port);
        WritePortsOrNull(json, "ServicePorts", service.Ports);
        json.WriteString("ServiceSocketPath", service.SocketPath);
        json.WriteBoolean("ServiceEnableTagOverride", service.EnableTagOverride);
        json.WritePropertyName("ServiceProxy");
        ProxyJson.Write(json, service.Proxy, inCatalog: true);
        json.WritePropertyName("ServiceConnect");
        WriteConnectBody(json, service.ConnectNative);
        json.WriteNull("ServiceLocality");
        WriteIndexes(json, service.CreateIndex, service.ModifyIndex);
        json.WriteEndObject();
    }

    public static void WriteCheck(Utf8JsonWriter json, CheckRecord check, bool showsNoTagsAsNull = false)
    {
        json.WriteStartObject();
        json.WriteString("Node", check.Node);
        json.WriteString("CheckID", check.Id);
        json.WriteString("Name", check.Name);
        json.WriteString("Status", check.Status);
        json.WriteString("Notes", check.Notes);
        json.WriteString("Output", check.Output);
        json.WriteString("ServiceID", check.ServiceId);
        json.WriteString("ServiceName", check.ServiceName);
        WriteTags(json, "ServiceTags", check.ServiceTags, showsNoTagsAsNull);
        json.WriteString("Type", check.Type);
        json.WriteNumber("ExposedPort", check.ExposedPort);
        json.WritePropertyName("Definition");
        if (check.Definition is { } definition)
        {
            definition.WriteTo(json);
        }
        else
        {
            json.WriteStartObject();
            json.WriteEndObject();
        }

        WriteIndexes(json, check.CreateIndex, check.ModifyIndex);
        json.WriteEndObject();
    }

    /// <summary>An element of /v1/health/service.</summary>
    public static void WriteInstance(Utf8JsonWriter json, Instance instance)
    {
        json.WriteStartObject();
        json.WritePropertyName("Node");
        WriteNode(json, instance.Node);
        json.WritePropertyName("Service");
        WriteNodeService(json, instance.Service);
        json.WriteStartArray("Checks");
        foreach (var check in instance.Checks)
        {
            WriteCheck(json, check);
        }

        json.WriteEndArray();
        json.WriteEndObject();
    }

    /// <summary>Tags and the like: never null but in transactions.</summary>
    public static void WriteTags(
        Utf8JsonWriter json, string name, IReadOnlyList<string>? tags, bool showsNoneAsNull = false)
    {
        if (tags is null && showsNoneAsNull)
        {
            json.WriteNull(name);
            return;
        }

        json.WriteStartArray(name);
        foreach (var tag in tags ?? [])
        {
            json.WriteStringValue(tag);
        }

        json.WriteEndArray();
    }

    public static void WriteMap(Utf8JsonWriter json, string name, IReadOnlyDictionary<string, string>? map)
    {
        if (map is null)
        {
            json.WriteNull(name);
            return;
        }

        json.WriteStartObject(name);
        foreach (var (key, value) in map.OrderBy(p => p.Key, StringComparer.Ordinal))
        {
            json.WriteString(key, value);
        }

        json.WriteEndObject();
    }

    public static void WriteTaggedAddresses(
        Utf8JsonWriter json, string name, IReadOnlyDictionary<string, ServiceAddress>? addresses)
    {
        if (addresses is null || addresses.Count == 0)
        {
            return;
        }

        json.WriteStartObject(name);
        foreach (var (key, value) in addresses.OrderBy(p => p.Key, StringComparer.Ordinal))
        {
            json.WriteStartObject(key);
            json.WriteString("Address", value.Address);
            json.WriteNumber("Port", value.Port);
            json.WriteEndObject();
        }

        json.WriteEndObject();
    }

    public static void WriteWeights(Utf8JsonWriter json, string name, ServiceWeights weights)
    {
        json.WriteStartObject(name);
        json.WriteNumber("Passing", weights.Passing);
        json.WriteNumber("Warning", weights.Warning);
        json.WriteEndObject();
    }

    public static void WritePorts(Utf8JsonWriter json, string name, IReadOnlyList<ServicePort>? ports)
    {
        if (ports is not null)
        {
            WritePortsOrNull(json, name, ports);
        }
    }

    public static void WriteConnect(Utf8JsonWriter json, bool native)
    {
        json.WritePropertyName("Connect");
        WriteConnectBody(json, native);
    }

    public static void WriteLocality(Utf8JsonWriter json, string name, Locality? locality)
    {
        if (locality is null)
        {
            return;
        }

        json.WriteStartObject(name);
        json.WriteString("Region", locality.Region);
        json.WriteString("Zone", locality.Zone);
        json.WriteEndObject();
    }

    public static void WriteIndexes(Utf8JsonWriter json, ulong create, ulong modify)
    {
        json.WriteNumber("CreateIndex", create);
        json.WriteNumber("ModifyIndex", modify);
    }

    private static void WriteConnectBody(Utf8JsonWriter json, bool native)
    {
        json.WriteStartObject();
        if (native)
        {
            json.WriteBoolean("Native", true);
        }

        json.WriteEndObject();
    }

    private static void WritePortsOrNull(Utf8JsonWriter json, string name, IReadOnlyList<ServicePort>? ports)
    {
        if (ports is null)
        {
            json.WriteNull(name);
            return;
        }

        json.WriteStartArray(name);
        foreach (var port in ports)
        {
            json.WriteStartObject();
            json.WriteString("Name", port.Name);
            json.WriteNumber("Port", port.Port);
            json.WriteBoolean("Default", port.Default);
            json.WriteEndObject();
        }

        json.WriteEndArray();
    }
}
