using System.IO.Compression;
using Codecs.Snapshots;
using Praetor.Server.Catalog;
using Praetor.Server.ConfigEntries;
using Praetor.Server.Connect;
using Praetor.Server.Intentions;
using Praetor.Server.Kv;
using Praetor.Server.Model;
using Praetor.Server.Snapshots;
using Praetor.Server.State;
using Praetor.Server.Storage;
using Shouldly;
using Xunit;

namespace Unit.Snapshots;

public sealed class StateArchiveTests
{
    [Fact]
    public async Task Every_kind_of_record_is_the_same_after_a_way_through_an_archive()
    {
        using var store = await Archives.FilledAsync();
        var restored = Archives.Restore(await Archives.OfAsync(store.Current));
        restored.Kept.ShouldBeEmpty();
        restored.Skipped.ShouldBeEmpty();
        restored.Warnings.ShouldBeEmpty();
        restored.Meta.Index.ShouldBe(store.Current.Index);
        Archives.Rows(restored.Image.View).ShouldBe(Archives.Rows(View(store)));
        restored.Image.View.PeekScan(Tables.CoordinatesByNode, []).Single().Where.Height
            .ShouldBe(View(store).PeekScan(Tables.CoordinatesByNode, []).Single().Where.Height);
    }

    [Fact]
    public async Task A_restored_state_is_served_and_goes_on()
    {
        using var from = await Archives.FilledAsync();
        using var to = new StateStore(new MemoryEngine());
        for (var i = 0; i < 50; i++)
        {
            await to.SubmitAsync(new PutKey("old", [(byte)i], 0, null));
        }

        var before = to.Current.Index;
        var archive = await Archives.OfAsync(from.Current);
        var index = (await to.SubmitAsync(new RestoreSnapshot(Archives.Restore(archive)))).Value;
        index.ShouldBeGreaterThan(Math.Max(before, from.Current.Index));
        to.Current.Index.ShouldBe(index);
        var view = View(to);
        KvQueries.Get(view, "old").ShouldBeNull();
        CatalogQueries.Instances(view, "web", connect: true).Count().ShouldBe(2);
        CaQueries.State(view)!.Key.PrivateKey.ShouldBe(CaQueries.State(View(from))!.Key.PrivateKey);
        (await to.SubmitAsync(new PutKey("new", [1], 0, null))).Value.ShouldBeTrue();
        KvQueries.Get(View(to), "new")!.ModifyIndex.ShouldBeGreaterThan(index);
    }

    [Fact]
    public async Task A_mesh_without_an_authority_in_the_archive_keeps_its_own()
    {
        using var empty = new StateStore(new MemoryEngine());
        await empty.SubmitAsync(new PutKey("a", [1], 0, null));
        using var store = await Archives.FilledAsync();
        var key = CaQueries.State(View(store))!.Key.PrivateKey;
        var index = CaQueries.IndexOf(View(store));
        await store.SubmitAsync(new RestoreSnapshot(Archives.Restore(await Archives.OfAsync(empty.Current))));
        CaQueries.State(View(store))!.Key.PrivateKey.ShouldBe(key);
        CaQueries.IndexOf(View(store)).ShouldBeGreaterThan(index);
    }

    [Fact]
    public void An_archive_of_the_real_consul_is_read_whole()
    {
        var restored = Archives.Restore(Archives.OfConsul);
        var view = restored.Image.View;
        CatalogQueries.Nodes(view).Select(static n => n.Name).ShouldBe(["ext1", "ext2", "real"]);
        var web = CatalogQueries.Service(view, "ext1", "web1")!;
        web.Tags.ShouldBe(["x", "y"]);
        web.Weights.ShouldBe(new ServiceWeights(3, 2));
        web.Proxy.ShouldBeNull();
        var proxy = CatalogQueries.Service(view, "ext2", "web-proxy")!.Proxy!;
        proxy.Config!.Value.GetRawText().ShouldBe("""{"a":1,"b":"c","d":{"e":[1,2.5,true,null]}}""");
        proxy.Upstreams!.Single().DestinationName.ShouldBe("db");
        CatalogQueries.ChecksOn(view, "ext1").First().Definition!.Value.GetProperty("Interval").GetString()
            .ShouldBe("10s");
        KvQueries.Get(view, "flags")!.Flags.ShouldBe(42UL);
        KvQueries.Get(view, "lock")!.Session.ShouldNotBeEmpty();
        var intentions = new IntentionBooks().Of(view).All;
        intentions.Select(static i => (i.SourceName, i.DestinationName, i.Action))
            .ShouldBe([("web", "db", "allow"), ("*", "db", "deny")]);
        intentions[0].Meta["k"].ShouldBe("v");
        CaQueries.State(view)!.Document.Active.RootCert.ShouldContain("BEGIN CERTIFICATE");
        restored.Kept.Keys.ShouldContain("ACLToken");
        restored.Kept.Keys.ShouldContain("PreparedQuery");
        ConfigEntry.FromStorage(ConfigQueries.Get(view, "service-router", "web")!.Json).Body["Routes"]![0]!
            ["Destination"]!["RequestTimeout"]!.GetValue<string>().ShouldBe("3s");
    }

    [Fact]
    public async Task What_nothing_here_understands_is_written_back_as_it_came()
    {
        using var store = new StateStore(new MemoryEngine());
        await store.SubmitAsync(new RestoreSnapshot(Archives.Restore(Archives.OfConsul)));
        var written = Archives.Records(await Archives.OfAsync(store.Current));
        var kept = Archives.Records(Archives.OfConsul).Where(static r => r.Type is 7 or 17 or 23 or 27).ToList();
        kept.Count.ShouldBe(7);
        foreach (var (type, value) in kept)
        {
            written.ShouldContain(r => r.Type == type && r.Value.SequenceEqual(value));
        }
    }

    [Fact]
    public void A_type_that_nobody_knows_is_stepped_over_and_counted()
    {
        var archive = Archives.Around(Archives.State((200, [0x80]), (200, [0xc0]), (34, [0x81, 0xa1, 0x61, 0x01])));
        var restored = Archives.Restore(archive);
        restored.Skipped["Unknown(200)"].ShouldBe(2);
        restored.Skipped["KindServiceNames"].ShouldBe(1);
    }

    [Theory]
    [InlineData("meta.json")]
    [InlineData("state.bin")]
    public async Task An_archive_whose_checksum_is_wrong_is_refused(string file)
    {
        using var store = await Archives.FilledAsync();
        var tar = Unpacked(await Archives.OfAsync(store.Current));
        var sums = tar.AsSpan().IndexOf("SHA256SUMS"u8) + TarHeader.BlockBytes;
        var line = sums + tar.AsSpan(sums).IndexOf(System.Text.Encoding.ASCII.GetBytes("  " + file));
        tar[line - 1] = tar[line - 1] == (byte)'0' ? (byte)'1' : (byte)'0';
        Should.Throw<SnapshotException>(() => Archives.Restore(Packed(tar))).Message
            .ShouldBe($"failed checking integrity of snapshot: hash check failed for \"{file}\"");
    }

    [Theory]
    [InlineData(new byte[] { 1, 2, 3 }, "failed to decompress snapshot: unexpected EOF")]
    [InlineData(
        new byte[] { 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12 }, "failed to decompress snapshot: gzip: invalid header")]
    public void What_is_no_archive_is_refused_in_the_words_that_scripts_know(byte[] bytes, string text) =>
        Should.Throw<SnapshotException>(() => Archives.Restore(bytes)).Message.ShouldBe(text);

    [Fact]
    public async Task An_archive_that_is_cut_short_is_refused()
    {
        using var store = await Archives.FilledAsync();
        var archive = await Archives.OfAsync(store.Current);
        foreach (var length in (int[])[20, archive.Length / 2, archive.Length - 200])
        {
            Should.Throw<SnapshotException>(() => Archives.Restore(archive[..length]));
        }
    }

    [Fact]
    public void An_archive_that_grows_without_end_is_refused()
    {
        using var packed = new MemoryStream();
        using (var gzip = new GZipStream(packed, CompressionLevel.SmallestSize, leaveOpen: true))
        {
            gzip.Write(TarHeader.Write("state.bin", 400L * 1024 * 1024, Archives.Now));
            gzip.Write(Archives.State());

            // Records of a type that nobody knows, of 1 MiB of zeros each.
            var zeros = new byte[1024 * 1024];
            for (var i = 0; i < 100; i++)
            {
                gzip.Write([34, 0xdb, 0, 0x10, 0, 0]);
                gzip.Write(zeros);
            }
        }

        Should.Throw<SnapshotException>(() => Archives.Restore(packed.ToArray())).Message
            .ShouldContain("times larger");
    }

    [Fact]
    public void A_record_that_announces_more_than_may_be_is_refused()
    {
        byte[] large = [0xdb, 0x7f, 0xff, 0xff, 0xff];
        using var packed = new MemoryStream();
        using (var gzip = new GZipStream(packed, CompressionLevel.NoCompression, leaveOpen: true))
        {
            gzip.Write(TarHeader.Write("state.bin", 100L * 1024 * 1024, Archives.Now));
            gzip.Write(Archives.State([((byte)2, large)]));
            gzip.Write(new byte[90 * 1024 * 1024]);
        }

        Should.Throw<SnapshotException>(() => Archives.Restore(packed.ToArray())).Message
            .ShouldContain("a record is larger");
    }

    private static byte[] Unpacked(byte[] archive)
    {
        using var gzip = new GZipStream(new MemoryStream(archive), CompressionMode.Decompress);
        using var tar = new MemoryStream();
        gzip.CopyTo(tar);
        return tar.ToArray();
    }

    private static byte[] Packed(byte[] tar)
    {
        using var packed = new MemoryStream();
        using (var gzip = new GZipStream(packed, CompressionLevel.Fastest, leaveOpen: true))
        {
            gzip.Write(tar);
        }

        return packed.ToArray();
    }

    private static ReadView View(StateStore store) => new(store.Current, tracks: false);
}
