using System.Collections.Concurrent;
using System.Globalization;
using System.Net;
using Microsoft.Extensions.Logging;
using Praetor.Agent.Membership;
using Praetor.Server.Autopilot;
using Praetor.Server.Replication;
using Praetor.Server.State;
using Praetor.Server.Storage.Etcd;

namespace Praetor.Agent.Cluster;

/// <summary>Looks after the members of etcd: knows them, lets servers in and out, and, where it leads, does what
/// <see cref="Autopilot"/> says.</summary>
internal sealed partial class ServerCare(
    ClusterMember self, IEtcd etcd, Replica replica, IMembership membership, ServerReports reports,
    AutopilotConfiguration initial, TimeSpan beat, TimeProvider time, ILogger log)
{
    // While a leader's end is not known yet, etcd would wait in vain for the dead one to take its own lead.
    private const int AstrayRounds = 5;

    // How long a removal is asked for again after one without an answer.
    private static readonly TimeSpan RemovalTime = TimeSpan.FromSeconds(10);
    private static readonly TimeSpan RemovalPause = TimeSpan.FromMilliseconds(100);

    private readonly SemaphoreSlim _changes = new(1, 1);

    // What gossip said of each before it forgot, or somebody else came by the same name.
    private readonly ConcurrentDictionary<string, (string Name, string Address)> _known = new(StringComparer.Ordinal);
    private volatile Autopilot _autopilot = new(beat);
    private volatile IReadOnlyList<EtcdMember> _members = [];
    private volatile IReadOnlyDictionary<string, ServerReport> _reports = new Dictionary<string, ServerReport>();
    private LeaderRecord? _astrayFrom;
    private int _astrayRounds;

    /// <summary>Told before another member is added.</summary>
    public event Action? Adding;

    /// <summary>The members, as far as this server knows.</summary>
    public IReadOnlyList<EtcdMember> Members => _members;

    /// <summary>How the servers are; known where it leads.</summary>
    public ClusterHealth Health => _autopilot.Health;

    /// <summary>This server leads from now on: it judges everybody anew.</summary>
    public void Begin() => _autopilot = new Autopilot(beat);

    /// <summary>Asks etcd anew who takes part.</summary>
    /// <exception cref="EtcdUnknownException">It did not answer.</exception>
    public async Task RefreshAsync(CancellationToken stop) => _members = await etcd.MembersAsync(stop);

    /// <summary>The servers whose etcd has run.</summary>
    public IReadOnlyList<ClusterServer> Servers()
    {
        var leader = replica.Leader;
        var health = Health.Servers;
        return
        [
            .. Sights().Where(static s => s.Id.Length > 0).Select(s => new ClusterServer(
                s.Id, s.Name, s.Address, s.MemberId, s.IsVoter, leader?.Id == s.Id)
            {
                LastIndex = health.FirstOrDefault(h => h.Id == s.Id)?.LastIndex ?? 0,
            }),
        ];
    }

    /// <summary>Whether a server is a member, be it that its etcd has not run yet.</summary>
    public bool Has(ClusterMember member) => _members.Any(m => m.Name == member.Id || IsPlaceOf(m, member));

    /// <summary>The voter that is best to lead after this server. Empty: none is known to be well.</summary>
    public string BestSuccessor() => Health.Servers
        .Where(s => s is { IsVoter: true, IsHealthy: true } && s.Id != self.Id)
        .OrderByDescending(static s => s.LastIndex).FirstOrDefault()?.Id ?? "";

    /// <summary>One look at the members, and one deed at most, when this server leads.</summary>
    /// <param name="own">This server's member.</param>
    /// <param name="stop">Ends the wait.</param>
    /// <returns>How this server's member is.</returns>
    public async Task<EtcdStatus> RoundAsync(ulong own, CancellationToken stop)
    {
        await RefreshAsync(stop);
        var status = await etcd.StatusAsync(stop);
        if (AstrayFrom(status, own) is { } leader)
        {
            // The etcd that leads should be the leader's own: one hop less for every write.
            await etcd.ChangeMembersAsync(new EtcdMemberChange.MoveLeader(leader.MemberId), stop);
        }

        if (!replica.Leads || replica.Leader is not { } term)
        {
            return status;
        }

        var rules = AutopilotQueries.Of(new ReadView(replica.Store.Current, tracks: false))?.Configuration ?? initial;
        var before = (term.Epoch, replica.Store.Current.Index);
        _reports = await reports.AskAsync(self.Id, stop);
        if (_autopilot.Look(time.GetUtcNow(), Sights(), before, rules) is { } deed)
        {
            await DoAsync(deed, stop);
        }

        return status;
    }

    /// <summary>Makes room for a server that has no data: it comes in without a vote.</summary>
    /// <returns>Why not now. Null: it may come.</returns>
    /// <exception cref="EtcdUnknownException">It may come, or not; ask again.</exception>
    /// <exception cref="EtcdRefusedException">It may not now.</exception>
    public async Task<string?> AdmitAsync(ClusterMember member, CancellationToken stop)
    {
        await _changes.WaitAsync(stop);
        try
        {
            await RefreshAsync(stop);
            if (_members.Any(m => IsPlaceOf(m, member)))
            {
                return null;
            }

            // Whoever had this id, name or address before does not come back: its data is gone, or its machine is
            // another one now.
            var sights = Sights();
            if (sights.Find(s => s.Name == member.Name && s.Id.Length > 0 && s.Id != member.Id
                && s.Status == MemberStatus.Alive) is { } living)
            {
                return $"server {member.Name} is alive with the id {living.Id}: give this one another name, or stop "
                    + "that one first";
            }

            foreach (var former in _members.Where(m => m.Name == member.Id || m.PeerUrls.Contains(member.PeerUrl)
                || sights.Any(s => s.MemberId == m.Id && s.Name == member.Name)))
            {
                _reports = await reports.AskAsync(self.Id, stop);
                if (!former.IsLearner && !Autopilot.HoldsWithout(former.Id, Sights()))
                {
                    return $"server {member.Name} must be taken out before it comes anew, and without it too few "
                        + "servers answer";
                }

                await etcd.ChangeMembersAsync(new EtcdMemberChange.Remove(former.Id), stop);
                Log.Replaced(log, member.Name);
            }

            Adding?.Invoke();
            await etcd.ChangeMembersAsync(new EtcdMemberChange.AddLearner(member.PeerUrl), stop);
            await RefreshAsync(stop);
            Log.Added(log, member.Name);
            return null;
        }
        finally
        {
            _changes.Release();
        }
    }

    /// <summary>Takes a server out because somebody asked for it.</summary>
    /// <returns>Why not. Null: it is out.</returns>
    public async Task<string?> RemoveAsync(ulong memberId, CancellationToken stop)
    {
        await _changes.WaitAsync(stop);
        try
        {
            var begin = time.GetTimestamp();
            while (true)
            {
                try
                {
                    return await RemoveOnceAsync(memberId, stop);
                }
                catch (EtcdUnknownException) when (time.GetElapsedTime(begin) < RemovalTime && !IsSelf(memberId))
                {
                    // Its etcd led, perhaps, and is gone: what was asked meanwhile is lost, and another leads soon.
                    await Task.Delay(RemovalPause, time, stop);
                }
            }
        }
        catch (Exception e) when (e is EtcdUnknownException or EtcdRefusedException)
        {
            return e.Message;
        }
        finally
        {
            _changes.Release();
        }
    }

    private async Task<string?> RemoveOnceAsync(ulong memberId, CancellationToken stop)
    {
        await RefreshAsync(stop);
        if (_members.All(m => m.Id != memberId))
        {
            return null;
        }

        _reports = await reports.AskAsync(self.Id, stop);
        if (_members.Any(m => m.Id == memberId && !m.IsLearner) && !Autopilot.HoldsWithout(memberId, Sights()))
        {
            return "without this server too few of the others answer for a majority; nothing could be written";
        }

        await etcd.ChangeMembersAsync(new EtcdMemberChange.Remove(memberId), stop);
        _members = [.. _members.Where(m => m.Id != memberId)];
        return null;
    }

    // Whose etcd ends with its removal, and answers no more.
    private bool IsSelf(ulong memberId) => _members.Any(m => m.Id == memberId && m.Name == self.Id);

    private static bool IsPlaceOf(EtcdMember member, ClusterMember server) =>
        member.Name.Length == 0 && member.PeerUrls.Contains(server.PeerUrl);

    private async Task DoAsync(CareDeed deed, CancellationToken stop)
    {
        await _changes.WaitAsync(stop);
        try
        {
            switch (deed.Kind)
            {
                case CareKind.Promote:
                    await etcd.ChangeMembersAsync(new EtcdMemberChange.Promote(deed.MemberId), stop);
                    Log.Promoted(log, deed.Name);
                    break;
                case CareKind.RemoveLeft:
                    await etcd.ChangeMembersAsync(new EtcdMemberChange.Remove(deed.MemberId), stop);
                    Log.RemovedLeft(log, deed.Name);
                    break;
                case CareKind.RemoveFailed:
                    await etcd.ChangeMembersAsync(new EtcdMemberChange.Remove(deed.MemberId), stop);
                    Log.RemovedFailed(log, deed.Name);
                    break;
            }

            await RefreshAsync(stop);
        }
        catch (EtcdRefusedException e)
        {
            // A learner that has not caught up, or what somebody else has done already: it is looked at again.
            Log.Refused(log, deed.Name, e.Message);
        }
        finally
        {
            _changes.Release();
        }
    }

    // Each member as gossip and its own report show it.
    private List<ServerSight> Sights()
    {
        var known = membership.Members(wan: false).Where(static m => m.Tags.ContainsKey(Founding.PeerPortTag)).ToList();
        foreach (var server in known)
        {
            _known[server.Tags.GetValueOrDefault("id", "")] = (server.Name, AddressOf(server));
        }

        var sights = new List<ServerSight>();
        foreach (var member in _members)
        {
            var seen = known.FirstOrDefault(m => member.Name.Length > 0
                ? m.Tags.GetValueOrDefault("id", "") == member.Name
                : ushort.TryParse(m.Tags[Founding.PeerPortTag], out var port)
                    && member.PeerUrls.Contains(Founding.UrlOf(m.Address, port, self.HasTls)));
            var before = _known.GetValueOrDefault(member.Name);
            sights.Add(new ServerSight
            {
                MemberId = member.Id,
                Id = member.Name,
                Name = seen?.Name ?? before.Name ?? "(unknown)",
                Address = seen is null ? before.Address ?? "" : AddressOf(seen),
                IsVoter = !member.IsLearner,
                IsSelf = member.Name == self.Id,
                Status = seen?.Status ?? MemberStatus.None,
                Version = seen?.Tags.GetValueOrDefault("build", "").Split(':')[0] ?? "",
                Report = _reports.GetValueOrDefault(member.Name),
            });
        }

        return sights;
    }

    /// <summary>Where a server takes calls of other agents. Empty: gossip does not say.</summary>
    internal static string AddressOf(AgentMember member) =>
        int.TryParse(member.Tags.GetValueOrDefault("port"), CultureInfo.InvariantCulture, out var port)
        ? new IPEndPoint(IPAddress.Parse(member.Address), port).ToString() : "";

    // Who leads, when etcd's own lead has stood here beside it for a while.
    private LeaderRecord? AstrayFrom(EtcdStatus status, ulong own)
    {
        var leader = replica.Leader;
        if (status.LeaderId != own || leader is null || leader.MemberId == own || leader != _astrayFrom
            || !_members.Any(m => m.Id == leader.MemberId && !m.IsLearner))
        {
            (_astrayFrom, _astrayRounds) = (leader, 0);
            return null;
        }

        return ++_astrayRounds % AstrayRounds == 0 ? leader : null;
    }

    private static partial class Log
    {
        [LoggerMessage(1, LogLevel.Information, "a server is added, without a vote yet: server={Server}")]
        public static partial void Added(ILogger log, string server);

        [LoggerMessage(2, LogLevel.Information, "a server comes anew, so its former member is out: server={Server}")]
        public static partial void Replaced(ILogger log, string server);

        [LoggerMessage(3, LogLevel.Information, "a server got its vote: server={Server}")]
        public static partial void Promoted(ILogger log, string server);

        [LoggerMessage(4, LogLevel.Information, "a server that left is out of the cluster: server={Server}")]
        public static partial void RemovedLeft(ILogger log, string server);

        [LoggerMessage(5, LogLevel.Warning, "a server that failed is out of the cluster: server={Server}")]
        public static partial void RemovedFailed(ILogger log, string server);

        [LoggerMessage(6, LogLevel.Debug, "etcd does not take a change yet: server={Server} why={Why}")]
        public static partial void Refused(ILogger log, string server, string why);
    }
}
