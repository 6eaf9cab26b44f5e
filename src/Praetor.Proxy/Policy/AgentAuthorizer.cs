using Praetor.Client.Connect;
using Praetor.Proxy.Control;
using Praetor.Proxy.Net;

namespace Praetor.Proxy.Policy;

/// <summary>Asks the agent about each connection: the way where intentions may not be read.</summary>
internal sealed class AgentAuthorizer(ControlScope scope, string service) : IAuthorizer
{
    private readonly SemaphoreSlim _room = new(Limits.AuthorizeCalls);

    /// <inheritdoc/>
    public Verdict Decide(Peer peer) => Verdict.Ask;

    /// <inheritdoc/>
    public async Task<bool> AskAsync(Peer peer, CancellationToken stop) => await TryAskAsync(peer, stop) ?? false;

    /// <inheritdoc/>
    public string WhyNot(Peer peer) => "the agent says no, or does not answer";

    /// <summary>The agent's answer; null when it did not give one.</summary>
    public async Task<bool?> TryAskAsync(Peer peer, CancellationToken stop)
    {
        try
        {
            await _room.WaitAsync(stop);
            try
            {
                var question = new AuthorizeQuestion
                {
                    Target = service,
                    ClientCertURI = peer.Id.ToString(),
                    ClientCertSerial = peer.Serial,
                };
                return (await scope.Client.ConnectAuthorizeAsync(question, stop)).Authorized;
            }
            finally
            {
                _room.Release();
            }
        }
        catch (Exception problem) when (Watches.IsOutage(problem))
        {
            scope.Log(ProxyLogLevel.Warn, $"the agent did not say whether {peer.Id} may connect: {problem.Message}");
            return null;
        }
    }
}
