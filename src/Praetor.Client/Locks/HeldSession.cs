using System.Globalization;
using System.Net;

namespace Praetor.Client.Locks;

/// <summary>A session that is kept alive, and that tells when it cannot be any more.</summary>
internal sealed class HeldSession : IAsyncDisposable
{
    private static readonly TimeSpan RetryPause = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan EndLimit = TimeSpan.FromSeconds(5);

    private readonly PraetorClient _client;
    private readonly TimeProvider _time;
    private readonly TimeSpan _ttl;
    private readonly CancellationTokenSource _ended = new();
    private readonly CancellationTokenSource _lost = new();
    private Task _renewing = Task.CompletedTask;
    private long _renewed;

    private HeldSession(PraetorClient client, TimeProvider time, TimeSpan ttl) =>
        (_client, _time, _ttl, _renewed) = (client, time, ttl, time.GetTimestamp());

    public string Id { get; private set; } = "";

    /// <summary>Cancelled when the session has ended, or may have.</summary>
    public CancellationToken Lost => _lost.Token;

    /// <summary>Makes one.</summary>
    /// <exception cref="ApiException">The agent refused.</exception>
    public static async Task<HeldSession> CreateAsync(
        PraetorClient client, TimeProvider time, LockOptions options, string? behavior, CancellationToken stop)
    {
        stop.ThrowIfCancellationRequested();
        var session = new HeldSession(client, time, options.SessionTtl);

        // Not broken off: a session that was made, and that nobody knows of, would be there until its TTL is over.
        session.Id = await client.CreateSessionAsync(
            new SessionRequest
            {
                Name = options.SessionName,
                TTL = Text(options.SessionTtl),
                Behavior = behavior,
                LockDelay = options.LockDelay is { } delay ? Text(delay) : null,
            },
            CancellationToken.None);
        session._renewing = session.RenewAsync();
        return session;
    }

    /// <summary>Counts it as lost.</summary>
    public Task LoseAsync() => _lost.CancelAsync();

    /// <summary>Ends it, if the agent answers; if not its TTL does.</summary>
    public async ValueTask DisposeAsync()
    {
        await _ended.CancelAsync();
        await _renewing;
        try
        {
            using var limit = new CancellationTokenSource(EndLimit, _time);
            await _client.DestroySessionAsync(Id, limit.Token);
        }
        catch (Exception failure) when (LockCalls.IsOfAgent(failure))
        {
            // Nobody renews it any more.
        }

        _ended.Dispose();
        _lost.Dispose();
    }

    private static string Text(TimeSpan span) =>
        ((long)span.TotalMilliseconds).ToString(CultureInfo.InvariantCulture) + "ms";

    private async Task RenewAsync()
    {
        var pause = _ttl / 2;
        try
        {
            while (_time.GetElapsedTime(_renewed) < _ttl)
            {
                await Task.Delay(pause, _time, _ended.Token);
                pause = await TryRenewAsync() ? _ttl / 2 : RetryPause;
            }
        }
        catch (OperationCanceledException) when (_ended.IsCancellationRequested)
        {
            return;
        }
        catch (ApiException gone) when (gone.Status == HttpStatusCode.NotFound)
        {
            // It has ended.
        }

        await _lost.CancelAsync();
    }

    // The server's time begins when it hears of the renewal, which is after it was sent.
    private async Task<bool> TryRenewAsync()
    {
        var sent = _time.GetTimestamp();
        using var limit = new CancellationTokenSource(_ttl / 2, _time);
        using var both = CancellationTokenSource.CreateLinkedTokenSource(limit.Token, _ended.Token);
        try
        {
            await _client.RenewSessionAsync(Id, both.Token);
            _renewed = sent;
            return true;
        }
        catch (OperationCanceledException) when (!_ended.IsCancellationRequested)
        {
            return false;
        }
        catch (Exception failure) when (LockCalls.IsOfAgent(failure) && !IsGone(failure))
        {
            return false;
        }
    }

    private static bool IsGone(Exception failure) => failure is ApiException { Status: HttpStatusCode.NotFound };
}
