using System.Collections.Immutable;
using Praetor.Agent.Checks;
using Praetor.Server.Model;

namespace Praetor.Agent.Local;

/// <summary>Who registered something with the agent; it decides what a reload and a restart keep.</summary>
public enum LocalOrigin
{
    /// <summary>A configuration file: gone when it is gone from the files.</summary>
    ConfigFile = 0,

    /// <summary>A client: stays until a client takes it back.</summary>
    Api = 1,
}

/// <summary>A service of this agent.</summary>
public sealed record LocalService
{
    /// <summary>As it stands in the catalog.</summary>
    public required ServiceRecord Record { get; init; }

    /// <summary>The token with which it is registered. Empty: the agent's default. Never shown or logged.</summary>
    public string Token { get; init; } = "";

    public LocalOrigin Origin { get; init; }

    /// <summary>The service that this sidecar was made for, and goes with. Empty: it stands by itself.</summary>
    public string SidecarOf { get; init; } = "";

    /// <summary>Whether the agent runs this sidecar itself.</summary>
    public bool IsManaged { get; init; }

    /// <summary>Whether the agent's makes room for a proxy that is started outside. Of managed ones only.</summary>
    public bool GivesWay { get; init; }
}

/// <summary>A check of this agent.</summary>
public sealed record LocalCheck
{
    /// <summary>As it stands in the catalog.</summary>
    public required CheckRecord Record { get; init; }

    /// <summary>What is run. Null: nothing is; the check stands for a maintenance mode.</summary>
    public CheckSpec? Spec { get; init; }

    /// <summary>The token with which it is registered. Empty: the agent's default. Never shown or logged.</summary>
    public string Token { get; init; } = "";

    public LocalOrigin Origin { get; init; }
}

/// <summary>All that runs on this agent at one moment. Immutable: a reader keeps it for as long as it likes.</summary>
public sealed record LocalSnapshot
{
    private static readonly ImmutableSortedSet<string> NoIds =
        ImmutableSortedSet.Create<string>(StringComparer.Ordinal);

    public static LocalSnapshot Empty { get; } = new();

    public ImmutableSortedDictionary<string, LocalService> Services { get; init; } =
        ImmutableSortedDictionary.Create<string, LocalService>(StringComparer.Ordinal);

    public ImmutableSortedDictionary<string, LocalCheck> Checks { get; init; } =
        ImmutableSortedDictionary.Create<string, LocalCheck>(StringComparer.Ordinal);

    internal ImmutableDictionary<string, ImmutableSortedSet<string>> CheckIds { get; init; } =
        ImmutableDictionary.Create<string, ImmutableSortedSet<string>>(StringComparer.Ordinal);

    /// <summary>The checks of a service by their ids; of the node for an empty id.</summary>
    public IEnumerable<LocalCheck> ChecksOf(string serviceId) =>
        CheckIds.GetValueOrDefault(serviceId, NoIds).Select(id => Checks[id]);

    /// <summary>The node's checks, then those of the service.</summary>
    public IEnumerable<LocalCheck> ChecksFor(string serviceId) =>
        serviceId.Length == 0 ? ChecksOf("") : ChecksOf("").Concat(ChecksOf(serviceId));
}

/// <summary>What an edit changed, by ids.</summary>
/// <param name="Services">Services that came, went or are different.</param>
/// <param name="Checks">Checks that came, went or are different.</param>
/// <param name="Outputs">Checks of which only the output is different.</param>
/// <param name="HealthOf">Services that look different by their checks; an empty id: the node, and so all.</param>
public sealed record LocalChange(
    IReadOnlySet<string> Services,
    IReadOnlySet<string> Checks,
    IReadOnlySet<string> Outputs,
    IReadOnlySet<string> HealthOf);
