using System.Text.Json;
using Praetor.Server.Catalog;

namespace Praetor.Agent.Http.Json;

/// <summary>Writes what pages show of the catalog: the members of Consul 1.8.7 in its order, then those that were added
/// since.</summary>
internal static class UiJson
{
    /// <summary>A summary as it stands in a list, with the blanks before it.</summary>
    public static byte[] Element(ServiceSummary summary, bool pretty)
    {
        var list = Reply.Bytes(pretty, json =>
        {
            json.WriteStartArray();
            WriteSummary(json, summary);
            json.WriteEndArray();
        });
        return list[1..^(pretty ? "\n]\n" : "]").Length];
    }

    /// <summary>The list of what <see cref="Element"/> made, as it would be written at once.</summary>
    public static byte[] List(IReadOnlyList<byte[]> elements, bool pretty)
    {
        var end = !pretty ? "]"u8 : elements.Count == 0 ? "]\n"u8 : "\n]\n"u8;
        var list = new byte[Math.Max(1, elements.Sum(static e => e.Length + 1)) + end.Length];
        list[0] = (byte)'[';
        var at = 0;
        foreach (var element in elements)
        {
            list[at] = (byte)(at == 0 ? '[' : ',');
            element.CopyTo(list, at + 1);
            at += element.Length + 1;
        }

        end.CopyTo(list.AsSpan(Math.Max(1, at)));
        return list;
    }

    public static void WriteSummary(Utf8JsonWriter json, ServiceSummary summary)
    {
        json.WriteStartObject();
        if (summary.Kind.Length > 0)
        {
            json.WriteString("Kind", summary.Kind);
        }

        json.WriteString("Name", summary.Name);
        WriteListOrNull(json, "Tags", summary.Tags);
        WriteListOrNull(json, "Nodes", summary.Nodes);
        json.WriteNumber("InstanceCount", summary.Nodes.Count);
        if (summary.ProxyFor.Count > 0)
        {
            WriteListOrNull(json, "ProxyFor", summary.ProxyFor);
        }

        json.WriteNumber("ChecksPassing", summary.Checks.Passing);
        json.WriteNumber("ChecksWarning", summary.Checks.Warning);
        json.WriteNumber("ChecksCritical", summary.Checks.Critical);
        WriteListOrNull(json, "ExternalSources", summary.ExternalSources);
        json.WriteStartObject("GatewayConfig");
        json.WriteEndObject();
        json.WriteString("Datacenter", summary.Datacenter);
        json.WriteBoolean("TransparentProxy", summary.IsTransparent);
        json.WriteBoolean("ConnectNative", summary.IsConnectNative);
        json.WriteBoolean("ConnectedWithProxy", summary.HasProxy);
        json.WriteBoolean("ConnectedWithGateway", false);
        json.WriteEndObject();
    }

    public static void WriteNode(Utf8JsonWriter json, NodeInfo info)
    {
        var node = info.Node;
        json.WriteStartObject();
        json.WriteString("ID", node.Id);
        json.WriteString("Node", node.Name);
        json.WriteString("Address", node.Address);
        CatalogJson.WriteMap(json, "TaggedAddresses", node.TaggedAddresses);
        CatalogJson.WriteMap(json, "Meta", node.Meta);
        json.WriteStartArray("Services");
        foreach (var service in info.Services)
        {
            CatalogJson.WriteNodeService(json, service, showsNoTagsAsNull: true);
        }

        json.WriteEndArray();
        json.WriteStartArray("Checks");
        foreach (var check in info.Checks)
        {
            CatalogJson.WriteCheck(json, check, showsNoTagsAsNull: true);
        }

        json.WriteEndArray();
        json.WriteEndObject();
    }

    public static void WriteOverview(Utf8JsonWriter json, CatalogOverview overview)
    {
        json.WriteStartObject();
        WriteCounts(json, "Nodes", [overview.Nodes]);
        WriteCounts(json, "Services", overview.Services);
        WriteCounts(json, "Checks", overview.Checks);
        json.WriteEndObject();
    }

    private static void WriteCounts(Utf8JsonWriter json, string name, IReadOnlyList<HealthCount> counts)
    {
        json.WriteStartArray(name);
        foreach (var count in counts)
        {
            json.WriteStartObject();
            if (count.Name.Length > 0)
            {
                json.WriteString("Name", count.Name);
            }

            json.WriteNumber("Total", count.Total);
            json.WriteNumber("Passing", count.Health.Passing);
            json.WriteNumber("Warning", count.Health.Warning);
            json.WriteNumber("Critical", count.Health.Critical);
            json.WriteEndObject();
        }

        json.WriteEndArray();
    }

    private static void WriteListOrNull(Utf8JsonWriter json, string name, IReadOnlyList<string> texts) =>
        CatalogJson.WriteTags(json, name, texts.Count == 0 ? null : texts, showsNoneAsNull: true);
}
