using System.Net;
using Gossip.Wire;

namespace Gossip.Swim;

// What is believed of whom. A claim counts when its incarnation is higher than the known one, or the same and the claim
// worse. What changes a belief is passed on; what does not is dropped, and so gossip ends.
public sealed partial class SwimCore
{
    /// <summary>How often a suspect is asked for its last word, each a probe timeout apart.</summary>
    /// <remarks>With one packet of ten lost, each way, one ask of five stays without an answer: six of them leave one
    /// case in 20,000 of those few in which every packet with the refutation was lost before.</remarks>
    private const int LastAsks = 6;

    private readonly Dictionary<string, Suspicion> _suspicions = new(StringComparer.Ordinal);
    private readonly Dictionary<string, NameClaim> _nameClaims = new(StringComparer.Ordinal);
    private TimeSpan _refutedAt = TimeSpan.MinValue / 2;

    private void ClaimOwnLife(ReadOnlyMemory<byte> meta, TimeSpan now)
    {
        var claim = new Alive(++_incarnation, Name, _config.Address, meta, _config.Versions);
        var old = _members.Find(Name);
        Accept(claim, old, now);
        Broadcast(Name, claim);
    }

    private void BelieveAlive(Alive claim, TimeSpan now)
    {
        if (claim.Address.Port == 0)
        {
            // Members of protocol 1 do not say their port: all had the same.
            claim = claim with { Address = new IPEndPoint(claim.Address.Address, _config.Address.Port) };
        }
        var isSelf = claim.Node == Name;
        if ((isSelf && _isLeaving) || !IsPlausible(claim))
        {
            return;
        }
        if (_upper.RefuseAlive(claim) is { } reason)
        {
            _upper.Note(SwimNote.ClaimDropped, $"alive {claim.Node}: {reason}");
            return;
        }
        var known = _members.Find(claim.Node);
        var isMoved = known is not null && !known.Address.Equals(claim.Address);
        if (isMoved && !MayTakeName(known!, now))
        {
            RefuseName(known!, claim, now);
            return;
        }
        if (isSelf)
        {
            HearOfSelf(claim, now);
            return;
        }
        if (known is null || isMoved || claim.Incarnation > known.Incarnation)
        {
            EndSuspicion(claim.Node);
            Accept(claim, known, now);
            Broadcast(claim.Node, claim);
        }
    }

    /// <summary>
    /// Checks what any claim about a member must keep to, and whether there is room for another member.
    /// </summary>
    private bool IsPlausible(Alive claim)
    {
        var versions = claim.Versions;
        var address = claim.Address.Address;
        var problem = claim switch
        {
            { Node.Length: 0 or > SwimLimits.NameCharsMax } => "the name is empty or too long",
            { Meta.Length: > SwimLimits.MetaBytesMax } => "too much meta data",
            _ when versions.ProtocolMin == 0 || !IsUnderstood(versions) => $"it speaks other versions: {versions}",
            _ when address.Equals(IPAddress.Any) || address.Equals(IPAddress.IPv6Any) => "no address",
            _ when !IsPlausible(claim.Node, claim.Incarnation) => "the incarnation is far beyond the known one",
            _ when _members.Count >= SwimLimits.MembersMax && _members.Find(claim.Node) is null => "too many members",
            _ => null,
        };
        if (problem is not null)
        {
            _upper.Note(SwimNote.ClaimDropped, $"alive {claim.Node}: {problem}");
        }
        return problem is null;
    }

    private bool IsPlausible(string name, uint incarnation)
    {
        var known = _members.Find(name)?.Incarnation ?? 0;
        return incarnation <= SwimLimits.IncarnationFirstMax
            || (incarnation < uint.MaxValue && incarnation <= (ulong)known + SwimLimits.IncarnationJumpMax);
    }

    /// <summary>Whether both sides speak what the other understands; who does not could block every merge.</summary>
    private bool IsUnderstood(ProtocolVersions theirs)
    {
        var ours = _config.Versions;
        return theirs.ProtocolMin <= ours.ProtocolCurrent && ours.ProtocolCurrent <= theirs.ProtocolMax
            && ours.ProtocolMin <= theirs.ProtocolCurrent && theirs.ProtocolCurrent <= ours.ProtocolMax
            && theirs.DelegateMin <= ours.DelegateCurrent && ours.DelegateCurrent <= theirs.DelegateMax
            && ours.DelegateMin <= theirs.DelegateCurrent && theirs.DelegateCurrent <= ours.DelegateMax;
    }

    /// <summary>Takes a claim of life as the truth and tells the layer above what changed.</summary>
    private void Accept(Alive claim, Member? known, TimeSpan now)
    {
        var isBack = known is null || known.IsGone;
        var member = new Member(
            new PushNodeState(
                claim.Node, claim.Address, claim.Meta, claim.Incarnation, MemberState.Alive, claim.Versions),
            known is { State: MemberState.Alive } ? known.ChangedAt : now);
        if (known is null)
        {
            _members.Add(member);
        }
        else
        {
            _members.Replace(member);
        }
        _nameClaims.TryGetValue(claim.Node, out var waiting);
        if (waiting is not null && waiting.Claim.Address.Equals(claim.Address))
        {
            DropNameClaim(waiting);
        }
        FindAgain(claim.Node);
        if (isBack)
        {
            _upper.MemberJoined(member);
        }
        else if (!known!.Meta.Span.SequenceEqual(claim.Meta.Span))
        {
            _upper.MemberUpdated(member);
        }
    }

    /// <summary>Others speak of this member: what is not its own word is overruled.</summary>
    private void HearOfSelf(Alive claim, TimeSpan now)
    {
        var self = Self;
        if (claim.Incarnation < self.Incarnation)
        {
            return;
        }
        // The same number with other contents is from a life of this member before a restart.
        var isOwnWord = claim.Incarnation == self.Incarnation
            && claim.Meta.Span.SequenceEqual(self.Meta.Span) && claim.Versions == self.Versions;
        if (!isOwnWord)
        {
            Refute(claim.Incarnation, now);
        }
    }

    /// <summary>
    /// Somebody accuses this member of what it has refuted: that refutation was missed, so it is said again.
    /// </summary>
    private void RefuteAgain(string accused, TimeSpan now)
    {
        if (accused == Name && !_isLeaving && now - _refutedAt >= _config.GossipInterval)
        {
            _refutedAt = now;
            Broadcast(Name, Self.ToAlive());
        }
    }

    private void Refute(uint accused, TimeSpan now)
    {
        _refutedAt = now;
        // Peers keep the claim with the higher incarnation, so only a larger one can clear our name.
        _incarnation = Math.Max(_incarnation, accused) + 1;
        _awareness.Add(1);
        var self = Self.With(MemberState.Alive, _incarnation, Self.ChangedAt);
        _members.Replace(self);
        Broadcast(Name, self.ToAlive());
        _upper.Note(SwimNote.Refuted, Name);
    }

    private void BelieveSuspect(Suspect claim, TimeSpan now)
    {
        if (_members.Find(claim.Node) is not { } known || claim.From.Length > SwimLimits.NameCharsMax
            || !IsPlausible(claim.Node, claim.Incarnation))
        {
            return;
        }
        if (claim.Incarnation < known.Incarnation)
        {
            RefuteAgain(claim.Node, now);
            return;
        }
        if (_suspicions.TryGetValue(claim.Node, out var running) && claim.Incarnation > known.Incarnation)
        {
            // It has refuted what it was suspected of here, and only this member missed that: this is another
            // suspicion, and those who have it are no witnesses for the old one.
            EndSuspicion(claim.Node);
            Broadcast(claim.Node, claim);
            _members.Replace(known.With(MemberState.Suspect, claim.Incarnation, now));
            StartSuspicion(claim, now);
            return;
        }
        if (running is not null)
        {
            // Passed on only if it is another accuser, so that confirmations from several sides reach everybody.
            if (running.Confirm(claim.From))
            {
                _deadlines.Set(running, NextStep(running, now));
                Broadcast(claim.Node, claim);
            }
            return;
        }
        if (known.State != MemberState.Alive)
        {
            return;
        }
        if (claim.Node == Name)
        {
            Refute(claim.Incarnation, now);
            return;
        }
        Broadcast(claim.Node, claim);
        _members.Replace(known.With(MemberState.Suspect, claim.Incarnation, now));
        StartSuspicion(claim, now);
    }

    private void StartSuspicion(Suspect claim, TimeSpan now)
    {
        var shortest = SwimScale.SuspicionTimeout(_config.SuspicionMultiplier, _members.Count, _config.ProbeInterval);
        // Two probe intervals pass on average until others confirm; without enough others nobody can.
        var wanted = _config.SuspicionMultiplier - 2;
        wanted = _members.Count - 2 < wanted || !_config.Lifeguard ? 0 : wanted;
        var longest = shortest * _config.SuspicionMaxTimeoutMultiplier;
        var suspicion = new Suspicion(claim.Node, claim.From, wanted, shortest, longest, now);
        _suspicions[claim.Node] = suspicion;
        _deadlines.Set(suspicion, NextStep(suspicion, now));
    }

    /// <summary>When to ask the suspect next, or its end.</summary>
    private TimeSpan NextStep(Suspicion suspicion, TimeSpan now)
    {
        if (!_config.Lifeguard)
        {
            return suspicion.Ends;
        }
        var fitting = (int)Math.Ceiling((suspicion.Ends - now) / _config.ProbeTimeout) - 1;
        return suspicion.Ends - (Math.Clamp(fitting, 0, LastAsks - suspicion.Asks) * _config.ProbeTimeout);
    }

    /// <summary>
    /// Before its end a suspect is asked for its last word a few times: it may have refuted long since, and only this
    /// member missed it. That costs no time, since the end stays where it is.
    /// </summary>
    /// <remarks>
    /// A confirmation that comes late, such as this member's own probe getting lost a minute after a refutation that it
    /// missed, puts the end into the past. Then what is left of the asks follows within one probe timeout: a single one
    /// would get lost too often.
    /// </remarks>
    private void SuspicionDue(Suspicion suspicion, TimeSpan now)
    {
        var mayAsk = _config.Lifeguard && suspicion.Asks < LastAsks;
        if (now >= suspicion.Ends && !mayAsk)
        {
            SuspicionEnded(suspicion, now);
            return;
        }
        suspicion.Asks++;
        if (_members.Find(suspicion.Member) is { State: MemberState.Suspect } known)
        {
            PingSuspect(known, new Ping(++_sequence, known.Name, _config.Address, Name));
        }
        _deadlines.Set(
            suspicion,
            now >= suspicion.Ends ? now + (_config.ProbeTimeout / LastAsks) : NextStep(suspicion, now));
    }

    private void SuspicionEnded(Suspicion suspicion, TimeSpan now)
    {
        _suspicions.Remove(suspicion.Member);
        if (_members.Find(suspicion.Member) is { State: MemberState.Suspect } known)
        {
            _upper.Note(SwimNote.DeclaredDead, known.Name);
            BelieveDead(new Dead(known.Incarnation, known.Name, Name), now);
        }
    }

    private void EndSuspicion(string name)
    {
        if (_suspicions.Remove(name, out var suspicion))
        {
            _deadlines.Remove(suspicion);
        }
    }

    private void BelieveDead(Dead claim, TimeSpan now)
    {
        if (_members.Find(claim.Node) is not { } known || !IsPlausible(claim.Node, claim.Incarnation))
        {
            return;
        }
        if (claim.Incarnation < known.Incarnation)
        {
            RefuteAgain(claim.Node, now);
            return;
        }
        EndSuspicion(claim.Node);
        if (known.IsGone)
        {
            return;
        }
        if (claim.Node == Name && !_isLeaving)
        {
            Refute(claim.Incarnation, now);
            return;
        }
        Broadcast(claim.Node, claim, claim.Node == Name ? TellLeaveSpread : null);
        // Only the member itself can say that it left.
        var state = claim.Node == claim.From ? MemberState.Left : MemberState.Dead;
        var gone = known.With(state, claim.Incarnation, now);
        _members.Replace(gone);
        _upper.MemberGone(gone);
        if (state == MemberState.Dead)
        {
            Lose(gone);
        }
        if (_nameClaims.TryGetValue(claim.Node, out var waiting))
        {
            _deadlines.Set(waiting, state == MemberState.Left ? now : now + _config.DeadNodeReclaimTime);
        }
    }

    /// <summary>Whether a member's name may go to another address: it left, or has been dead for a while.</summary>
    private bool MayTakeName(Member known, TimeSpan now) => known.State switch
    {
        MemberState.Left => known.Name != Name,
        MemberState.Dead => known.Name != Name && now - known.ChangedAt >= _config.DeadNodeReclaimTime,
        _ => false,
    };

    /// <summary>Refuses a claim to a name that is taken, but keeps it: perhaps a machine was replaced.</summary>
    private void RefuseName(Member known, Alive claim, TimeSpan now)
    {
        if (known.State != MemberState.Dead)
        {
            _upper.NameConflict(known, claim);
        }
        if (known.Name == Name)
        {
            return;
        }
        _probeFirst = known.Name;
        var isWaiting = _nameClaims.TryGetValue(claim.Node, out var waiting);
        if ((isWaiting && waiting!.Claim.Incarnation > claim.Incarnation
                && waiting.Claim.Address.Equals(claim.Address))
            || (!isWaiting && _nameClaims.Count >= SwimLimits.NameClaimsMax))
        {
            return;
        }
        if (isWaiting)
        {
            _deadlines.Remove(waiting!);
        }
        var kept = new NameClaim(claim);
        _nameClaims[claim.Node] = kept;
        _deadlines.Set(kept, known.State == MemberState.Dead
            ? known.ChangedAt + _config.DeadNodeReclaimTime
            : now + _config.NameClaimTime);
    }

    private void NameClaimDue(NameClaim waiting, TimeSpan now)
    {
        _nameClaims.Remove(waiting.Claim.Node);
        if (_members.Find(waiting.Claim.Node) is { } known && MayTakeName(known, now))
        {
            BelieveAlive(waiting.Claim, now);
        }
    }

    private void DropNameClaim(NameClaim waiting)
    {
        _nameClaims.Remove(waiting.Claim.Node);
        _deadlines.Remove(waiting);
    }

    /// <summary>A claim to a name that another still holds.</summary>
    private sealed class NameClaim(Alive claim) : Deadline
    {
        public Alive Claim => claim;
    }
}
