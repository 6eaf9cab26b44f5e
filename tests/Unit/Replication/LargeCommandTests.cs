using System.Text;
using Praetor.Server.Model;
using Praetor.Server.Replication;
using Praetor.Server.State;
using Praetor.Server.Storage.Etcd;
using Shouldly;
using Xunit;

namespace Unit.Replication;

/// <summary>Commands that are larger than etcd takes are refused alone, and nothing that is larger is ever
/// sent.</summary>
public sealed class LargeCommandTests : IAsyncLifetime
{
    private const int RequestBytes = 100_000;
    private const int InvalidArgument = 3;

    private static readonly ReplicationOptions Small = new()
    {
        RequestBytesMax = RequestBytes,
        EntryBytes = 10_000,
        PartBytes = 30_000,
    };

    private readonly SimulatedCluster _cluster = new(seed: 1);
    private long _largest;

    public ValueTask InitializeAsync() => ValueTask.CompletedTask;

    public ValueTask DisposeAsync() => _cluster.DisposeAsync();

    [Fact]
    public async Task A_command_that_is_too_large_is_refused_alone_and_names_itself_the_limit_and_the_remedy()
    {
        var server = await StartAsync();
        var epoch = server.Replica.Leader!.Epoch;
        var all = Enumerable.Range(0, 50)
            .Select(i => server.SubmitAsync($"k{i}", Noise(i == 25 ? RequestBytes - 5000 : 900))).ToList();
        var outcomes = await _cluster.PumpAsync(Task.WhenAll(all));
        var refusal = outcomes[25].Refusal.ShouldNotBeNull();
        refusal.Status.ShouldBe(413);
        refusal.Text.ShouldContain("kv \"k25\" takes");
        refusal.Text.ShouldContain($"{RequestBytes} bytes");
        refusal.Text.ShouldContain("--max-request-bytes");
        outcomes.Count(static one => one.Refusal is null).ShouldBe(49);
        server.All().Count.ShouldBe(49);
        server.Replica.Leader!.Epoch.ShouldBe(epoch);
        server.Replica.Leads.ShouldBeTrue();
        _largest.ShouldBeLessThanOrEqualTo(RequestBytes);
        await OtherHasTheSameAsync(server);
    }

    [Fact]
    public async Task Commands_that_are_too_large_together_only_go_one_after_the_other()
    {
        var server = await StartAsync();
        var all = Enumerable.Range(0, 40).Select(i => server.SubmitAsync($"k{i}", Noise(80_000 - (i * 7)))).ToList();
        (await _cluster.PumpAsync(Task.WhenAll(all))).ShouldAllBe(static one => one.Refusal == null);
        _largest.ShouldBeInRange(80_000, RequestBytes);
        await OtherHasTheSameAsync(server);
    }

    [Fact]
    public async Task A_snapshot_of_large_records_is_written_in_parts_that_etcd_takes()
    {
        var server = await StartAsync(Small with { LogBytes = 200_000, EntriesKept = 1 });
        for (var i = 0; i < 30; i++)
        {
            var size = i % 3 == 0 ? 80_000 : 29_000;
            (await _cluster.PumpAsync(server.SubmitAsync($"k{i % 6}", Noise(size)))).Refusal.ShouldBeNull();
        }

        await _cluster.UntilAsync(() => _cluster.Etcd.CompactedAt > 0);
        _largest.ShouldBeLessThanOrEqualTo(RequestBytes);
        await OtherHasTheSameAsync(server);
    }

    [Fact]
    public async Task A_state_is_restored_in_parts_that_etcd_takes()
    {
        var server = await StartAsync();
        (await _cluster.PumpAsync(server.Store.SubmitAsync(new Restore([.. Enumerable.Repeat(79_000, 20)]))))
            .Refusal.ShouldBeNull();
        server.All().Count.ShouldBe(20);
        _largest.ShouldBeInRange(79_000, RequestBytes);
        await OtherHasTheSameAsync(server);
    }

    [Fact]
    public async Task A_state_with_a_record_that_is_too_large_is_refused_and_the_one_that_is_there_stays()
    {
        var server = await StartAsync();
        (await _cluster.PumpAsync(server.SubmitAsync("k", "v"))).Refusal.ShouldBeNull();
        var restore = server.Store.SubmitAsync(new Restore([100, RequestBytes, 100]));
        (await _cluster.PumpAsync(restore)).Refusal!.Text.ShouldContain("kv \"r1\" takes");
        server.All().Select(static r => r.Key).ShouldBe(["k"]);
        server.Replica.Leads.ShouldBeTrue();
        _cluster.Etcd.Keys.ShouldNotContain(static k => k.Contains("/part/", StringComparison.Ordinal));
        (await _cluster.PumpAsync(server.SubmitAsync("after", "v"))).Refusal.ShouldBeNull();
    }

    [Fact]
    public async Task An_etcd_that_takes_less_than_it_should_refuses_the_write_and_the_leader_stays()
    {
        var server = await StartAsync();
        server.Etcd.Before = static txn => EtcdRequest.SizeOf(txn) > 50_000
            ? throw new EtcdRefusedException("etcdserver: request is too large", InvalidArgument) : Task.CompletedTask;
        var all = new[] { 500, 60_000, 500 }.Select((size, i) => server.SubmitAsync($"k{i}", Noise(size))).ToList();
        (await _cluster.PumpAsync(Task.WhenAll(all)))[1].Refusal!.Text.ShouldContain("--max-request-bytes");
        server.Replica.Leads.ShouldBeTrue();
        (await _cluster.PumpAsync(server.SubmitAsync("after", "v"))).Refusal.ShouldBeNull();
    }

    [Fact]
    public async Task Who_loses_the_lead_while_its_disk_is_full_names_the_disk()
    {
        var server = await StartAsync();
        server.Replica.Trouble = static () => "etcd ended with code 1: no space left on device";
        var deposed = new LeaderRecord(99, "x", "x", "127.0.0.1:8300", 2);
        server.Etcd.Before = txn =>
        {
            if (txn.Then is [EtcdPut { Key: var key }]
                && Encoding.UTF8.GetString(key).Contains("/log/", StringComparison.Ordinal))
            {
                _cluster.Etcd.Commit(new EtcdTxn(
                    [], [new EtcdPut(new LogKeys("dc1").Leader, ReplicationJson.Bytes(deposed))], []));
            }

            return Task.CompletedTask;
        };
        var refusal = (await _cluster.PumpAsync(server.SubmitAsync("k", "v"))).Refusal.ShouldNotBeNull();
        refusal.Text.ShouldContain("no space left on device");
    }

    private async Task<SimulatedServer> StartAsync(ReplicationOptions? options = null)
    {
        var server = _cluster.Start("a", options ?? Small);
        server.Etcd.Before = txn =>
        {
            _largest = Math.Max(_largest, EtcdRequest.SizeOf(txn));
            return Task.CompletedTask;
        };
        await _cluster.LeaderAsync();
        return server;
    }

    private async Task OtherHasTheSameAsync(SimulatedServer server)
    {
        var other = _cluster.Start("b", Small);
        await _cluster.UntilAsync(() => other.Index == server.Index);
        other.All().ShouldBe(server.All());
    }

    // Nothing that could be compressed.
    private static string Noise(int length) =>
        Convert.ToBase64String(System.Security.Cryptography.RandomNumberGenerator.GetBytes(length))[..length];

    private sealed class Restore(IReadOnlyList<int> sizes) : Command<bool>
    {
        protected override Outcome<bool> Apply(WriteTransaction tx)
        {
            var image = new StateImage();
            for (var i = 0; i < sizes.Count; i++)
            {
                image.TryAdd(Tables.Kv, new KvRecord
                {
                    Key = $"r{i}", Value = Encoding.UTF8.GetBytes(Noise(sizes[i])), CreateIndex = 1, ModifyIndex = 1,
                });
            }

            tx.ReplaceAll(image);
            return true;
        }
    }
}
