namespace Praetor.Proxy.Balancing;

/// <summary>The healthy instances of an upstream, and the choice among them.</summary>
/// <remarks>One writer replaces the list, loops read it. An instance that stays keeps its object and so its
/// counts.</remarks>
internal sealed class InstanceSet(TimeProvider time)
{
    private volatile IReadOnlyList<Instance>? _all;
    private volatile IBalancer _balancer = Balancers.Default;

    /// <summary>Whether the agent has said which instances there are, be it none.</summary>
    public bool IsKnown => _all is not null;

    /// <summary>How many there are.</summary>
    public int Count => _all?.Count ?? 0;

    /// <summary>The policy of choice.</summary>
    public IBalancer Balancer { get => _balancer; set => _balancer = value; }

    /// <summary>Replaces the instances.</summary>
    public void Update(IEnumerable<Instance> instances)
    {
        var old = _all ?? [];
        _all = [.. instances.Select(next => old.FirstOrDefault(next.IsSameAs) ?? next)];
    }

    /// <summary>Chooses an instance that was not tried, preferring those that did not fail lately; null: none is
    /// left.</summary>
    public Instance? Pick(Random random, IReadOnlyCollection<Instance> tried)
    {
        var all = _all ?? [];
        if (all.Count == 0)
        {
            return null;
        }

        var pause = (long)(Limits.FailedInstancePause.TotalSeconds * time.TimestampFrequency);
        var moment = time.GetTimestamp() - pause;
        if (tried.Count == 0 && !AnyFailed(all, moment))
        {
            return _balancer.Pick(all, random);
        }

        var left = all.Where(i => !tried.Contains(i)).ToList();
        var good = left.Where(i => !i.HasFailedSince(moment)).ToList();
        if (good.Count > 0)
        {
            return _balancer.Pick(good, random);
        }

        return left.Count > 0 ? _balancer.Pick(left, random) : null;
    }

    private static bool AnyFailed(IReadOnlyList<Instance> all, long moment)
    {
        foreach (var instance in all)
        {
            if (instance.HasFailedSince(moment))
            {
                return true;
            }
        }

        return false;
    }
}
