namespace Praetor.Client.Locks;

/// <summary>A lock, or a place of a semaphore, that is held. Disposing it gives it back.</summary>
public sealed class LockHold : IAsyncDisposable
{
    private readonly HeldSession _session;
    private readonly Func<CancellationToken, Task> _release;
    private readonly CancellationTokenSource _over = new();
    private readonly Task _watching;
    private bool _isReleased;

    internal LockHold(
        HeldSession session, ulong token, Func<CancellationToken, Task> watch, Func<CancellationToken, Task> release)
    {
        (_session, Lost, Token, _release) = (session, session.Lost, token, release);
        _watching = watch(_over.Token);
    }

    /// <summary>Cancelled when it is lost: whatever needs it must end at once, somebody else may get it.</summary>
    public CancellationToken Lost { get; }

    /// <summary>The session that holds it.</summary>
    public string SessionId => _session.Id;

    /// <summary>A number larger than that of every hold before. A resource that refuses smaller ones is safe from a
    /// holder of before that does not know yet that it has lost.</summary>
    public ulong Token { get; }

    /// <summary>Gives it back. Again: nothing.</summary>
    /// <exception cref="ApiException">The agent refused; the session ends all the same.</exception>
    /// <exception cref="HttpRequestException">The agent cannot be reached; the session ends by its TTL.</exception>
    public async Task ReleaseAsync(CancellationToken stop = default)
    {
        if (_isReleased)
        {
            return;
        }

        _isReleased = true;
        await _over.CancelAsync();
        try
        {
            await _release(stop);
        }
        finally
        {
            await _watching;
            await _session.DisposeAsync();
            _over.Dispose();
        }
    }

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        try
        {
            await ReleaseAsync();
        }
        catch (Exception failure) when (LockCalls.IsOfAgent(failure))
        {
            // Nobody renews its session any more.
        }
    }
}
