using Praetor.Server.Storage.Etcd;

namespace Praetor.Agent.Cluster;

/// <summary>A server asks another one whether its etcd may stand still now, or says that it is over.</summary>
/// <param name="Id">Its node id.</param>
/// <param name="IsOver">Whether its turn has ended.</param>
internal sealed record UpkeepAsk(string Id, bool IsOver);

/// <summary>Whether a server grants what it was asked.</summary>
internal sealed record UpkeepAnswer(bool IsGranted);

/// <summary>Whose etcd may stand still: one in the whole cluster.</summary>
/// <remarks>
/// The problem: a member whose file is written anew does nothing else meanwhile, so two of three at once are an outage.
/// A claim in etcd would be a write, and without space, when it matters most, etcd takes none.
/// The idea: the servers grant it to each other. Each grants it to one at a time, itself among them, and remembers for
/// as long as that may take. Who wants it asks all voters in the same order; it needs a majority that grants, and
/// nobody who refuses. So two never have it at once: of two majorities one server is in both, and whoever has it
/// refuses the other itself. As all begin with the same server, they do not stand in each other's way. Who is not
/// known as a voter gets no answer: its vote counts for no majority, and whoever could be anybody must not keep others
/// from their turn; nor does a server that has not looked yet who votes.
/// </remarks>
internal sealed class UpkeepTurn(
    string self, Func<string, UpkeepAsk, CancellationToken, Task<UpkeepAnswer?>> ask, TimeProvider time)
{
    /// <summary>How long a grant is remembered that nobody has given back: longer than etcd may be at it, which is
    /// killed when it still stands still a while after that.</summary>
    public static readonly TimeSpan GrantTime = EtcdClientOptions.DefragmentLimit + TimeSpan.FromSeconds(90);

    private readonly Lock _gate = new();
    private string _holder = "";
    private long _grantedAt;

    /// <summary>Answers another server.</summary>
    /// <param name="asked">What it asks.</param>
    /// <param name="voters">Node ids of the voters, as far as they are known here.</param>
    /// <returns>Null: it is not known as a voter. That its turn has ended is heard in any case.</returns>
    public UpkeepAnswer? Answer(UpkeepAsk asked, IReadOnlyList<string> voters)
    {
        if (!asked.IsOver && !voters.Contains(asked.Id))
        {
            return null;
        }

        lock (_gate)
        {
            var isFree = _holder.Length == 0 || _holder == asked.Id || time.GetElapsedTime(_grantedAt) >= GrantTime;
            if (asked.IsOver)
            {
                _holder = _holder == asked.Id ? "" : _holder;
            }
            else if (isFree)
            {
                (_holder, _grantedAt) = (asked.Id, time.GetTimestamp());
            }

            return new UpkeepAnswer(isFree);
        }
    }

    /// <summary>Asks the voters for the turn.</summary>
    /// <param name="voters">Their node ids.</param>
    /// <param name="stop">Ends the wait.</param>
    public async Task<bool> TakeAsync(IReadOnlyList<string> voters, CancellationToken stop)
    {
        var granted = 0;
        foreach (var voter in voters.Order(StringComparer.Ordinal))
        {
            var answer = await AskAsync(voter, new UpkeepAsk(self, IsOver: false), voters, stop);
            if (answer is { IsGranted: false })
            {
                await EndAsync(voters, stop);
                return false;
            }

            granted += answer is null ? 0 : 1;
        }

        if (granted >= ClusterHealth.Quorum(voters.Count))
        {
            return true;
        }

        await EndAsync(voters, stop);
        return false;
    }

    /// <summary>Gives the turn back. Who does not hear of it forgets it after <see cref="GrantTime"/>.</summary>
    public Task EndAsync(IReadOnlyList<string> voters, CancellationToken stop) =>
        Task.WhenAll(voters.Select(voter => AskAsync(voter, new UpkeepAsk(self, IsOver: true), voters, stop)));

    private Task<UpkeepAnswer?> AskAsync(
        string voter, UpkeepAsk asked, IReadOnlyList<string> voters, CancellationToken stop) =>
        voter == self ? Task.FromResult(Answer(asked, voters)) : ask(voter, asked, stop);
}
