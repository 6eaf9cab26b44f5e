using System.Collections.Concurrent;
using System.Globalization;

namespace Support.Consistency;

/// <summary>A client of one server. Each call ends, with null when its outcome is not known.</summary>
public interface IStoreClient
{
    /// <summary>Does something with a key.</summary>
    /// <exception cref="NotDoneException">It was certainly not done.</exception>
    Task<KvOutput?> KvAsync(KvInput input);

    /// <summary>Runs a transaction, or lists the accounts.</summary>
    /// <exception cref="NotDoneException">It was certainly not done.</exception>
    Task<TransferOutput?> TransferAsync(TransferInput input);

    /// <summary>Does something with a lock.</summary>
    /// <param name="input">What.</param>
    /// <param name="session">The session's id. Empty for reads.</param>
    /// <exception cref="NotDoneException">It was certainly not done.</exception>
    Task<LockOutput?> LockAsync(LockInput input, string session);

    /// <summary>Makes a session that depends on nothing. Null: nobody knows whether there is one.</summary>
    Task<string?> CreateSessionAsync();
}

/// <summary>Clients that do whatever comes into their heads, and all that they were told.</summary>
/// <param name="prefix">How all keys begin.</param>
/// <param name="seed">What comes into their heads.</param>
/// <param name="clients">The clients.</param>
/// <param name="pause">How long each rests after a call, on average.</param>
/// <param name="time">The clock of that.</param>
public sealed class Workload(
    string prefix, int seed, IReadOnlyList<IStoreClient> clients, TimeSpan pause, TimeProvider time)
{
    /// <summary>How many accounts there are.</summary>
    public const int Accounts = 4;

    private const int Keys = 5;
    private const int Locks = 2;
    private const int Amount = 100;

    private readonly History<KvInput, KvOutput> _kv = new();
    private readonly History<TransferInput, TransferOutput> _transfers = new();
    private readonly History<LockInput, LockOutput> _locks = new();
    private readonly ConcurrentDictionary<string, int> _sessions = new(StringComparer.Ordinal);
    private readonly int[] _sessionsOf = new int[Locks];
    private int _values;

    /// <summary>How many calls were made.</summary>
    public int Count => _kv.Count + _transfers.Count + _locks.Count;

    /// <summary>How many were answered.</summary>
    public int Known => _kv.Calls.Count(static c => c.IsKnown) + _transfers.Calls.Count(static c => c.IsKnown)
        + _locks.Calls.Count(static c => c.IsKnown);

    /// <summary>The key of an account.</summary>
    public string Account(int number) => $"{prefix}account/{number.ToString(CultureInfo.InvariantCulture)}";

    /// <summary>Which session, by its number, has an id; 0: none.</summary>
    public int SessionOf(string id) => _sessions.GetValueOrDefault(id);

    /// <summary>Makes so many calls that may have been done, after one that fills the accounts.</summary>
    public async Task RunAsync(int calls, CancellationToken stop = default)
    {
        await FillAsync(stop);
        await Task.WhenAll(clients.Select((c, i) => RunAsync(i, c, calls, new Random((seed * 1000) + i), stop)));
    }

    /// <summary>What is wrong with what they were told. Null: nothing.</summary>
    public string? ProblemOf()
    {
        var transfers = Linearizability.Check(new TransferModel(Filled()), _transfers.Calls);
        return KvModel.ProblemOf(_kv.Calls) ?? LockModel.ProblemOf(_locks.Calls)
            ?? (transfers.IsLinearizable == true ? null : $"accounts: {transfers.Problem}") ?? TotalProblem();
    }

    private static IEnumerable<string> Filled() => Enumerable.Range(0, Accounts).Select(static i => $"{Amount}#a{i}");

    private static int AmountOf(string version) =>
        int.Parse(version.AsSpan(0, version.IndexOf('#')), CultureInfo.InvariantCulture);

    private string? TotalProblem() => _transfers.Calls
        .FirstOrDefault(static c => c.Output is { IsDone: true, Read.Length: Accounts } all
            && all.Read.Sum(AmountOf) != Accounts * Amount) is { } wrong
        ? $"accounts: the total is wrong: {wrong}" : null;

    private async Task FillAsync(CancellationToken stop)
    {
        var fill = new TransferInput([.. Filled().Select(static (v, i) => new TransferStep("set", i, v))]);
        while (true)
        {
            try
            {
                if (await clients[0].TransferAsync(fill) is { IsDone: true })
                {
                    return;
                }
            }
            catch (NotDoneException)
            {
                // Again.
            }

            await Task.Delay(pause, time, stop);
        }
    }

    private async Task RunAsync(int number, IStoreClient client, int calls, Random random, CancellationToken stop)
    {
        var read = new Dictionary<string, KvOutput>(StringComparer.Ordinal);
        var held = new (string Session, int Number)[Locks];
        while (Count < calls)
        {
            switch (random.Next(10))
            {
                case < 6:
                    await KvAsync(number, client, random, read);
                    break;
                case < 8:
                    await TransferAsync(number, client, random);
                    break;
                default:
                    await LockAsync(number, client, random, held);
                    break;
            }

            await Task.Delay(pause * (2 * random.NextDouble()), time, stop);
        }
    }

    private async Task KvAsync(int number, IStoreClient client, Random random, Dictionary<string, KvOutput> read)
    {
        var key = $"{prefix}key/{random.Next(Keys)}";
        var known = read.GetValueOrDefault(key, new KvOutput(true));
        var mode = random.Next(2) == 0 ? "" : "consistent";
        var input = random.Next(10) switch
        {
            < 4 => new KvInput(KvVerb.Get, key, Mode: mode),
            < 6 => new KvInput(KvVerb.Put, key, NewValue()),
            < 8 => new KvInput(KvVerb.Cas, key, NewValue(), known.Value, known.Index),
            < 9 => new KvInput(KvVerb.Delete, key),
            _ when known.Value is null => new KvInput(KvVerb.Get, key, Mode: mode),
            _ => new KvInput(KvVerb.DeleteCas, key, null, known.Value, known.Index),
        };
        var output = await _kv.RecordAsync(number, input, () => client.KvAsync(input));
        if (input.Verb == KvVerb.Get && output is not null)
        {
            read[key] = output;
        }
    }

    private string NewValue() => "v" + Interlocked.Increment(ref _values).ToString(CultureInfo.InvariantCulture);

    private async Task TransferAsync(int number, IStoreClient client, Random random)
    {
        if (random.Next(3) == 0)
        {
            var all = new TransferInput(
                [.. Enumerable.Range(0, Accounts).Select(static i => new TransferStep("get", i))],
                IsList: random.Next(2) == 0, Mode: random.Next(2) == 0 ? "" : "consistent");
            await _transfers.RecordAsync(number, all, () => client.TransferAsync(all));
            return;
        }

        var from = random.Next(Accounts);
        var to = (from + random.Next(1, Accounts)) % Accounts;
        var look = new TransferInput([new("get", from), new("get", to)]);
        if (await _transfers.RecordAsync(number, look, () => client.TransferAsync(look)) is not { IsDone: true } seen
            || seen.Read.Length < look.Steps.Length)
        {
            // Not done; or an old state was read, in which there are no accounts yet.
            return;
        }

        var move = new TransferInput(
        [
            new("cas", from, $"{AmountOf(seen.Read[0]) - 1}#{NewValue()}", seen.Read[0], seen.Indexes[0]),
            new("check-index", to, null, seen.Read[1], seen.Indexes[1]),
            new("set", to, $"{AmountOf(seen.Read[1]) + 1}#{NewValue()}"),
        ]);
        await _transfers.RecordAsync(number, move, () => client.TransferAsync(move));
    }

    private async Task LockAsync(
        int number, IStoreClient client, Random random, (string Session, int Number)[] held)
    {
        var which = random.Next(Locks);
        var key = $"{prefix}lock/{which.ToString(CultureInfo.InvariantCulture)}";
        var (session, sessionNumber) = held[which];
        if (session is null)
        {
            if (_sessionsOf[which] >= LockModel.SessionsMax - clients.Count
                || await client.CreateSessionAsync() is not { } id)
            {
                return;
            }

            sessionNumber = Interlocked.Increment(ref _sessionsOf[which]);
            _sessions[id] = sessionNumber;
            held[which] = (id, sessionNumber);
            return;
        }

        var verb = random.Next(8) switch
        {
            < 3 => LockVerb.Acquire,
            < 5 => LockVerb.Release,
            < 7 => LockVerb.Read,
            _ => LockVerb.End,
        };
        var input = new LockInput(verb, key, verb == LockVerb.Read ? 0 : sessionNumber);
        await _locks.RecordAsync(
            number, input, () => client.LockAsync(input, verb == LockVerb.Read ? "" : session));
        if (verb == LockVerb.End && random.Next(2) == 0)
        {
            // Else it goes on with a session that is not there any more.
            held[which] = default;
        }
    }
}
