using System.Globalization;
using System.Security.Cryptography;
using System.Text.Json;
using Praetor.Agent.Local;
using Praetor.Server.Model;

namespace Praetor.Agent.Http.Json;

/// <summary>Writes the agent's own services and checks as Consul does; they differ a little from the
/// catalog's.</summary>
internal static class AgentJson
{
    /// <summary>A service of this agent.</summary>
    /// <param name="hash">The content hash. Null: the answer has none.</param>
    /// <param name="datacenter">The agent's datacenter. Null: left out, as for the hash.</param>
    public static void WriteService(Utf8JsonWriter json, ServiceRecord service, string? hash, string? datacenter)
    {
        json.WriteStartObject();
        if (service.Kind.Length > 0)
        {
            json.WriteString("Kind", service.Kind);
        }

        json.WriteString("ID", service.Id);
        json.WriteString("Service", service.Name);
        CatalogJson.WriteTags(json, "Tags", service.Tags);
        CatalogJson.WriteMap(json, "Meta", service.Meta ?? NoMeta);
        json.WriteNumber("Port", service.Port);
        CatalogJson.WritePorts(json, "Ports", service.Ports);
        json.WriteString("Address", service.Address);
        if (service.SocketPath.Length > 0)
        {
            json.WriteString("SocketPath", service.SocketPath);
        }

        CatalogJson.WriteTaggedAddresses(json, "TaggedAddresses", service.TaggedAddresses);
        CatalogJson.WriteWeights(json, "Weights", service.Weights);
        json.WriteBoolean("EnableTagOverride", service.EnableTagOverride);
        if (hash is not null)
        {
            json.WriteString("ContentHash", hash);
        }

        WriteMesh(json, service);
        if (datacenter is not null)
        {
            json.WriteString("Datacenter", datacenter);
            CatalogJson.WriteLocality(json, "Locality", service.Locality);
        }

        json.WriteEndObject();
    }

    /// <summary>Equal for equal content, on every agent and after restarts; at most 16 hexadecimal digits.</summary>
    public static string HashOf(ServiceRecord service)
    {
        var bytes = Reply.Bytes(false, json => WriteService(json, service, hash: null, datacenter: null));
        var hash = SHA256.HashData(bytes);
        return BitConverter.ToUInt64(hash).ToString("x", CultureInfo.InvariantCulture);
    }

    /// <summary>A service with its checks and the worst of them.</summary>
    public static void WriteHealth(
        Utf8JsonWriter json, string status, ServiceRecord service, IEnumerable<LocalCheck> checks, string datacenter)
    {
        json.WriteStartObject();
        json.WriteString("AggregatedStatus", status);
        json.WritePropertyName("Service");
        WriteService(json, service, hash: null, datacenter);
        json.WriteStartArray("Checks");
        foreach (var check in checks)
        {
            WriteHealthCheck(json, check.Record);
        }

        json.WriteEndArray();
        json.WriteEndObject();
    }

    private static readonly Dictionary<string, string> NoMeta = new(StringComparer.Ordinal);

    private static void WriteMesh(Utf8JsonWriter json, ServiceRecord service)
    {
        if (service.Proxy is not null && service.Kind.Length > 0)
        {
            json.WritePropertyName("Proxy");
            ProxyJson.Write(json, service.Proxy, inCatalog: false);
        }

        if (service.ConnectNative)
        {
            CatalogJson.WriteConnect(json, native: true);
        }
    }

    // These answers have a null where there are no tags, no type and a definition of zeros; readers know no other form.
    private static void WriteHealthCheck(Utf8JsonWriter json, CheckRecord check)
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
        if (check.ServiceTags is { Count: > 0 } tags)
        {
            CatalogJson.WriteTags(json, "ServiceTags", tags);
        }
        else
        {
            json.WriteNull("ServiceTags");
        }

        json.WriteString("Type", "");
        json.WriteNumber("ExposedPort", check.ExposedPort);
        json.WriteStartObject("Definition");
        foreach (var duration in (ReadOnlySpan<string>)["Interval", "Timeout", "DeregisterCriticalServiceAfter"])
        {
            json.WriteString(duration, "0s");
        }

        json.WriteString("HTTP", "");
        json.WriteNull("Header");
        json.WriteString("Method", "");
        json.WriteString("Body", "");
        json.WriteBoolean("TLSSkipVerify", false);
        json.WriteString("TCP", "");
        json.WriteEndObject();
        CatalogJson.WriteIndexes(json, 0, 0);
        json.WriteEndObject();
    }
}
