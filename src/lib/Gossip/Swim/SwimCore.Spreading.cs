using System.Net;
using System.Runtime.InteropServices;
using Gossip.Wire;

namespace Gossip.Swim;

// News rides on probes and answers; what is queued is also sent to a few random members at each gossip interval. The
// interval's timer runs only while something is queued and somebody is there to hear it, so a quiet pool costs its
// probes and nothing else, and a member that is alone keeps its news for who comes.
public sealed partial class SwimCore
{
    /// <summary>Type and count of a compound message.</summary>
    private const int CompoundBytes = 2;

    /// <summary>The length of each message within it.</summary>
    private const int PartBytes = 2;

    private TimeSpan _gossipPhase;

    private bool HasNews => _broadcasts.Count > 0 || _upper.HasBroadcasts;

    private void Broadcast(string member, SwimMessage message, Action? finished = null) =>
        _broadcasts.Enqueue(member, message, _transport.EncodedSize(message), finished);

    private void ArmGossip(TimeSpan now)
    {
        if (_gossipTick.Index >= 0 || !HasNews || !AnyoneWantsGossip(now))
        {
            return;
        }
        var since = (now - _gossipPhase).Ticks;
        var interval = _config.GossipInterval.Ticks;
        var beats = since < 0 ? 0 : (since / interval) + 1;
        _deadlines.Set(_gossipTick, _gossipPhase + TimeSpan.FromTicks(beats * interval));
    }

    private void Gossip(TimeSpan now)
    {
        var chosen = new Member[_config.GossipNodes];
        var count = _members.Choose(chosen, member => WantsGossip(member, now));
        foreach (var member in chosen.AsSpan(0, count))
        {
            _packet.Clear();
            AddNews(_transport.PacketBytesMax - CompoundBytes);
            if (_packet.Count == 0)
            {
                return;
            }
            _transport.SendPacket(member.Address, CollectionsMarshal.AsSpan(_packet));
        }
    }

    private bool AnyoneWantsGossip(TimeSpan now)
    {
        foreach (var member in _members.All)
        {
            if (WantsGossip(member, now))
            {
                return true;
            }
        }
        return false;
    }

    private bool WantsGossip(Member member, TimeSpan now) => member.State switch
    {
        MemberState.Alive or MemberState.Suspect => member.Name != Name,
        // Somebody declared dead by mistake must hear of it.
        MemberState.Dead => now - member.ChangedAt <= _config.GossipToTheDeadTime,
        _ => false,
    };

    /// <summary>Sends a message, and on the same packet what news has room.</summary>
    private void Send(IPEndPoint to, SwimMessage message, SwimMessage? second = null)
    {
        _packet.Clear();
        _packet.Add(message);
        if (second is not null)
        {
            _packet.Add(second);
        }
        if (HasNews)
        {
            var used = CompoundBytes;
            foreach (var part in _packet)
            {
                used += PartBytes + _transport.EncodedSize(part);
            }
            AddNews(_transport.PacketBytesMax - used);
        }
        _transport.SendPacket(to, CollectionsMarshal.AsSpan(_packet));
    }

    private void AddNews(int bytesMax)
    {
        var left = bytesMax - _broadcasts.Collect(PartBytes, bytesMax, _packet);
        if (left > PartBytes && _packet.Count < SwimLimits.PacketMessagesMax && _upper.HasBroadcasts)
        {
            _upper.CollectBroadcasts(PartBytes, left, _packet);
        }
    }
}
