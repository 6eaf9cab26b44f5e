using Codecs.MessagePack;
using Codecs.Snapshots;
using Praetor.Server.Model;

namespace Praetor.Server.Snapshots;

/// <summary>A service inside of a registration.</summary>
internal static class ServiceRecords
{
    public static void Read(StateRestorer restorer, string node, MessagePackMap map)
    {
        var connect = map.Map("Connect"u8);
        var locality = map.Map("Locality"u8);
        var weights = map.Map("Weights"u8);
        var record = new ServiceRecord
        {
            Node = node,
            Address = map.Text("Address"u8),
            ConnectNative = connect.Flag("Native"u8),
            CreateIndex = map.Number("CreateIndex"u8),
            EnableTagOverride = map.Flag("EnableTagOverride"u8),
            Id = map.Text("ID"u8),
            Kind = map.Text("Kind"u8),
            Locality = PlaceOf(ref locality),
            Meta = map.TextMap("Meta"u8),
            ModifyIndex = map.Number("ModifyIndex"u8),
            Port = map.Int("Port"u8),
            Ports = PortsOf(ref map),
            Proxy = ProxyOf(ref map, restorer.Pool),
            Name = map.Text("Service"u8),
            SocketPath = map.Text("SocketPath"u8),
            TaggedAddresses = AddressesOf(ref map),
            Tags = map.Texts("Tags"u8),
            Weights = WeightsOf(ref weights),
        };
        map.Take(connect);
        map.Take(locality);
        map.Take(weights);
        if (restorer.IsSound(map, SnapshotRecordTypes.Register))
        {
            restorer.Add(Tables.Services, record);
        }
    }

    public static Locality? PlaceOf(ref MessagePackMap map) =>
        map.IsEmpty ? null : new Locality(map.Text("Region"u8), map.Text("Zone"u8));

    public static void WritePlace(ref MessagePackWriter writer, Locality? place)
    {
        if (place is null)
        {
            return;
        }

        writer.WriteRaw("Locality"u8);
        writer.WriteMapHeader(2);
        writer.Text("Region"u8, place.Region);
        writer.Text("Zone"u8, place.Zone);
    }

    public static void Write(ref MessagePackWriter writer, ServiceRecord service)
    {
        const int Usual = 15;
        writer.WriteMapHeader(Usual + (service.Locality is null ? 0 : 1) + (service.Ports is null ? 0 : 1)
            + (service.SocketPath.Length == 0 ? 0 : 1));
        writer.Text("Address"u8, service.Address);
        writer.WriteRaw("Connect"u8);
        writer.WriteMapHeader(2);
        writer.Flag("Native"u8, service.ConnectNative);
        writer.Nil("SidecarService"u8);
        writer.Number("CreateIndex"u8, service.CreateIndex);
        writer.Flag("EnableTagOverride"u8, service.EnableTagOverride);
        writer.Text("ID"u8, service.Id);
        writer.Text("Kind"u8, service.Kind);
        writer.Flag("LocallyRegisteredAsSidecar"u8, value: false);
        WritePlace(ref writer, service.Locality);
        writer.TextMap("Meta"u8, service.Meta);
        writer.Number("ModifyIndex"u8, service.ModifyIndex);
        writer.Whole("Port"u8, service.Port);
        WritePorts(ref writer, service.Ports);
        writer.WriteRaw("Proxy"u8);
        ProxyRecords.Write(ref writer, service.Proxy ?? ProxyRecords.None);
        writer.Text("Service"u8, service.Name);
        if (service.SocketPath.Length > 0)
        {
            writer.Text("SocketPath"u8, service.SocketPath);
        }

        WriteAddresses(ref writer, service.TaggedAddresses);
        writer.Texts("Tags"u8, service.Tags);
        writer.WriteRaw("Weights"u8);
        writer.WriteMapHeader(2);
        writer.Whole("Passing"u8, service.Weights.Passing);
        writer.Whole("Warning"u8, service.Weights.Warning);
    }

    private static ServiceWeights WeightsOf(ref MessagePackMap map)
    {
        if (map.IsEmpty)
        {
            return ServiceWeights.Default;
        }

        var weights = new ServiceWeights(map.Int("Passing"u8), map.Int("Warning"u8));
        return weights == ServiceWeights.Default ? ServiceWeights.Default : weights;
    }

    // Consul writes a proxy for every service, and mostly the same one, which says nothing.
    private static ServiceProxy? ProxyOf(ref MessagePackMap map, MessagePackPool pool)
    {
        var raw = map.Raw("Proxy"u8);
        if (raw.IsEmpty || ReferenceEquals(pool.Find<ServiceProxy>(raw), ProxyRecords.None))
        {
            return null;
        }

        var packed = MessagePackMap.Open(raw, pool);
        var proxy = ProxyRecords.Read(ref packed);
        map.Take(packed);
        if (proxy is null && packed.Problem is null)
        {
            pool.Keep(raw, ProxyRecords.None);
        }

        return proxy;
    }

    private static void WritePorts(ref MessagePackWriter writer, IReadOnlyList<ServicePort>? ports)
    {
        if (ports is null)
        {
            return;
        }

        writer.WriteRaw("Ports"u8);
        writer.WriteArrayHeader(ports.Count);
        foreach (var port in ports)
        {
            writer.WriteMapHeader(3);
            writer.Flag("Default"u8, port.Default);
            writer.Text("Name"u8, port.Name);
            writer.Whole("Port"u8, port.Port);
        }
    }

    private static void WriteAddresses(
        ref MessagePackWriter writer, IReadOnlyDictionary<string, ServiceAddress>? addresses)
    {
        writer.WriteRaw("TaggedAddresses"u8);
        if (addresses is null)
        {
            writer.WriteNil();
            return;
        }

        writer.WriteMapHeader(addresses.Count);
        foreach (var (purpose, address) in addresses)
        {
            writer.WriteString(purpose);
            writer.WriteMapHeader(2);
            writer.Text("Address"u8, address.Address);
            writer.Whole("Port"u8, address.Port);
        }
    }

    private static List<ServicePort>? PortsOf(ref MessagePackMap map)
    {
        var items = new PackedItems(map.Raw("Ports"u8));
        if (items.Count == 0)
        {
            return null;
        }

        var ports = new List<ServicePort>(items.Count);
        while (items.TryNext(out var port))
        {
            ports.Add(new ServicePort(port.Text("Name"u8), port.Int("Port"u8), port.Flag("Default"u8)));
            map.Take(port);
        }

        return ports;
    }

    private static Dictionary<string, ServiceAddress>? AddressesOf(ref MessagePackMap map)
    {
        var raw = map.Raw("TaggedAddresses"u8);
        var reader = new MessagePackReader(raw);
        if (raw.IsEmpty || !reader.TryReadMapHeader(out var count) || count == 0)
        {
            return null;
        }

        var addresses = new Dictionary<string, ServiceAddress>(count, StringComparer.Ordinal);
        for (var i = 0; i < count; i++)
        {
            if (!reader.TryReadString(out var purpose))
            {
                throw StateRestorer.Malformed(SnapshotRecordTypes.Register, "an address has no name");
            }

            var start = reader.Position;
            reader.TrySkip();
            var address = MessagePackMap.Open(raw[start..reader.Position]);
            addresses[purpose] = new ServiceAddress(address.Text("Address"u8), address.Int("Port"u8));
            map.Take(address);
        }

        return addresses;
    }
}
