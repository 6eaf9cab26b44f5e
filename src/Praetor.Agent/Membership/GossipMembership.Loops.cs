using System.Globalization;
using System.Net;
using Gossip.Pool;
using Gossip.Serf;
using Gossip.Serf.Wire;
using Gossip.Swim;
using Microsoft.Extensions.Logging;
using Praetor.Agent.Checks;
using Praetor.Agent.Forwarding;

namespace Praetor.Agent.Membership;

// What goes on by itself: joining at start, telling who follows the servers, bringing servers into the WAN.
internal sealed partial class GossipMembership
{
    /// <summary>Notes of one kind are logged once in this time, whatever is sent to this agent.</summary>
    private static readonly TimeSpan NoteEvery = TimeSpan.FromSeconds(10);

    private readonly Dictionary<SwimNote, (long At, int More)> _notes = [];

    private async Task JoinUntilDoneAsync(PoolSeat seat)
    {
        var known = seat.Known.Read(_settings.RejoinsAfterLeave);
        if (known.Count > 0)
        {
            Log.Rejoining(_log, seat.Settings.Word, known.Count);
            await seat.Pool.JoinAsync(known, _stop.Token);
        }

        for (var tries = 1; seat.Settings.Seeds.Count > 0; tries++)
        {
            var outcome = await JoinAsync(seat.Settings.Seeds, seat.Settings.IsWan, _stop.Token);
            if (outcome.Problem is null)
            {
                Log.Joined(_log, seat.Settings.Word, outcome.Joined);
                return;
            }

            if (seat.Settings.RetriesMax > 0 && tries > seat.Settings.RetriesMax)
            {
                var pool = seat.Settings.Word.ToUpperInvariant();
                Failed?.Invoke($"agent: max join {pool} retry exhausted, exiting: {outcome.Problem.Trim()}");
                return;
            }

            var wait = GoText.Duration(seat.Settings.RetryEvery);
            Log.JoinFailed(_log, seat.Settings.Word, outcome.Problem.Trim(), wait);
            await Task.Delay(seat.Settings.RetryEvery, _time, _stop.Token);
        }
    }

    private async Task ActOnChangesAsync()
    {
        while (!_stop.IsCancellationRequested)
        {
            await _changed.WaitAsync(LookAgainEvery, _stop.Token);
            var servers = Servers();
            Action<IReadOnlyCollection<ServerPeer>>[] followers;
            lock (_gate)
            {
                followers = [.. _followers];
            }

            foreach (var follower in followers)
            {
                follower(servers);
            }

            // Who follows the servers is told at once; the rest waits until the crowd of changes is over.
            await Task.Delay(SettleTime, _time, _stop.Token);
            Remember();
            await BringServersIntoWanAsync();
        }
    }

    // Who adds a server to a datacenter need not join it to the others: its neighbours do.
    private async Task BringServersIntoWanAsync()
    {
        if (_wan is null)
        {
            return;
        }

        var there = _wan.Pool.Members().Where(static member => member.Status == SerfStatus.Alive)
            .Select(static member => member.Name).ToHashSet(StringComparer.Ordinal);
        foreach (var member in _lan.Pool.Members())
        {
            var tags = member.Tags;
            var full = $"{member.Name}.{_facts.Node.Datacenter}";
            if (member.Status != SerfStatus.Alive || member.Name == _lan.Name || there.Contains(full)
                || tags.GetValueOrDefault("role") != "consul"
                || !ushort.TryParse(
                    tags.GetValueOrDefault("wan_join_port"), NumberStyles.None, CultureInfo.InvariantCulture,
                    out var port))
            {
                continue;
            }

            var at = new IPEndPoint(member.Address.Address, port);
            foreach (var result in await _wan.Pool.JoinAsync([at], _stop.Token))
            {
                if (result.Problem is { } problem)
                {
                    Log.WanJoinFailed(_log, full, problem);
                }
            }
        }
    }

    private void Happened(MemberChange change, SerfMember member, bool isWan)
    {
        switch (change)
        {
            case MemberChange.Joined:
                Log.MemberJoined(_log, member.Name, member.Address, isWan ? "wan" : "lan");
                break;
            case MemberChange.Failed:
                Log.MemberFailed(_log, member.Name, member.Address, isWan ? "wan" : "lan");
                break;
            case MemberChange.Left:
                Log.MemberLeft(_log, member.Name, member.Address, isWan ? "wan" : "lan");
                break;
            case MemberChange.Reaped:
                Log.MemberReaped(_log, member.Name, isWan ? "wan" : "lan");
                break;
        }

        try
        {
            _changed.Release();
        }
        catch (SemaphoreFullException)
        {
            // What waits will see this change too.
        }

        Changed?.Invoke(change, Shown(member), isWan);
    }

    // Anybody can make a member write notes, so they are counted and told now and then.
    private void Noted(SwimNote note, string detail)
    {
        var now = _time.GetTimestamp();
        var isKnown = _notes.TryGetValue(note, out var last);
        if (isKnown && _time.GetElapsedTime(last.At, now) < NoteEvery)
        {
            _notes[note] = (last.At, last.More + 1);
            return;
        }

        _notes[note] = (now, 0);
        Log.Noted(_log, LevelOf(note), note, detail, last.More);
    }

    // What somebody should look into stands out: a wrong key, a firewall, a member that is suspected though it lives.
    private static LogLevel LevelOf(SwimNote note) => note switch
    {
        SwimNote.NotDecryptable or SwimNote.OnlyStreamsReach or SwimNote.Refuted => LogLevel.Warning,
        SwimNote.ProbeFailed or SwimNote.DeclaredDead => LogLevel.Information,
        _ => LogLevel.Debug,
    };

    /// <summary>What a pool tells.</summary>
    private sealed class Ear(GossipMembership membership, bool isWan) : IPoolListener
    {
        public void MemberChanged(MemberChange change, SerfMember member) =>
            membership.Happened(change, member, isWan);

        public void UserEventReceived(UserEvent happened)
        {
            if (!isWan)
            {
                membership.Delivered?.Invoke(happened.Name, happened.Payload, happened.LTime);
            }
        }

        // Consul's agents answer no queries but those that every member answers by itself.
        public void QueryReceived(ReceivedQuery query)
        {
        }

        public void NameConflict(SerfMember existing, IPEndPoint claimant) =>
            Log.NameTaken(membership._log, existing.Name, existing.Address, claimant);

        public void Note(SwimNote note, string detail) => membership.Noted(note, detail);

        public string? RefuseMerge(IReadOnlyList<SerfMember> members) => isWan
            ? MergeRules.RefuseWan(members)
            : MergeRules.RefuseLan(
                members, membership._facts.Node.Datacenter, membership._facts.Node.Name, membership._facts.Node.Id);
    }

    private static partial class Log
    {
        [LoggerMessage(1, LogLevel.Information, "serf: member joined: name={Name} address={Address} pool={Pool}")]
        public static partial void MemberJoined(ILogger log, string name, IPEndPoint address, string pool);

        [LoggerMessage(2, LogLevel.Warning, "serf: member failed: name={Name} address={Address} pool={Pool}")]
        public static partial void MemberFailed(ILogger log, string name, IPEndPoint address, string pool);

        [LoggerMessage(3, LogLevel.Information, "serf: member left: name={Name} address={Address} pool={Pool}")]
        public static partial void MemberLeft(ILogger log, string name, IPEndPoint address, string pool);

        [LoggerMessage(4, LogLevel.Information, "serf: member forgotten: name={Name} pool={Pool}")]
        public static partial void MemberReaped(ILogger log, string name, string pool);

        [LoggerMessage(5, LogLevel.Information, "joined: pool={Pool} agents={Count}")]
        public static partial void Joined(ILogger log, string pool, int count);

        [LoggerMessage(6, LogLevel.Warning, "joining failed, trying again: pool={Pool} again_in={Wait} {Problem}")]
        public static partial void JoinFailed(ILogger log, string pool, string problem, string wait);

        [LoggerMessage(7, LogLevel.Information, "trying who was there before: pool={Pool} members={Count}")]
        public static partial void Rejoining(ILogger log, string pool, int count);

        [LoggerMessage(8, LogLevel.Warning, "a server of this datacenter cannot be joined in the WAN: "
            + "member={Member} {Problem}")]
        public static partial void WanJoinFailed(ILogger log, string member, string problem);

        [LoggerMessage(9, LogLevel.Error, "two agents claim one name; give one of them another by -node: "
            + "name={Name} member={Address} other={Other}")]
        public static partial void NameTaken(ILogger log, string name, IPEndPoint address, IPEndPoint other);

        [LoggerMessage(EventId = 10, Message = "gossip: {Note}: {Detail} (and {More} more in the last seconds)")]
        public static partial void Noted(ILogger log, LogLevel level, SwimNote note, string detail, int more);

        [LoggerMessage(11, LogLevel.Warning, "the members are not kept for a restart: {Problem}")]
        public static partial void NotRemembered(ILogger log, string problem);

        [LoggerMessage(12, LogLevel.Warning, "the key of 'encrypt' is not in the keyring and not used; change keys by "
            + "'praetor keyring', or remove the file: file={File}")]
        public static partial void KeyIgnored(ILogger log, string file);
    }
}
