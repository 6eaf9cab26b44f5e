using Praetor.Server.Intentions;
using Praetor.Server.State;

namespace Praetor.Agent.Connect;

/// <summary>What an agent decides about mesh connections by.</summary>
/// <param name="TrustDomain">The trust domain of all identities. Null: there is no authority yet.</param>
/// <param name="Intentions">All intentions.</param>
internal sealed record MeshView(string? TrustDomain, IntentionBook Intentions);

/// <summary>The mesh as an agent sees it: in its own state when it is a server, else as servers told it.</summary>
internal interface IMeshView
{
    /// <summary>What holds now, or why it is not known.</summary>
    ValueTask<Outcome<MeshView>> ReadAsync(CancellationToken stop);
}
