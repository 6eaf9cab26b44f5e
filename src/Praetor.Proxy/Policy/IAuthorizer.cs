using Praetor.Proxy.Net;

namespace Praetor.Proxy.Policy;

/// <summary>What policy says of a source.</summary>
internal enum Verdict
{
    /// <summary>It may connect.</summary>
    Allow,

    /// <summary>It may not, or policy is not known.</summary>
    Deny,

    /// <summary>The agent must be asked.</summary>
    Ask,
}

/// <summary>Decides which sources may connect to one service.</summary>
internal interface IAuthorizer
{
    /// <summary>Decides at once, from what is known.</summary>
    Verdict Decide(Peer peer);

    /// <summary>Asks the agent; false when it says no or does not answer.</summary>
    Task<bool> AskAsync(Peer peer, CancellationToken stop);

    /// <summary>What decides that a source may not connect, for the log.</summary>
    string WhyNot(Peer peer);
}

/// <summary>Policy before anything is known: nobody may connect.</summary>
internal sealed class DenyAll : IAuthorizer
{
    /// <summary>The only one.</summary>
    public static readonly DenyAll Instance = new();

    private DenyAll()
    {
    }

    /// <inheritdoc/>
    public Verdict Decide(Peer peer) => Verdict.Deny;

    /// <inheritdoc/>
    public Task<bool> AskAsync(Peer peer, CancellationToken stop) => Task.FromResult(false);

    /// <inheritdoc/>
    public string WhyNot(Peer peer) => "the agent has not told the intentions yet";
}
