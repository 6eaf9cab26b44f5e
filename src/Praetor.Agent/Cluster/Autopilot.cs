using Praetor.Agent.Membership;
using Praetor.Server.Autopilot;

namespace Praetor.Agent.Cluster;

/// <summary>What the leader sees of a server at one moment.</summary>
internal sealed record ServerSight
{
    /// <summary>Its member of etcd.</summary>
    public required ulong MemberId { get; init; }

    /// <summary>Its node id. Empty: its etcd never ran, so it is known by its address only.</summary>
    public required string Id { get; init; }

    public required string Name { get; init; }

    public required string Address { get; init; }

    public required bool IsVoter { get; init; }

    /// <summary>Whether it is the leader, who looks.</summary>
    public required bool IsSelf { get; init; }

    /// <summary>What gossip says of it; <see cref="MemberStatus.None"/>: nothing.</summary>
    public required MemberStatus Status { get; init; }

    public string Version { get; init; } = "";

    /// <summary>What it says of itself. Null: it did not answer.</summary>
    public ServerReport? Report { get; init; }
}

/// <summary>Something to be done about a server.</summary>
/// <param name="MemberId">Its member of etcd.</param>
/// <param name="Name">Its name.</param>
/// <param name="Kind">What.</param>
internal sealed record CareDeed(ulong MemberId, string Name, CareKind Kind);

/// <summary>What can be done about a server.</summary>
internal enum CareKind
{
    /// <summary>It gets its vote.</summary>
    Promote,

    /// <summary>It left, so it is taken out.</summary>
    RemoveLeft,

    /// <summary>It failed, so it is taken out.</summary>
    RemoveFailed,
}

/// <summary>Judges the servers and says what is to be done about them; the leader's, anew for each
/// leadership.</summary>
/// <remarks>
/// The problem: each server that is counted and not there makes the majority harder to reach, and each that is taken
/// out too early, or counted too early, does so as well. etcd's own check of changes is switched off: it refuses any
/// change while one member is away, so a replacement could not come.
/// The rules. A new server votes when it has been healthy for the stabilization time (and etcd says that it has caught
/// up). Who left is taken out when those who remain still have a majority that answers. Who failed is taken out under
/// the same condition, if cleaning up is on, if fewer than half of the voters failed, and if as many as MinQuorum
/// stay: so of three servers a dead one goes when its replacement votes, and not before, as it may come back. One
/// server at a time, and then everything is looked at again.
/// Pure: no clock, no I/O.
/// </remarks>
internal sealed class Autopilot(TimeSpan beat)
{
    // Gossip may not have told a new leader of everybody yet.
    private static readonly TimeSpan UnknownPatience = TimeSpan.FromMinutes(1);

    // Answers that are lost now and then say nothing.
    private static readonly TimeSpan ReportLasts = TimeSpan.FromSeconds(3);

    private readonly Dictionary<ulong, ServerTrack> _tracks = [];

    /// <summary>How all are.</summary>
    public ClusterHealth Health { get; private set; } = ClusterHealth.Unknown;

    /// <summary>Judges what is seen.</summary>
    /// <param name="now">The time.</param>
    /// <param name="seen">All members of etcd.</param>
    /// <param name="leader">The term and the index of the leader before anybody was asked.</param>
    /// <param name="rules">The configuration.</param>
    /// <returns>What is to be done. Null: nothing.</returns>
    public CareDeed? Look(
        DateTimeOffset now, IReadOnlyList<ServerSight> seen, (ulong Term, ulong Index) leader,
        AutopilotConfiguration rules)
    {
        foreach (var gone in _tracks.Keys.Except(seen.Select(static s => s.MemberId)).ToList())
        {
            _tracks.Remove(gone);
        }

        foreach (var server in seen)
        {
            Track(now, server);
        }

        var known = seen.Where(static s => s.Id.Length > 0);
        Health = new ClusterHealth([.. known.Select(s => Judge(now, s, leader, rules))]);

        return Removal(now, seen, rules) ?? Promotion(now, seen, rules);
    }

    /// <summary>Whether those who remain without a server have a majority that answers.</summary>
    public static bool HoldsWithout(ulong memberId, IReadOnlyList<ServerSight> seen)
    {
        var voters = seen.Where(s => s.IsVoter && s.MemberId != memberId).ToList();
        return voters.Count > 0 && voters.Count(IsThere) >= ClusterHealth.Quorum(voters.Count);
    }

    private static bool IsThere(ServerSight server) => server.IsSelf
        || server is { Status: MemberStatus.Alive, Report: not null };

    private ServerHealth Judge(
        DateTimeOffset now, ServerSight server, (ulong Term, ulong Index) leader, AutopilotConfiguration rules)
    {
        var track = _tracks[server.MemberId];
        var report = now - track.ReportedAt < ReportLasts ? track.Report : null;
        var contact = server.IsSelf ? TimeSpan.Zero : Contact(now, track);

        // Whether one without a vote has caught up, etcd knows.
        var isHealthy = server.IsSelf || (server.Status == MemberStatus.Alive && report is not null
            && (!server.IsVoter || Keeps(report, contact, leader, rules)));
        if (isHealthy != track.IsHealthy || track.StableSince == default)
        {
            (track.IsHealthy, track.StableSince) = (isHealthy, now);
        }

        return new ServerHealth
        {
            Id = server.Id,
            Name = server.Name,
            Address = server.Address,
            Status = server.Status,
            Version = server.Version,
            IsLeader = server.IsSelf,
            IsVoter = server.IsVoter,
            LastContact = contact,
            LastTerm = server.IsSelf ? leader.Term : track.Report?.Term ?? 0,
            LastIndex = server.IsSelf ? leader.Index : track.Report?.Index ?? 0,
            IsHealthy = isHealthy,
            StableSince = track.StableSince,
        };
    }

    // The leader gives a sign every beat, so that much silence says nothing.
    private TimeSpan Contact(DateTimeOffset now, ServerTrack track)
    {
        var silence = (track.Report?.Silence ?? TimeSpan.Zero) - beat;
        var age = now - track.ReportedAt;
        return (silence > TimeSpan.Zero ? silence : TimeSpan.Zero)
            + (track.Report is null || age < ReportLasts ? TimeSpan.Zero : age);
    }

    private static bool Keeps(
        ServerReport report, TimeSpan contact, (ulong Term, ulong Index) leader, AutopilotConfiguration rules) =>
        report.HasState && report.Term == leader.Term && contact <= rules.LastContactThreshold
        && report.Index + rules.MaxTrailingLogs >= leader.Index;

    private CareDeed? Promotion(
        DateTimeOffset now, IReadOnlyList<ServerSight> seen, AutopilotConfiguration rules) => seen
        .Where(s => s is { IsVoter: false, Id.Length: > 0 } && _tracks[s.MemberId] is { IsHealthy: true } track
            && now - track.StableSince >= rules.ServerStabilizationTime)
        .Select(static s => new CareDeed(s.MemberId, s.Name, CareKind.Promote))
        .FirstOrDefault();

    private CareDeed? Removal(DateTimeOffset now, IReadOnlyList<ServerSight> seen, AutopilotConfiguration rules)
    {
        var left = seen.FirstOrDefault(s => !s.IsSelf && s.Status == MemberStatus.Left && MayGo(s, seen));
        if (left is not null)
        {
            return new CareDeed(left.MemberId, left.Name, CareKind.RemoveLeft);
        }

        var failed = seen.Where(s => !s.IsSelf && IsDead(now, s, rules)).ToList();
        var voters = seen.Count(static s => s.IsVoter);
        var dead = failed.Count(static s => s.IsVoter);
        var mayClean = rules.CleanupDeadServers && dead < voters / 2 && (ulong)(voters - dead) >= rules.MinQuorum;

        // One whose etcd never ran has no vote and keeps others from coming: it goes in any case.
        var gone = failed.FirstOrDefault(s => s.IsVoter ? mayClean && MayGo(s, seen)
            : rules.CleanupDeadServers || s.Id.Length == 0);
        return gone is null ? null : new CareDeed(gone.MemberId, gone.Name, CareKind.RemoveFailed);
    }

    private static bool MayGo(ServerSight server, IReadOnlyList<ServerSight> seen) =>
        !server.IsVoter || HoldsWithout(server.MemberId, seen);

    private bool IsDead(DateTimeOffset now, ServerSight server, AutopilotConfiguration rules) => server.Status switch
    {
        MemberStatus.Failed => now - _tracks[server.MemberId].AwaySince >= rules.ServerStabilizationTime,
        MemberStatus.None => now - _tracks[server.MemberId].AwaySince
            >= (rules.ServerStabilizationTime > UnknownPatience ? rules.ServerStabilizationTime : UnknownPatience),
        _ => false,
    };

    private void Track(DateTimeOffset now, ServerSight server)
    {
        if (!_tracks.TryGetValue(server.MemberId, out var track))
        {
            _tracks[server.MemberId] = track = new ServerTrack { ReportedAt = DateTimeOffset.MinValue };
        }

        track.AwaySince = server.Status is MemberStatus.Failed or MemberStatus.None ? track.AwaySince ?? now : null;
        if (server.Report is { } fresh)
        {
            (track.Report, track.ReportedAt) = (fresh, now);
        }
    }

    private sealed class ServerTrack
    {
        public bool IsHealthy { get; set; }

        public DateTimeOffset StableSince { get; set; }

        public DateTimeOffset? AwaySince { get; set; }

        public ServerReport? Report { get; set; }

        public DateTimeOffset ReportedAt { get; set; }
    }
}
