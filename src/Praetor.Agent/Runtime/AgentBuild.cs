namespace Praetor.Agent.Runtime;

/// <summary>What the executable knows of itself.</summary>
/// <param name="Version">The product's own version.</param>
/// <param name="Revision">The commit it was built from.</param>
/// <param name="BuildDate">When, as RFC 3339.</param>
public sealed record AgentBuild(string Version, string Revision, string BuildDate)
{
    /// <summary>The name that it was called by, and by which it calls itself in the system's log.</summary>
    public string Program { get; init; } = "praetor";
}
