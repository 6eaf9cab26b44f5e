namespace Praetor.Proxy.Balancing;

/// <summary>The less loaded of two chosen by chance: nearly as even as <see cref="LeastConnections"/>, at any
/// size.</summary>
internal sealed class RandomTwo : IBalancer
{
    /// <summary>The policy's name.</summary>
    public const string Name = "random_two";

    /// <inheritdoc/>
    public Instance Pick(IReadOnlyList<Instance> candidates, Random random)
    {
        var one = candidates[random.Next(candidates.Count)];
        var other = candidates[random.Next(candidates.Count)];
        return other.Active < one.Active ? other : one;
    }
}
