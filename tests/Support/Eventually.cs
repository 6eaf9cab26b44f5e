namespace Support;

/// <summary>Waits for what other processes bring about. For Integration tests only: inside one process, wait for the
/// event itself.</summary>
public static class Eventually
{
    private static readonly TimeSpan Pause = TimeSpan.FromMilliseconds(25);

    /// <summary>Asks again and again until the claim holds.</summary>
    /// <param name="what">What is waited for, to be read in a failure.</param>
    /// <param name="limit">The longest time to wait.</param>
    /// <param name="claim">The question. An agent that cannot be reached counts as no.</param>
    /// <param name="stop">Ends the wait.</param>
    /// <exception cref="TimeoutException">It did not hold in time.</exception>
    public static Task HoldsAsync(
        string what, TimeSpan limit, Func<Task<bool>> claim, CancellationToken stop = default) =>
        GivesAsync(what, limit, async () => await claim() ? claim : null, stop);

    /// <summary>Asks again and again until the answer is not null.</summary>
    /// <exception cref="TimeoutException">None came in time.</exception>
    public static async Task<T> GivesAsync<T>(
        string what, TimeSpan limit, Func<Task<T?>> ask, CancellationToken stop = default)
        where T : class
    {
        var time = TimeProvider.System;
        var start = time.GetTimestamp();
        Exception? last = null;
        while (true)
        {
            try
            {
                if (await ask() is { } answer)
                {
                    return answer;
                }

                last = null;
            }
            catch (Exception unreachable) when (unreachable is HttpRequestException or IOException or TimeoutException)
            {
                last = unreachable;
            }

            if (time.GetElapsedTime(start) > limit)
            {
                throw new TimeoutException($"{what}: not within {limit.TotalSeconds:0.#} s", last);
            }

            await Task.Delay(Pause, time, stop);
        }
    }
}
