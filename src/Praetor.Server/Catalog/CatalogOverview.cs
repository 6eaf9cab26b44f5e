using Praetor.Server.State;

namespace Praetor.Server.Catalog;

/// <summary>How many of some things there are, and how many have which health.</summary>
/// <param name="Name">What they are called. Empty: they are of all names.</param>
/// <param name="Total">All of them.</param>
/// <param name="Health">Each by its worst check.</param>
public sealed record HealthCount(string Name, int Total, CheckTally Health);

/// <summary>The catalog in numbers.</summary>
/// <param name="Nodes">All nodes, by their own checks.</param>
/// <param name="Services">The instances of each service, by their own checks.</param>
/// <param name="Checks">All checks of each name.</param>
public sealed record CatalogOverview(
    HealthCount Nodes, IReadOnlyList<HealthCount> Services, IReadOnlyList<HealthCount> Checks)
{
    /// <summary>Counts.</summary>
    public static CatalogOverview Of(ReadView view)
    {
        var nodes = default(CheckTally);
        var services = new SortedDictionary<string, (int Total, CheckTally Health)>(StringComparer.Ordinal);
        var checks = new SortedDictionary<string, (int Total, CheckTally Health)>(StringComparer.Ordinal);
        var count = 0;
        foreach (var node in NodeInfo.All(view))
        {
            count++;
            var own = node.Checks.ToLookup(static c => c.ServiceId, StringComparer.OrdinalIgnoreCase);
            nodes = nodes.With(CheckTally.Of(own[""]).Worst);
            foreach (var service in node.Services)
            {
                Count(services, service.Name, CheckTally.Of(own[service.Id]).Worst);
            }

            foreach (var check in node.Checks)
            {
                Count(checks, check.Name, check.Status);
            }
        }

        return new CatalogOverview(new HealthCount("", count, nodes), Counts(services), Counts(checks));
    }

    private static void Count(
        SortedDictionary<string, (int Total, CheckTally Health)> counts, string name, string status)
    {
        var (total, health) = counts.GetValueOrDefault(name);
        counts[name] = (total + 1, health.With(status));
    }

    private static List<HealthCount> Counts(SortedDictionary<string, (int Total, CheckTally Health)> counts) =>
        [.. counts.Select(static pair => new HealthCount(pair.Key, pair.Value.Total, pair.Value.Health))];
}
