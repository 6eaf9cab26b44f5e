using System.Globalization;
using System.Runtime.InteropServices;
using Praetor.Agent.Checks;
using Praetor.Agent.Local;
using Praetor.Agent.Membership;
using Praetor.Server.State;

namespace Praetor.Agent.Http.Endpoints;

/// <summary>The groups of texts under Stats in /v1/agent/self, which <c>info</c> prints.</summary>
internal static class AgentStats
{
    /// <summary>What every agent knows.</summary>
    public static IDictionary<string, IReadOnlyDictionary<string, string>> Of(LocalSnapshot now, AgentFacts facts) =>
        new Dictionary<string, IReadOnlyDictionary<string, string>>(StringComparer.Ordinal)
        {
            ["agent"] = Group(
                ("check_monitors", Text(now.Checks.Values.Count(static c => c.Spec?.Kind == CheckKind.Script))),
                ("check_ttls", Text(now.Checks.Values.Count(static c => c.Spec?.Kind == CheckKind.Ttl))),
                ("checks", Text(now.Checks.Count)),
                ("services", Text(now.Services.Count))),
            ["build"] = Group(
                ("prerelease", ""),
                ("revision", facts.Revision),
                ("version", NodeIdentity.CompatibleVersion),
                ("version_metadata", "")),
            ["consul"] = facts.Node.IsServer
                ? Group(
                    ("acl", facts.HasAcls ? "enabled" : "disabled"),
                    ("bootstrap", "false"),
                    ("known_datacenters", Text(facts.KnownDatacenters())),
                    ("leader", "true"),
                    ("leader_addr", $"{facts.Node.Address}:{Text(facts.Node.ServerPort)}"),
                    ("server", "true"))
                : Group(
                    ("acl", facts.HasAcls ? "enabled" : "disabled"),
                    ("known_servers", Text(facts.KnownServers())),
                    ("server", "false")),
            ["runtime"] = Group(
                ("arch", Architecture()),
                ("cpu_count", Text(Environment.ProcessorCount)),
                ("goroutines", Text(ThreadPool.ThreadCount)),
                ("max_procs", Text(Environment.ProcessorCount)),
                ("os", OperatingSystem.IsLinux() ? "linux" : OperatingSystem.IsWindows() ? "windows" : "other"),
                ("version", RuntimeInformation.FrameworkDescription)),
        };

    /// <summary>What a server that leads by itself knows of its state, in the words for a cluster.</summary>
    public static IReadOnlyDictionary<string, IReadOnlyDictionary<string, string>> OfState(
        StateStore store, NodeIdentity node)
    {
        var index = store.Current.Index.ToString(CultureInfo.InvariantCulture);
        var configuration = $"[{{Suffrage:Voter ID:{node.Id} Address:{node.Address}:{Text(node.ServerPort)}}}]";
        return new Dictionary<string, IReadOnlyDictionary<string, string>>(StringComparer.Ordinal)
        {
            ["raft"] = Group(
                ("applied_index", index),
                ("commit_index", index),
                ("fsm_pending", "0"),
                ("last_contact", "0"),
                ("last_log_index", index),
                ("latest_configuration", configuration),
                ("num_peers", "0"),
                ("protocol_version", "3"),
                ("state", "Leader")),
        };
    }

    /// <summary>What is known of a pool; nothing of one that the agent is not in.</summary>
    public static IReadOnlyDictionary<string, string>? OfPool(IMembership membership, bool wan)
    {
        if (membership.Figures(wan) is not { } figures)
        {
            return null;
        }

        var members = membership.Members(wan);
        return Group(
            ("coordinate_resets", Text(figures.CoordinateResets)),
            ("encrypted", membership.IsEncrypted(wan) ? "true" : "false"),
            ("event_queue", Text(figures.Queued.Events)),
            ("event_time", Text(figures.Clocks.Events)),
            ("failed", Text(members.Count(static member => member.Status == MemberStatus.Failed))),
            ("health_score", Text(figures.HealthScore)),
            ("intent_queue", Text(figures.Queued.Intents)),
            ("left", Text(members.Count(static member => member.Status == MemberStatus.Left))),
            ("member_time", Text(figures.Clocks.Members)),
            ("members", Text(members.Count)),
            ("query_queue", Text(figures.Queued.Queries)),
            ("query_time", Text(figures.Clocks.Queries)));
    }

    // As Go calls them.
    private static string Architecture() => RuntimeInformation.ProcessArchitecture switch
    {
        System.Runtime.InteropServices.Architecture.X64 => "amd64",
        System.Runtime.InteropServices.Architecture.X86 => "386",
        var other => other.ToString().ToLowerInvariant(),
    };

    private static Dictionary<string, string> Group(params ReadOnlySpan<(string Key, string Value)> pairs)
    {
        var group = new Dictionary<string, string>(StringComparer.Ordinal);
        foreach (var (key, value) in pairs)
        {
            group[key] = value;
        }

        return group;
    }

    private static string Text(ulong number) => number.ToString(CultureInfo.InvariantCulture);

    private static string Text(int number) => number.ToString(CultureInfo.InvariantCulture);
}
