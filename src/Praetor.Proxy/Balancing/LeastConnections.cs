namespace Praetor.Proxy.Balancing;

/// <summary>The instance with the fewest connections of this proxy; chance decides among equals.</summary>
internal sealed class LeastConnections : IBalancer
{
    /// <summary>The policy's name.</summary>
    public const string Name = "least_connections";

    /// <inheritdoc/>
    public Instance Pick(IReadOnlyList<Instance> candidates, Random random)
    {
        // Starting anywhere keeps many proxies with no connections from all choosing the first instance.
        var start = random.Next(candidates.Count);
        var best = candidates[start];
        for (var i = 1; i < candidates.Count && best.Active > 0; i++)
        {
            var next = candidates[(start + i) % candidates.Count];
            if (next.Active < best.Active)
            {
                best = next;
            }
        }

        return best;
    }
}
