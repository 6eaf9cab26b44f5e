using Praetor.Client;
using Praetor.Client.Connect;
using Praetor.Proxy.Plane;
using Praetor.Proxy.Policy;

using Intention = Praetor.Proxy.Policy.Intention;

namespace Praetor.Proxy.Control;

/// <summary>Follows the intentions for one destination, so that connections are decided without asking the
/// agent.</summary>
/// <remarks>
/// Three ways, the best that the agent allows: a blocking read of the matching intentions; where that tells no index
/// (Consul before 1.9), a blocking read of the list as the signal to read the matching ones; where that is refused,
/// reading again and again. Where the matching intentions may not be read at all, the agent is asked about each
/// connection, and about those established again and again. Before the first answer nobody may connect.
/// </remarks>
internal sealed class PolicyWatch(
    ControlScope scope, string service, InboundEdge edge, Func<IPlaneListener?> listener)
{
    private const string MatchedPrefix = "Matched";
    private const string ForeignPrefix = "Identity of another trust domain";
    private const string AnyName = "*";
    private const int ProbeNumbers = 1_000_000;

    // One for good: connections may still be waiting for its answers when the intentions can be read again.
    private readonly AgentAuthorizer _asking = new(scope, service);

    private bool _isMatchWithoutIndex;
    private bool _isListRefused;
    private bool _isProbeRefused;
    private bool _isDefaultAllow;

    /// <summary>Follows until stopped.</summary>
    public async Task RunAsync(CancellationToken stop)
    {
        while (!stop.IsCancellationRequested)
        {
            using var following = CancellationTokenSource.CreateLinkedTokenSource(stop);
            await Watches.FollowAsync(
                scope,
                $"the intentions for {service}",
                (query, token) => ReadAsync(query, following, token),
                (_, _) => Task.CompletedTask,
                Limits.PolicyInterval,
                following.Token);
            if (!stop.IsCancellationRequested)
            {
                await AskInsteadAsync(stop);
            }
        }
    }

    private async Task<Answer<bool>> ReadAsync(
        QueryOptions query, CancellationTokenSource following, CancellationToken stop)
    {
        try
        {
            if (_isMatchWithoutIndex && !_isListRefused)
            {
                return await ReadByListAsync(query, stop);
            }

            var answer = await scope.Client.ConnectMatchAsync(service, _isMatchWithoutIndex ? null : query, stop);
            await ApplyAsync(answer, stop);
            if (answer.Meta.Index == 0 && !_isMatchWithoutIndex)
            {
                _isMatchWithoutIndex = true;
                return await ReadByListAsync(new QueryOptions(), stop);
            }

            return new Answer<bool>(true, answer.Meta);
        }
        catch (ApiException refusal) when (IsRefusal(refusal))
        {
            await following.CancelAsync();
            throw;
        }
    }

    private async Task<Answer<bool>> ReadByListAsync(QueryOptions query, CancellationToken stop)
    {
        AnswerMeta signal;
        try
        {
            signal = (await scope.Client.ConnectIntentionsAsync(query, stop)).Meta;
        }
        catch (ApiException refusal) when (IsRefusal(refusal))
        {
            _isListRefused = true;
            signal = new AnswerMeta(0, null, TimeSpan.Zero, true, null);
        }

        await ApplyAsync(await scope.Client.ConnectMatchAsync(service, null, stop), stop);
        return new Answer<bool>(true, signal);
    }

    private async Task ApplyAsync(Answer<Dictionary<string, List<MatchedIntention>>> answer, CancellationToken stop)
    {
        var intentions = Concerning(service, answer.Value);
        try
        {
            _isDefaultAllow = await DefaultAsync(intentions, stop);
        }
        catch (Exception problem) when (Watches.IsOutage(problem))
        {
            // A new "deny" must not wait for the default: what held so far holds until the next attempt.
            Enforce(intentions);
            throw;
        }

        Enforce(intentions);
    }

    /// <summary>The intentions that can be about a source in this cluster's default namespace.</summary>
    /// <remarks>Those of a peer, a sameness group or another namespace are about others of the same name.</remarks>
    internal static List<Intention> Concerning(string service, Dictionary<string, List<MatchedIntention>>? matches) =>
        [.. (matches ?? [])
            .Where(m => m.Key.Equals(service, StringComparison.OrdinalIgnoreCase))
            .SelectMany(static m => m.Value ?? [])
            .Where(static i => string.IsNullOrEmpty(i.SourcePeer) && string.IsNullOrEmpty(i.SourceSamenessGroup))
            .Where(static i => i.SourceNS is null or "" or AnyName || i.SourceNS.Equals(
                Identity.SpiffeId.DefaultNamespace, StringComparison.OrdinalIgnoreCase))
            .Select(static i => new Intention(
                i.SourceName,
                i.DestinationName,
                string.Equals(i.Action, "allow", StringComparison.OrdinalIgnoreCase)))];

    private void Enforce(List<Intention> intentions)
    {
        edge.Authorizer = new IntentionPolicy(service, intentions, _isDefaultAllow);
        listener()?.EdgeChanged();
    }

    // What holds for a source that no intention names: the agent is asked about one that nobody has. The header with
    // the ACL system's default does not tell, as the mesh can have a default of its own.
    private async Task<bool> DefaultAsync(List<Intention> intentions, CancellationToken stop)
    {
        if (intentions.Exists(static i => i.Source == AnyName))
        {
            return false;
        }

        // Not the domain of this proxy's own identity: an agent that came back with another CA answers here first.
        var domain = (await scope.Client.ConnectRootsAsync(null, stop)).Value?.TrustDomain ?? "";
        var nobody = $"praetor-probe-{(int)(scope.Chance.Next() * ProbeNumbers)}";
        var question = new AuthorizeQuestion
        {
            Target = service,
            ClientCertURI = $"spiffe://{domain}/ns/default/dc/probe/svc/{nobody}",
        };
        try
        {
            var answer = await scope.Client.ConnectAuthorizeAsync(question, stop);
            if (answer.Reason.StartsWith(ForeignPrefix, StringComparison.OrdinalIgnoreCase))
            {
                throw new IOException($"the agent takes {domain} for another trust domain; its CA is changing");
            }

            // A wildcard came in between the two reads: the next answer of the watch brings it, until then be careful.
            return answer.Authorized && !answer.Reason.StartsWith(MatchedPrefix, StringComparison.OrdinalIgnoreCase);
        }
        catch (ApiException refusal) when (IsRefusal(refusal))
        {
            if (!_isProbeRefused)
            {
                _isProbeRefused = true;
                scope.Log(
                    ProxyLogLevel.Warn,
                    $"the agent refuses to say what holds for {service} without an intention; such connections are "
                        + $"denied. Give the proxy's token service = \"write\" for {service}");
            }

            return false;
        }
    }

    private async Task AskInsteadAsync(CancellationToken stop)
    {
        scope.Log(
            ProxyLogLevel.Warn,
            $"the agent refuses to show the intentions for {service}; asking it about each connection instead. "
                + $"Give the proxy's token intentions = \"read\" for {service} to spare that");
        edge.Authorizer = _asking;
        listener()?.EdgeChanged();
        var until = scope.Time.GetUtcNow() + Limits.WatchWait;
        while (!stop.IsCancellationRequested && scope.Time.GetUtcNow() < until)
        {
            await Watches.PauseAsync(Limits.PolicyInterval, scope.Time, stop);
            if (listener() is not { } open)
            {
                continue;
            }

            foreach (var peer in await open.ActivePeersAsync())
            {
                if (await _asking.TryAskAsync(peer, stop) == false)
                {
                    await open.DenyAsync(peer);
                }
            }
        }
    }

    private static bool IsRefusal(ApiException problem) =>
        problem.Status is System.Net.HttpStatusCode.Forbidden or System.Net.HttpStatusCode.Unauthorized
        || problem.Body.Contains("Permission denied", StringComparison.OrdinalIgnoreCase);
}
