using System.Net;
using Gossip.Wire;

namespace Gossip.Swim;

// Two halves of a pool that were cut apart declare each other dead, and after that nobody sends anything across:
// healed,
// the network would stay divided. So members that failed are pinged now and then, one at a time; if one answers,
// everything known is exchanged with it. Each half then hears that it is suspected, refutes, and gossip does the rest.
public sealed partial class SwimCore
{
    private readonly List<LostMember> _lost = [];
    private Reconnect? _reconnect;

    private void Lose(Member member)
    {
        if (_lost.Count >= SwimLimits.LostMembersMax)
        {
            _lost.RemoveAt(_random.Next(_lost.Count));
        }
        _lost.Add(new LostMember(member.Name, member.Address, member.ChangedAt));
    }

    private void FindAgain(string name)
    {
        if (_lost.Count > 0)
        {
            _lost.RemoveAll(lost => lost.Name == name);
        }
    }

    private void ArmReconnect(TimeSpan now)
    {
        if (_lost.Count > 0 && _reconnectTick.Index < 0 && _config.ReconnectInterval > TimeSpan.Zero)
        {
            // Spread by chance: a cut is noticed by many at the same time.
            _deadlines.Set(_reconnectTick, now + (_config.ReconnectInterval * (0.5 + _random.NextDouble())));
        }
    }

    private void ReconnectTicked(TimeSpan now)
    {
        _lost.RemoveAll(lost => now - lost.Since > _config.ReconnectTimeout);
        if (_lost.Count == 0 || _reconnect is not null || _isLeaving)
        {
            return;
        }
        var lost = _lost[_random.Next(_lost.Count)];
        _reconnect = new Reconnect(++_sequence, lost.Address);
        _awaited[_reconnect.Sequence] = _reconnect;
        _deadlines.Set(_reconnect, now + _config.ProbeTimeout);
        Send(lost.Address, new Ping(_reconnect.Sequence, lost.Name, _config.Address, Name));
    }

    private void LostAnswered(Reconnect reconnect, TimeSpan now)
    {
        EndReconnect(reconnect);
        Begin(
            new StreamExchange(ExchangeKind.PushPull, reconnect.Address, LocalState(join: false), probe: null),
            _config.StreamTimeout,
            now);
    }

    private void EndReconnect(Reconnect reconnect)
    {
        _awaited.Remove(reconnect.Sequence);
        _deadlines.Remove(reconnect);
        _reconnect = null;
    }

    private readonly record struct LostMember(string Name, IPEndPoint Address, TimeSpan Since);

    /// <summary>A ping to a member that failed.</summary>
    private sealed class Reconnect(uint sequence, IPEndPoint address) : Deadline
    {
        public uint Sequence => sequence;

        public IPEndPoint Address => address;
    }
}
