using System.Text;
using Praetor.Server.Catalog;
using Praetor.Server.Kv;
using Praetor.Server.Model;
using Praetor.Server.Sessions;
using Praetor.Server.State;
using Praetor.Server.Transactions;
using Support.Consistency;

namespace Unit.Replication;

/// <summary>A client of one simulated server, which passes everything on to who leads, as the API does.</summary>
/// <param name="cluster">The servers.</param>
/// <param name="home">Whom it asks.</param>
/// <param name="workload">Knows the accounts and the sessions.</param>
/// <param name="mayBeStale">Whether it reads what its server has, without anybody asking who leads.</param>
internal sealed class SimulatedClient(
    SimulatedCluster cluster, SimulatedServer home, Func<Workload> workload, bool mayBeStale) : IStoreClient
{
    private const string Node = "n1";
    private static readonly TimeSpan Hold = TimeSpan.FromSeconds(7);
    private static readonly TimeSpan Pause = TimeSpan.FromMilliseconds(20);

    public async Task<KvOutput?> KvAsync(KvInput input)
    {
        if (input.Verb == KvVerb.Get)
        {
            var view = await ViewAsync(input.Mode);
            return view is null ? null : KvQueries.Get(view, input.Key) is { } record
                ? new KvOutput(true, Text(record), record.ModifyIndex) : new KvOutput(true);
        }

        Command<bool> command = input.Verb switch
        {
            KvVerb.Put => new PutKey(input.Key, Bytes(input.Value), 0, null),
            KvVerb.Cas => new PutKey(input.Key, Bytes(input.Value), 0, input.Index),
            KvVerb.Delete => new DeleteKey(input.Key, Recurse: false, Cas: null),
            _ => new DeleteKey(input.Key, Recurse: false, input.Index),
        };
        var outcome = await SubmitAsync(command);
        return outcome.Refusal is null ? new KvOutput(outcome.Value) : null;
    }

    public async Task<TransferOutput?> TransferAsync(TransferInput input)
    {
        var operations = input.Steps.Select(s => new KvOperation(s.Verb, workload().Account(s.Account))
        {
            Value = Bytes(s.Value), Index = s.Index,
        }).ToList();
        if (!operations.TrueForAll(static o => o.IsRead))
        {
            var done = await SubmitAsync(new RunTransaction(operations));
            return done.Refusal is null ? new TransferOutput(true, [], [])
                : done.Refusal.Status == RunTransaction.RolledBackStatus ? TransferOutput.RolledBack : null;
        }

        if (await ViewAsync(input.Mode) is not { } view)
        {
            return null;
        }

        var read = RunTransaction.Read(view, operations).Results.Select(static r => (KvRecord)r.Record).ToList();
        return new TransferOutput(true, [.. read.Select(Text)], [.. read.Select(static r => r.ModifyIndex)]);
    }

    public async Task<LockOutput?> LockAsync(LockInput input, string session)
    {
        if (input.Verb == LockVerb.Read)
        {
            var view = await ViewAsync("");
            var record = view is null ? null : KvQueries.Get(view, input.Lock);
            return view is null ? null
                : new LockOutput(true, workload().SessionOf(record?.Session ?? ""), record?.LockIndex ?? 0);
        }

        var outcome = await SubmitAsync<bool>(input.Verb switch
        {
            LockVerb.Acquire => new AcquireKey(input.Lock, [], 0, session),
            LockVerb.Release => new ReleaseKey(input.Lock, [], 0, session),
            _ => new EndSessions([session]),
        });
        return outcome.Refusal is null ? new LockOutput(outcome.Value)
            : outcome.Refusal.Text.StartsWith("invalid session", StringComparison.Ordinal)
                ? new LockOutput(false, IsInvalid: true) : null;
    }

    public async Task<string?> CreateSessionAsync()
    {
        try
        {
            await SubmitAsync(new Register(new Registration
            {
                Node = new NodeRecord { Id = "", Name = Node, Address = "127.0.0.1", Datacenter = "dc1" },
            }));
            var id = Guid.NewGuid().ToString("D");
            var made = await SubmitAsync(new CreateSession(new SessionRecord { Id = id, Node = Node }));
            return made.Refusal is null ? id : null;
        }
        catch (NotDoneException)
        {
            return null;
        }
    }

    private static byte[] Bytes(string? text) => Encoding.UTF8.GetBytes(text ?? "");

    private static string Text(KvRecord record) => Encoding.UTF8.GetString(record.Value);

    private async Task<ReadView?> ViewAsync(string mode)
    {
        var server = mayBeStale ? home : await LeaderAsync();
        return mayBeStale || await server.Replica.IsNewestAsync(mode == "consistent", CancellationToken.None)
            ? new ReadView(server.Store.Current, tracks: false) : throw new NotDoneException();
    }

    private async Task<Outcome<T>> SubmitAsync<T>(Command<T> command)
    {
        var server = await LeaderAsync();
        var outcome = await server.Store.SubmitAsync(command);
        return outcome.Refusal is { Text: "No cluster leader" } ? throw new NotDoneException() : outcome;
    }

    // Who leads, as far as this client's server knows, and knows it itself.
    private async Task<SimulatedServer> LeaderAsync()
    {
        var begin = cluster.Time.GetTimestamp();
        while (cluster.Time.GetElapsedTime(begin) < Hold)
        {
            var leader = home.Replica.Leads ? home.Name : home.Replica.Leader?.Name;
            if (cluster.Servers.FirstOrDefault(s => s.Name == leader) is { Replica.Leads: true } server)
            {
                return server;
            }

            await Task.Delay(Pause, cluster.Time);
        }

        throw new NotDoneException();
    }
}
