using System.Text.Json;
using Codecs.MessagePack;
using Praetor.Server.Model;

namespace Praetor.Server.Snapshots;

/// <summary>What a proxy service stands for, inside of a registration.</summary>
internal static class ProxyRecords
{
    public static readonly ServiceProxy None = new();

    private static readonly byte[][] FurtherOfProxy =
    [
        "AccessLogs"u8.ToArray(), "EnvoyExtensions"u8.ToArray(), "LocalServicePorts"u8.ToArray(),
        "MutualTLSMode"u8.ToArray(), "TransparentProxy"u8.ToArray(),
    ];

    private static readonly byte[][] FurtherOfUpstream =
    [
        "CentrallyConfigured"u8.ToArray(), "DestinationPeer"u8.ToArray(), "DestinationPort"u8.ToArray(),
        "IngressHosts"u8.ToArray(),
    ];

    private static readonly PackedShape FurtherShape =
        new(new HashSet<string>(), new HashSet<string>(), OmitsZero: true);

    /// <summary>What it stands for. Null: it is no proxy.</summary>
    public static ServiceProxy? Read(ref MessagePackMap map)
    {
        var expose = map.Map("Expose"u8);
        var gateway = map.Map("MeshGateway"u8);
        var proxy = new ServiceProxy
        {
            Config = PackedJson.Element(map.Raw("Config"u8), PackedShape.AsWritten),
            DestinationServiceId = map.Text("DestinationServiceID"u8),
            DestinationServiceName = map.Text("DestinationServiceName"u8),
            ExposeChecks = expose.Flag("Checks"u8),
            ExposePaths = Paths(ref expose),
            LocalServiceAddress = map.Text("LocalServiceAddress"u8),
            LocalServicePort = map.Int("LocalServicePort"u8),
            LocalServiceSocketPath = map.Text("LocalServiceSocketPath"u8),
            MeshGatewayMode = gateway.Text("Mode"u8),
            Mode = map.Text("Mode"u8),
            Upstreams = Upstreams(ref map),
            Further = Further(ref map, FurtherOfProxy),
        };
        map.Take(expose);
        map.Take(gateway);
        return proxy == None ? null : proxy;
    }

    public static void Write(ref MessagePackWriter writer, ServiceProxy proxy)
    {
        const int Usual = 8;
        writer.WriteMapHeader(Usual + Said(proxy.LocalServiceSocketPath) + Said(proxy.Mode)
            + (proxy.Further?.Count ?? 0));
        WriteConfig(ref writer, proxy.Config);
        writer.Text("DestinationServiceID"u8, proxy.DestinationServiceId);
        writer.Text("DestinationServiceName"u8, proxy.DestinationServiceName);
        WriteExpose(ref writer, proxy);
        writer.Text("LocalServiceAddress"u8, proxy.LocalServiceAddress);
        writer.Whole("LocalServicePort"u8, proxy.LocalServicePort);
        if (proxy.LocalServiceSocketPath.Length > 0)
        {
            writer.Text("LocalServiceSocketPath"u8, proxy.LocalServiceSocketPath);
        }

        WriteGateway(ref writer, proxy.MeshGatewayMode);
        if (proxy.Mode.Length > 0)
        {
            writer.Text("Mode"u8, proxy.Mode);
        }

        WriteUpstreams(ref writer, proxy.Upstreams);
        WriteFurther(ref writer, proxy.Further);
    }

    private static int Said(string text) => text.Length > 0 ? 1 : 0;

    private static void WriteConfig(ref MessagePackWriter writer, JsonElement? config)
    {
        writer.WriteRaw("Config"u8);
        if (config is { } given)
        {
            PackedJson.Write(ref writer, given, PackedShape.AsWritten);
        }
        else
        {
            writer.WriteNil();
        }
    }

    private static void WriteExpose(ref MessagePackWriter writer, ServiceProxy proxy)
    {
        writer.WriteRaw("Expose"u8);
        writer.WriteMapHeader(2);
        writer.Flag("Checks"u8, proxy.ExposeChecks);
        writer.WriteRaw("Paths"u8);
        if (proxy.ExposePaths is null)
        {
            writer.WriteNil();
            return;
        }

        writer.WriteArrayHeader(proxy.ExposePaths.Count);
        foreach (var path in proxy.ExposePaths)
        {
            writer.WriteMapHeader(5);
            writer.Whole("ListenerPort"u8, path.ListenerPort);
            writer.Whole("LocalPathPort"u8, path.LocalPathPort);
            writer.Flag("ParsedFromCheck"u8, path.ParsedFromCheck);
            writer.Text("Path"u8, path.Path);
            writer.Text("Protocol"u8, path.Protocol);
        }
    }

    private static void WriteGateway(ref MessagePackWriter writer, string mode)
    {
        writer.WriteRaw("MeshGateway"u8);
        writer.WriteMapHeader(1);
        writer.Text("Mode"u8, mode);
    }

    private static void WriteUpstreams(ref MessagePackWriter writer, IReadOnlyList<ServiceUpstream>? upstreams)
    {
        const int Usual = 7;
        writer.WriteRaw("Upstreams"u8);
        if (upstreams is null)
        {
            writer.WriteNil();
            return;
        }

        writer.WriteArrayHeader(upstreams.Count);
        foreach (var upstream in upstreams)
        {
            writer.WriteMapHeader(Usual + Said(upstream.LocalBindSocketPath) + Said(upstream.LocalBindSocketMode)
                + (upstream.Further?.Count ?? 0));
            WriteConfig(ref writer, upstream.Config);
            writer.Text("Datacenter"u8, upstream.Datacenter);
            writer.Text("DestinationName"u8, upstream.DestinationName);
            writer.Text("DestinationType"u8, upstream.DestinationType);
            writer.Text("LocalBindAddress"u8, upstream.LocalBindAddress);
            writer.Whole("LocalBindPort"u8, upstream.LocalBindPort);
            if (upstream.LocalBindSocketMode.Length > 0)
            {
                writer.Text("LocalBindSocketMode"u8, upstream.LocalBindSocketMode);
            }

            if (upstream.LocalBindSocketPath.Length > 0)
            {
                writer.Text("LocalBindSocketPath"u8, upstream.LocalBindSocketPath);
            }

            WriteGateway(ref writer, upstream.MeshGatewayMode);
            WriteFurther(ref writer, upstream.Further);
        }
    }

    private static void WriteFurther(
        ref MessagePackWriter writer, IReadOnlyDictionary<string, JsonElement>? further)
    {
        foreach (var (name, value) in further ?? new Dictionary<string, JsonElement>())
        {
            writer.WriteString(name);
            PackedJson.Write(ref writer, value, FurtherShape);
        }
    }

    private static List<ServiceUpstream>? Upstreams(ref MessagePackMap map)
    {
        var items = new PackedItems(map.Raw("Upstreams"u8));
        if (items.Count == 0)
        {
            return null;
        }

        var upstreams = new List<ServiceUpstream>(items.Count);
        while (items.TryNext(out var item))
        {
            var gateway = item.Map("MeshGateway"u8);
            upstreams.Add(new ServiceUpstream
            {
                Config = PackedJson.Element(item.Raw("Config"u8), PackedShape.AsWritten),
                Datacenter = item.Text("Datacenter"u8),
                DestinationName = item.Text("DestinationName"u8),
                DestinationType = item.Text("DestinationType"u8),
                LocalBindAddress = item.Text("LocalBindAddress"u8),
                LocalBindPort = item.Int("LocalBindPort"u8),
                LocalBindSocketMode = item.Text("LocalBindSocketMode"u8),
                LocalBindSocketPath = item.Text("LocalBindSocketPath"u8),
                MeshGatewayMode = gateway.Text("Mode"u8),
                Further = Further(ref item, FurtherOfUpstream),
            });
            map.Take(gateway);
            map.Take(item);
        }

        return upstreams;
    }

    private static List<ExposedPath>? Paths(ref MessagePackMap map)
    {
        var items = new PackedItems(map.Raw("Paths"u8));
        if (items.Count == 0)
        {
            return null;
        }

        var paths = new List<ExposedPath>(items.Count);
        while (items.TryNext(out var item))
        {
            var listener = item.Int("ListenerPort"u8);
            var local = item.Int("LocalPathPort"u8);
            var parsed = item.Flag("ParsedFromCheck"u8);
            paths.Add(new ExposedPath(item.Text("Path"u8), local, listener, item.Text("Protocol"u8), parsed));
            map.Take(item);
        }

        return paths;
    }

    private static Dictionary<string, JsonElement>? Further(ref MessagePackMap map, byte[][] names)
    {
        Dictionary<string, JsonElement>? further = null;
        foreach (var name in names)
        {
            var raw = map.Raw(name);
            if (!raw.IsEmpty && !new MessagePackReader(raw).IsZero()
                && PackedJson.Element(raw, FurtherShape) is { } value)
            {
                (further ??= new Dictionary<string, JsonElement>(StringComparer.Ordinal))
                    [System.Text.Encoding.UTF8.GetString(name)] = value;
            }
        }

        return further;
    }
}
