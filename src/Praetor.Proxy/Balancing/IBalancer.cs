namespace Praetor.Proxy.Balancing;

/// <summary>Chooses among instances. One file per policy; <see cref="Balancers"/> names them.</summary>
internal interface IBalancer
{
    /// <summary>Chooses one of at least one candidates.</summary>
    Instance Pick(IReadOnlyList<Instance> candidates, Random random);
}

/// <summary>The balancing policies by the name they have in an upstream's <c>balancer</c> setting.</summary>
internal static class Balancers
{
    private static readonly Dictionary<string, IBalancer> Named = new(StringComparer.OrdinalIgnoreCase)
    {
        [LeastConnections.Name] = new LeastConnections(),
        [RandomTwo.Name] = new RandomTwo(),
    };

    /// <summary>The policy where none is named.</summary>
    public static IBalancer Default => Named[LeastConnections.Name];

    /// <summary>The policy of a name; null when there is none.</summary>
    public static IBalancer? Find(string name) => Named.GetValueOrDefault(name);
}
