using Microsoft.Extensions.Logging;
using Praetor.Server.Connect;
using Praetor.Server.State;

namespace Praetor.Agent.Connect;

/// <summary>The authority at one index, ready to sign.</summary>
/// <param name="Signer">Signs by it.</param>
/// <param name="TrustDomain">The trust domain of all identities.</param>
/// <param name="Index">The index of the authority's last change.</param>
internal sealed record ReadyAuthority(LeafSigner Signer, string TrustDomain, ulong Index);

/// <summary>The certificate authority in the state: set up, reconfigured, and used for signing.</summary>
internal sealed partial class MeshAuthority(StateStore store, string datacenter, TimeProvider time, ILogger log)
{
    /// <summary>What is answered while there is no root, as Consul says it.</summary>
    public const string Uninitialized = "CA is uninitialized and unable to sign certificates yet: no root certificate";

    // As long as Consul lets a request wait for room; then the client is told to come back.
    private static readonly TimeSpan RoomWaitMax = TimeSpan.FromMilliseconds(500);
    private static readonly TimeSpan RoomPause = TimeSpan.FromMilliseconds(20);

    // Each try loses only to another change of the authority, and these are made by hand.
    private const int WriteTriesMax = 8;

    private readonly CsrLimiter _limiter = new(time);
    private volatile ReadyAuthority? _ready;

    /// <summary>The authority as it is now. Null: it was not set up yet.</summary>
    /// <remarks>Its predecessors are not disposed of: somebody may be signing with them. They hold one key each and go
    /// with the garbage.</remarks>
    public ReadyAuthority? Current
    {
        get
        {
            var view = new ReadView(store.Current, tracks: false);
            var index = CaQueries.IndexOf(view);
            if (_ready is { } known && known.Index == index)
            {
                return known;
            }

            if (CaQueries.State(view) is not { } state)
            {
                return null;
            }

            var ready = new ReadyAuthority(new LeafSigner(state, datacenter), state.Document.TrustDomain, index);
            _ready = ready;
            return ready;
        }
    }

    /// <summary>Makes the first root, unless there is one.</summary>
    public async Task InitializeAsync(string clusterId, CaConfiguration configuration, CancellationToken stop)
    {
        if (Current is not null)
        {
            return;
        }

        var (state, refusal) = await Task.Run(() =>
        {
            CertificateAuthority.TryInitialize(
                clusterId, configuration, time.GetUtcNow(), WriteAuthority.NewIndex, out var made, out var why);
            return (made, why);
        }, stop);
        if (state is null)
        {
            Log.NotInitialized(log, refusal?.Text ?? "");
            return;
        }

        var written = await store.SubmitAsync(new WriteAuthority(state, expected: 0));
        if (written.Refusal is { } refused)
        {
            Log.NotInitialized(log, refused.Text);
        }
        else if (written.Value)
        {
            Log.Initialized(log, state.Document.TrustDomain, state.Document.Active.Id);
        }
    }

    /// <summary>Takes a new configuration; null: done, else why not.</summary>
    public async Task<Refusal?> ConfigureAsync(CaConfiguration next)
    {
        for (var i = 0; i < WriteTriesMax; i++)
        {
            var view = new ReadView(store.Current, tracks: false);
            var index = CaQueries.IndexOf(view);
            if (CaQueries.State(view) is not { } state)
            {
                return Refusal.Failed(Uninitialized);
            }

            var (made, refusal) = await Task.Run(() =>
            {
                CertificateAuthority.TryConfigure(
                    state, next, time.GetUtcNow(), WriteAuthority.NewIndex, out var changed, out var why);
                return (changed, why);
            });
            if (made is null)
            {
                return refusal;
            }

            var written = await store.SubmitAsync(new WriteAuthority(made, index));
            if (written.Refusal is not null || written.Value)
            {
                return written.Refusal;
            }
        }

        return Refusal.Failed("the CA configuration is being changed by others at the same time; try again");
    }

    /// <summary>Forgets roots whose last certificate has ended.</summary>
    public async Task PruneAsync()
    {
        var view = new ReadView(store.Current, tracks: false);
        if (CaQueries.State(view) is { } state
            && CertificateAuthority.Prune(state, time.GetUtcNow()) is var pruned && !ReferenceEquals(pruned, state))
        {
            await store.SubmitAsync(new WriteAuthority(pruned, CaQueries.IndexOf(view)));
        }
    }

    /// <summary>Signs a request for a service's certificate.</summary>
    public async Task<Outcome<IssuedLeaf>> SignAsync(string service, string csr, CancellationToken stop)
    {
        if (Current is not { } ready)
        {
            return Refusal.Failed(Uninitialized);
        }

        if (!await TryEnterAsync(ready.Signer.Settings, stop))
        {
            return new Refusal(429, CsrLimiter.Refusal);
        }

        try
        {
            var now = time.GetUtcNow();
            return ready.Signer.TrySign(csr, service, now, store.Current.Index, out var leaf, out var refusal)
                ? leaf
                : refusal;
        }
        finally
        {
            _limiter.Leave();
        }
    }

    private async Task<bool> TryEnterAsync(CaSettings settings, CancellationToken stop)
    {
        var start = time.GetTimestamp();
        while (!_limiter.TryEnter(settings))
        {
            if (time.GetElapsedTime(start) >= RoomWaitMax)
            {
                return false;
            }

            await Task.Delay(RoomPause, time, stop);
        }

        return true;
    }

    private static partial class Log
    {
        [LoggerMessage(
            EventId = 6111,
            Level = LogLevel.Information,
            Message = "The mesh's certificate authority was made: trust domain {TrustDomain}, root {RootId}")]
        public static partial void Initialized(ILogger log, string trustDomain, string rootId);

        [LoggerMessage(
            EventId = 6112,
            Level = LogLevel.Error,
            Message = "The mesh has no certificate authority: {Reason}; correct connect.ca_config and start again")]
        public static partial void NotInitialized(ILogger log, string reason);
    }
}
