using System.Text;
using Codecs.MessagePack;
using Codecs.Snapshots;
using Praetor.Server.Catalog;
using Praetor.Server.Model;
using Praetor.Server.Snapshots;
using Praetor.Server.State;
using Praetor.Server.Storage;
using Shouldly;
using Xunit;

namespace Unit.Snapshots;

/// <summary>States of many blocks, which several threads take apart, put together and write.</summary>
public sealed class LargeArchiveTests : IDisposable
{
    private const int Nodes = 2500;

    private readonly string _path = Path.Combine(Path.GetTempPath(), $"praetor-{Guid.NewGuid():N}.db");

    public void Dispose()
    {
        foreach (var file in Directory.GetFiles(Path.GetTempPath(), Path.GetFileName(_path) + "*"))
        {
            File.Delete(file);
        }
    }

    [Fact]
    public async Task It_is_the_same_after_a_way_through_an_archive_and_after_a_restart()
    {
        var image = Large();
        var wanted = Archives.Rows(image.View);
        var restored = Archives.Restore(await Archives.OfAsync(image.Snapshot));
        restored.Image.Count.ShouldBe(4 * Nodes);
        Archives.Rows(restored.Image.View).ShouldBe(wanted);
        using (var store = new StateStore(new SqliteEngine(_path)))
        {
            (await store.SubmitAsync(new RestoreSnapshot(restored))).Refusal.ShouldBeNull();
            Rows(store).ShouldBe(wanted);
            await StateStoreOf(store, "later");
        }

        using var again = new StateStore(new SqliteEngine(_path));
        Rows(again).Count.ShouldBe(wanted.Count + 1);
        var view = new ReadView(again.Current, tracks: false);
        CatalogQueries.Instances(view, "svc7", connect: false).Count().ShouldBe(Nodes / 10);
        view.PeekScan(Tables.ChecksByStatus, KeyBytes.Folded("passing")).Count().ShouldBe(Nodes);
    }

    [Fact]
    public void What_is_wrong_with_a_record_in_it_comes_before_what_is_wrong_with_its_end()
    {
        var value = new byte[1024];
        Encoding.ASCII.GetBytes("no map").CopyTo(value, 0);
        var kept = Enumerable.Repeat((SnapshotRecordTypes.AclToken, Raw(value)), 3000);
        var state = Archives.State([.. kept, (SnapshotRecordTypes.Kv, [0x2a]), .. kept]);
        Should.Throw<SnapshotException>(() => Archives.Restore(Archives.Around(state[..^1])))
            .Message.ShouldContain("KVS");
    }

    [Fact]
    public void Of_two_records_with_one_key_the_first_counts_wherever_the_second_stands()
    {
        var image = new StateImage();
        image.TryAdd(Tables.Kv, Key("b", 1)).ShouldBeTrue();
        image.TryAdd(Tables.Kv, Key("d", 2)).ShouldBeTrue();
        image.TryAdd(Tables.Kv, Key("d", 3)).ShouldBeFalse();
        image.TryAdd(Tables.Kv, Key("a", 4)).ShouldBeTrue();
        image.TryAdd(Tables.Kv, Key("b", 5)).ShouldBeFalse();
        image.View.PeekScan(Tables.KvByKey, []).Select(static k => (k.Key, k.ModifyIndex))
            .ShouldBe([("a", 4UL), ("b", 1UL), ("d", 2UL)]);
    }

    private static KvRecord Key(string key, ulong index) =>
        new() { Key = key, Value = [], CreateIndex = index, ModifyIndex = index };

    private static byte[] Raw(byte[] value)
    {
        var bytes = new byte[value.Length + 8];
        var writer = new MessagePackWriter(bytes);
        writer.WriteRaw(value);
        return bytes[..writer.Length];
    }

    private static List<string> Rows(StateStore store) =>
        [.. Archives.Rows(new ReadView(store.Current, tracks: false))
            .Where(static row => !row.Contains("state-replaced", StringComparison.Ordinal))];

    private static async Task StateStoreOf(StateStore store, string key) =>
        (await store.SubmitAsync(new Praetor.Server.Kv.PutKey(key, [1], 0, null))).Refusal.ShouldBeNull();

    private static StateImage Large()
    {
        var image = new StateImage();
        var index = 1UL;
        for (var i = 0; i < Nodes; i++, index++)
        {
            var (node, name) = ($"Node-{i:D5}", $"svc{i % 10}");
            image.TryAdd(Tables.Nodes, new NodeRecord
            {
                Name = node, Address = $"10.0.{i / 256}.{i % 256}", CreateIndex = index, ModifyIndex = index,
            });
            image.TryAdd(Tables.Services, new ServiceRecord
            {
                Node = node, Id = $"{name}-{i}", Name = name, Port = i, Tags = ["v1", $"é{i % 3}"],
                Meta = new Dictionary<string, string> { ["team"] = $"t{i % 7}" },
                CreateIndex = index, ModifyIndex = index,
            });
            image.TryAdd(Tables.Checks, new CheckRecord
            {
                Node = node, Id = $"c-{i}", ServiceId = $"{name}-{i}", ServiceName = name, Status = "passing",
                CreateIndex = index, ModifyIndex = index,
            });
            image.TryAdd(Tables.Kv, Key($"k/{i:D5}", index));
        }

        return image;
    }
}
