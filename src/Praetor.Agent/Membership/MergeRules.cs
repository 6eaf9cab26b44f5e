using Gossip.Serf;

namespace Praetor.Agent.Membership;

/// <summary>Whose pools may become one with this agent's; the texts are Consul's.</summary>
internal static class MergeRules
{
    /// <summary>Why members do not belong to this datacenter. Null: they do.</summary>
    /// <param name="members">The other pool.</param>
    /// <param name="datacenter">This agent's.</param>
    /// <param name="name">This agent's.</param>
    /// <param name="id">This agent's node id.</param>
    public static string? RefuseLan(
        IReadOnlyList<SerfMember> members, string datacenter, string name, string id)
    {
        foreach (var member in members)
        {
            if (member.Status is SerfStatus.Left or SerfStatus.Failed)
            {
                continue;
            }

            if (!member.Tags.TryGetValue("role", out var role) || role is not ("consul" or "node"))
            {
                return $"Member '{member.Name}' is not a Consul agent";
            }

            var theirs = member.Tags.GetValueOrDefault("dc", "");
            if (!theirs.Equals(datacenter, StringComparison.OrdinalIgnoreCase))
            {
                return $"Member '{member.Name}' part of wrong datacenter '{theirs}'";
            }

            if (member.Name != name && id.Length > 0 && member.Tags.GetValueOrDefault("id", "") == id)
            {
                return $"Member '{member.Name}' has conflicting node ID '{id}' with this agent's ID";
            }
        }

        return null;
    }

    /// <summary>Why members do not belong among servers. Null: they do.</summary>
    public static string? RefuseWan(IReadOnlyList<SerfMember> members)
    {
        foreach (var member in members)
        {
            if (member.Status is not (SerfStatus.Left or SerfStatus.Failed)
                && member.Tags.GetValueOrDefault("role") != "consul")
            {
                return $"Member '{member.Name}' is not a server";
            }
        }

        return null;
    }
}
