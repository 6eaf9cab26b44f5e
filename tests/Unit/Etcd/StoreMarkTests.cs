using Praetor.Agent.Cluster;
using Praetor.Agent.Config;
using Praetor.Server.Storage;
using Shouldly;
using Support;
using Xunit;

namespace Unit.Etcd;

public sealed class StoreMarkTests : IDisposable
{
    private static readonly StoreConfig Memory = new(StoreKind.Memory, IsAsked: true, []);
    private static readonly StoreConfig Sqlite = new(StoreKind.Sqlite, IsAsked: true, []);
    private static readonly StoreConfig Etcd = new(StoreKind.Etcd, IsAsked: true, []);
    private static readonly StoreConfig Outside = new(StoreKind.Etcd, IsAsked: true, ["https://e:2379"]);

    private readonly TempFolder _data = new("store-mark");

    public void Dispose() => _data.Dispose();

    [Fact]
    public void An_empty_directory_takes_any_engine_and_keeps_it()
    {
        StoreMark.Claim(_data.Path, Sqlite).ShouldBe(Sqlite);
        StoreMark.Claim(_data.Path, Sqlite).ShouldBe(Sqlite);
        var refused = Should.Throw<StorageFailedException>(() => StoreMark.Claim(_data.Path, Etcd));
        refused.Message.ShouldStartWith(_data.Path + ": its state is in store \"sqlite\", but \"etcd\" is asked for");
        refused.Message.ShouldContain("'snapshot save'");
        refused.Message.ShouldContain("'snapshot restore'");
        Should.Throw<StorageFailedException>(() => StoreMark.Claim(_data.Path, Memory));
    }

    [Fact]
    public void What_an_older_version_left_tells_its_engine()
    {
        _data.Write("state.db", "");
        Should.Throw<StorageFailedException>(() => StoreMark.Claim(_data.Path, Etcd)).Message.ShouldContain("sqlite");
        File.Delete(_data.File("state.db"));
        _data.Write("cluster.json", "{}");
        Should.Throw<StorageFailedException>(() => StoreMark.Claim(_data.Path, Sqlite)).Message.ShouldContain("etcd");
    }

    [Fact]
    public void An_etcd_of_the_agents_own_is_not_taken_for_one_of_somebody_else()
    {
        StoreMark.Claim(_data.Path, Outside);
        StoreMark.Claim(_data.Path, Outside with { Endpoints = ["https://f:2379"] }).IsOutside.ShouldBeTrue();
        Should.Throw<StorageFailedException>(() => StoreMark.Claim(_data.Path, Etcd))
            .Message.ShouldContain("somebody else runs");
    }

    [Fact]
    public void Who_asks_for_nothing_gets_the_engine_that_the_data_is_in()
    {
        StoreMark.Claim(_data.Path, Etcd);
        StoreMark.Claim(_data.Path, Sqlite with { IsAsked = false }).Kind.ShouldBe(StoreKind.Etcd);
    }

    [Fact]
    public void Memory_leaves_nothing_behind()
    {
        StoreMark.Claim(_data.Path, Memory);
        StoreMark.Claim(_data.Path, Sqlite).ShouldBe(Sqlite);
    }
}
