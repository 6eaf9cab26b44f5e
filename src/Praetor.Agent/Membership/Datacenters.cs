using Gossip.Coordinates;
using Praetor.Server.Coordinates;

namespace Praetor.Agent.Membership;

/// <summary>The datacenters that the WAN's members belong to, the nearest first.</summary>
/// <param name="own">This agent's.</param>
/// <param name="membership">Who is there.</param>
/// <param name="coordinates">How far away.</param>
/// <param name="known">Datacenters that are known otherwise. Null: none.</param>
internal sealed class Datacenters(
    string own, IMembership membership, INetworkCoordinates coordinates, Func<IReadOnlyList<string>>? known = null)
{
    private const string DatacenterTag = "dc";

    /// <summary>Their names; this agent's own is always among them, and first.</summary>
    /// <remarks>As far as the middle one of its servers: one that is slow moves nothing.</remarks>
    public IReadOnlyList<string> Names()
    {
        var from = coordinates.Own(wan: true);
        string[] names =
        [
            own,
            .. ByDatacenter()
                .Where(group => group.Key != own)
                .OrderBy(group => Median(group.Select(m => SecondsTo(from, m)).Order().ToList()))
                .ThenBy(static group => group.Key, StringComparer.Ordinal)
                .Select(static group => group.Key),
        ];
        return [.. names, .. (known?.Invoke() ?? []).Except(names, StringComparer.OrdinalIgnoreCase)];
    }

    /// <summary>Whether a datacenter is known, be it that none of its servers lives.</summary>
    public bool Has(string datacenter) => membership.Members(wan: true).Any(member =>
        member.Status is not MemberStatus.Left
        && datacenter.Equals(member.Tags.GetValueOrDefault(DatacenterTag), StringComparison.OrdinalIgnoreCase));

    /// <summary>The servers of each datacenter with their places; those that told none are left out.</summary>
    public IReadOnlyList<(string Datacenter, IReadOnlyList<(string Node, Coordinate Where)> Servers)> Places() =>
    [
        .. ByDatacenter()
            .OrderBy(static group => group.Key, StringComparer.Ordinal)
            .Select(group => (group.Key, PlacesOf(group.Key, group))),
    ];

    private IReadOnlyList<(string Node, Coordinate Where)> PlacesOf(string datacenter, IEnumerable<AgentMember> servers)
    {
        var suffix = "." + datacenter;
        var places = new List<(string Node, Coordinate Where)>();
        foreach (var server in servers.OrderBy(static m => m.Name, StringComparer.Ordinal))
        {
            if (coordinates.Of(server.Name, wan: true) is { } where)
            {
                var isFull = server.Name.EndsWith(suffix, StringComparison.Ordinal);
                places.Add((isFull ? server.Name[..^suffix.Length] : server.Name, where));
            }
        }

        return places;
    }

    private IEnumerable<IGrouping<string, AgentMember>> ByDatacenter() => membership.Members(wan: true)
        .Where(static m => m.Status is not MemberStatus.Left && m.Tags.ContainsKey(DatacenterTag))
        .GroupBy(static m => m.Tags[DatacenterTag], StringComparer.Ordinal);

    private double SecondsTo(Coordinate from, AgentMember member) =>
        coordinates.Of(member.Name, wan: true) is { } to ? from.SecondsTo(to) : double.PositiveInfinity;

    private static double Median(List<double> sorted) => sorted[sorted.Count / 2];
}
