using Praetor.Proxy.Balancing;
using Praetor.Proxy.Net;

namespace Praetor.Proxy.Plane;

/// <summary>Idle mutual TLS connections to other proxies of ours, in one loop, for one upstream.</summary>
internal sealed class KeptWires(EventLoop loop)
{
    private readonly Dictionary<Instance, List<Kept>> _idle = [];

    /// <summary>Keeps a wire whose carried connection has ended; false when it must be closed.</summary>
    public bool Keep(Wire wire, Instance instance, EpollIdentity identity, long expiry)
    {
        if (wire.IsClosed || wire.IsPeerDone || !wire.IsWritable)
        {
            return false;
        }

        if (!_idle.TryGetValue(instance, out var list))
        {
            _idle[instance] = list = [];
        }

        if (list.Count >= Limits.KeptPerTarget)
        {
            return false;
        }

        var kept = new Kept(this, wire, instance, identity, expiry);
        wire.Owner = kept;
        list.Add(kept);
        loop.Due(kept, Limits.KeptIdle);
        return true;
    }

    /// <summary>Takes the youngest idle wire to an instance that was made with this identity.</summary>
    public bool Take(Instance instance, EpollIdentity identity, IWireOwner owner, out Wire? wire, out long expiry)
    {
        wire = null;
        expiry = 0;
        if (!_idle.TryGetValue(instance, out var list))
        {
            return false;
        }

        while (list.Count > 0)
        {
            var kept = list[^1];
            Forget(kept);
            if (kept.Identity == identity && kept.Expiry > loop.Now && !kept.Wire.IsPeerDone)
            {
                wire = kept.Wire;
                wire.Owner = owner;
                expiry = kept.Expiry;
                return true;
            }

            kept.Wire.Close();
        }

        return false;
    }

    /// <summary>Closes the wires that were not made with this identity; all of them for null.</summary>
    public void Retire(EpollIdentity? current)
    {
        foreach (var kept in _idle.Values.SelectMany(static list => list).Where(k => k.Identity != current).ToList())
        {
            Drop(kept);
        }
    }

    private void Drop(Kept kept)
    {
        Forget(kept);
        kept.Wire.EndWrite();
        kept.Wire.Close();
    }

    private void Forget(Kept kept)
    {
        loop.NotDue(kept);
        var list = _idle[kept.Instance];
        list.Remove(kept);
        if (list.Count == 0)
        {
            _idle.Remove(kept.Instance);
        }
    }

    private sealed class Kept(KeptWires home, Wire wire, Instance instance, EpollIdentity identity, long expiry)
        : IWireOwner, ITimed, IBreakable
    {
        public Wire Wire => wire;

        public Instance Instance => instance;

        public EpollIdentity Identity => identity;

        public long Expiry => expiry;

        public long Deadline { get; set; }

        public int DeadlineSlot { get; set; } = -1;

        // The other end closed, or sent what nobody asked for. A change of writability alone means nothing.
        public void OnWire(Wire changed)
        {
            if (changed.IsPeerDone)
            {
                home.Drop(this);
            }
        }

        public void OnDeadline() => home.Drop(this);

        public void Break() => home.Drop(this);
    }
}
