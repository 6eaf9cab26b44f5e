using System.IO.Compression;
using System.Text;
using Codecs.MessagePack;
using Codecs.Snapshots;
using Gossip.Coordinates;
using Praetor.Server.Catalog;
using Praetor.Server.ConfigEntries;
using Praetor.Server.Connect;
using Praetor.Server.Model;
using Praetor.Server.Snapshots;
using Praetor.Server.State;
using Praetor.Server.Storage;
using Shouldly;
using Support;

namespace Unit.Snapshots;

/// <summary>States with something of every kind, and archives of them.</summary>
internal static class Archives
{
    public static readonly DateTimeOffset Now = new(2026, 3, 4, 5, 6, 7, TimeSpan.Zero);

    private static readonly string[] Entries =
    [
        """{"Kind":"service-defaults","Name":"web","Protocol":"http","MeshGateway":{"Mode":"local"}}""",
        """{"Kind":"proxy-defaults","Name":"global","Config":{"a":1,"x":{"y":["z",1.5,true,null]}}}""",
        """
        {"Kind":"service-intentions","Name":"db","Sources":[
          {"Name":"web","Action":"allow","Description":"d"},{"Name":"*","Action":"deny"}]}
        """,
    ];

    /// <summary>An archive that the real Consul 1.8.7 wrote, with something of every kind.</summary>
    public static byte[] OfConsul =>
        File.ReadAllBytes(Repository.At("tests", "Unit", "Snapshots", "consul-1.8.7.snap"));

    public static async Task<StateStore> FilledAsync()
    {
        var store = new StateStore(new MemoryEngine());
        (await store.SubmitAsync(new Fill())).Refusal.ShouldBeNull();
        foreach (var json in Entries)
        {
            ConfigEntryReader.TryRead(Encoding.UTF8.GetBytes(json), out var entry, out _).ShouldBeTrue();
            await store.SubmitAsync(new PutConfigEntry(entry!, cas: null));
        }

        CertificateAuthority.TryInitialize(
            Guid.Empty.ToString("D"), CertificateAuthority.DefaultConfiguration(), Now, WriteAuthority.NewIndex,
            out var ca, out _).ShouldBeTrue();
        await store.SubmitAsync(new WriteAuthority(ca!, expected: 0));
        return store;
    }

    public static async Task<byte[]> OfAsync(StateSnapshot state)
    {
        using var archive = new MemoryStream();
        await StateArchive.WriteAsync(state, archive, TimeProvider.System, CancellationToken.None);
        return archive.ToArray();
    }

    public static RestoredState Restore(byte[] archive)
    {
        using var stream = new MemoryStream(archive);
        return StateRestorer.Read(stream);
    }

    /// <summary>Everything in a state, for comparing.</summary>
    public static List<string> Rows(ReadView view)
    {
        var rows = new List<string>();
        Add(Tables.Nodes, Tables.NodesByName);
        Add(Tables.Services, Tables.ServicesByNode);
        Add(Tables.Checks, Tables.ChecksByNode);
        Add(Tables.Kv, Tables.KvByKey);
        Add(Tables.ConfigEntries, Tables.ConfigByName);
        Add(Tables.Documents, Tables.DocumentsByName);
        return rows;

        void Add<T>(Table<T> table, TableIndex<T> index)
            where T : StoredRecord
        {
            foreach (var record in view.PeekScan(index, []))
            {
                rows.Add($"{table.Name} {record.CreateIndex} {record.ModifyIndex} "
                    + Encoding.UTF8.GetString(table.Encode(record)));
            }
        }
    }

    /// <summary>An archive around a state as it stands in one.</summary>
    public static byte[] Around(byte[] state)
    {
        using var archive = new MemoryStream();
        var meta = SnapshotMeta.Of(1, 1, state.Length, Now).ToJson();
        var sums = Encoding.ASCII.GetBytes($"{Sum(meta)}  meta.json\n{Sum(state)}  state.bin\n");
        using (var gzip = new GZipStream(archive, CompressionLevel.NoCompression, leaveOpen: true))
        {
            foreach (var (name, content) in ((string, byte[])[])
                [("meta.json", meta), ("state.bin", state), ("SHA256SUMS", sums)])
            {
                gzip.Write(TarHeader.Write(name, content.Length, Now));
                gzip.Write(content);
                gzip.Write(new byte[TarHeader.PaddingOf(content.Length)]);
            }

            gzip.Write(new byte[2 * TarHeader.BlockBytes]);
        }

        return archive.ToArray();
    }

    /// <summary>The records of an archive.</summary>
    public static List<(byte Type, byte[] Value)> Records(byte[] archive)
    {
        var records = new List<(byte, byte[])>();
        using var stream = new MemoryStream(archive);
        SnapshotReader.Read(stream, static _ => { }, (type, value) => records.Add((type, value.ToArray())));
        return records;
    }

    /// <summary>A state of records, as it stands in an archive.</summary>
    public static byte[] State(params IEnumerable<(byte Type, byte[] Value)> records)
    {
        using var state = new MemoryStream();
        var header = new byte[64];
        var writer = new MessagePackWriter(header);
        writer.WriteMapHeader(1);
        writer.WriteString("LastIndex");
        writer.WriteUInt64(77);
        state.Write(header, 0, writer.Length);
        foreach (var (type, value) in records)
        {
            state.WriteByte(type);
            state.Write(value);
        }

        return state.ToArray();
    }

    private static string Sum(byte[] bytes) =>
        Convert.ToHexStringLower(System.Security.Cryptography.SHA256.HashData(bytes));

    private sealed class Fill : Command<bool>
    {
        protected override Outcome<bool> Apply(WriteTransaction tx)
        {
            tx.Put(Tables.Nodes, Node);
            tx.Put(Tables.Services, Web);
            tx.Put(Tables.Services, Proxy);
            tx.Put(Tables.Checks, Check);
            tx.Put(Tables.Checks, new CheckRecord { Node = "n1", Id = "alive", Status = "warning" });
            tx.Put(Tables.Kv, new KvRecord { Key = "a/b", Value = [0, 255, 1], Flags = ulong.MaxValue });
            tx.Put(Tables.Sessions, new SessionRecord
            {
                Id = "s-1", Name = "held", Node = "n1", LockDelay = 15_000_000_000, Behavior = SessionRecord.Delete,
                Ttl = "30s", NodeChecks = ["serfHealth"], ServiceChecks = [new SessionServiceCheck("c", "")],
            });
            tx.Put(Tables.Kv, new KvRecord { Key = "empty", Value = [], LockIndex = 3, Session = "s-1" });
            tx.Put(Tables.Kv, new KvRecord { Key = "ключ", Value = new byte[70_000] });
            tx.Put(Tables.Coordinates, new CoordinateRecord { Node = "n1", Where = Coordinate.Origin });
            return true;
        }

        private static NodeRecord Node => new()
        {
            Id = "11111111-2222-3333-4444-555555555555",
            Name = "n1",
            Address = "10.0.0.1",
            Datacenter = "dc1",
            TaggedAddresses = new Dictionary<string, string> { ["lan"] = "10.0.0.1" },
            Meta = new Dictionary<string, string> { ["rack"] = "7" },
            Locality = new Locality("eu", "a"),
        };

        private static ServiceRecord Web => new()
        {
            Node = "n1",
            Id = "web-1",
            Name = "web",
            Tags = ["x", "y"],
            Address = "10.0.0.9",
            TaggedAddresses = new Dictionary<string, ServiceAddress> { ["wan"] = new("4.4.4.4", 81) },
            Meta = new Dictionary<string, string> { ["m"] = "n" },
            Port = 80,
            Ports = [new ServicePort("http", 80, true), new ServicePort("admin", 81, false)],
            Weights = new ServiceWeights(3, 2),
            EnableTagOverride = true,
            ConnectNative = true,
            SocketPath = "/run/web.sock",
        };

        private static ServiceRecord Proxy => new()
        {
            Node = "n1",
            Id = "web-proxy",
            Name = "web-proxy",
            Kind = ServiceRecord.ConnectProxyKind,
            Port = 21000,
            Proxy = new ServiceProxy
            {
                DestinationServiceName = "web",
                DestinationServiceId = "web-1",
                LocalServicePort = 80,
                Mode = "transparent",
                Config = System.Text.Json.JsonDocument.Parse("""{"a":1,"b":[1.5,"c",{"d":null}]}""").RootElement,
                Upstreams = [new ServiceUpstream { DestinationName = "db", LocalBindPort = 9, Datacenter = "dc2" }],
                ExposeChecks = true,
                ExposePaths = [new ExposedPath("/h", 1, 2, "http", false)],
            },
        };

        private static CheckRecord Check => new()
        {
            Node = "n1",
            Id = "c1",
            Name = "c one",
            Status = "passing",
            Notes = "notes",
            Output = "output",
            ServiceId = "web-1",
            ServiceName = "web",
            ServiceTags = ["x", "y"],
            Type = "http",
            Definition = System.Text.Json.JsonDocument.Parse(
                """{"HTTP":"http://x","Interval":"10s","Timeout":"1m30s","Header":{"A":["b"]},"TLSSkipVerify":true}""")
                .RootElement,
            ExposedPort = 21500,
        };
    }
}
