using System.Collections.Concurrent;

namespace Support.Consistency;

/// <summary>What a client asked and what it was told.</summary>
/// <typeparam name="TIn">What is asked.</typeparam>
/// <typeparam name="TOut">What is answered.</typeparam>
/// <param name="Client">Who asked.</param>
/// <param name="Input">What.</param>
/// <param name="Begin">When, on the history's clock.</param>
/// <param name="Output">The answer. Null: nobody knows whether it was done; it may have been, or be done yet.</param>
/// <param name="End">When the answer came; without one the end of all times.</param>
public sealed record Call<TIn, TOut>(int Client, TIn Input, long Begin, TOut? Output, long End)
    where TOut : class
{
    /// <summary>Whether the outcome is known.</summary>
    public bool IsKnown => Output is not null;

    /// <inheritdoc/>
    public override string ToString() =>
        $"client {Client} [{Begin}..{(IsKnown ? End : "?")}] {Input} -> {(object?)Output ?? "unknown"}";
}

/// <summary>Takes down what clients do. Its clock is a count, so that no clock of a machine matters: what ended before
/// another began has the smaller number.</summary>
/// <typeparam name="TIn">What is asked.</typeparam>
/// <typeparam name="TOut">What is answered.</typeparam>
public sealed class History<TIn, TOut>
    where TOut : class
{
    private readonly ConcurrentQueue<Call<TIn, TOut>> _calls = new();
    private long _clock;

    /// <summary>What was taken down, each call when it had ended.</summary>
    public IReadOnlyList<Call<TIn, TOut>> Calls => [.. _calls];

    /// <summary>How many calls were taken down.</summary>
    public int Count => _calls.Count;

    /// <summary>Makes a call and takes it down, unless it was certainly not done.</summary>
    /// <param name="client">Who asks.</param>
    /// <param name="input">What.</param>
    /// <param name="make">Asks; null means that the outcome is not known.</param>
    public async Task<TOut?> RecordAsync(int client, TIn input, Func<Task<TOut?>> make)
    {
        var begin = Interlocked.Increment(ref _clock);
        TOut? output;
        try
        {
            output = await make();
        }
        catch (NotDoneException)
        {
            return null;
        }

        var end = Interlocked.Increment(ref _clock);
        _calls.Enqueue(new Call<TIn, TOut>(client, input, begin, output, output is null ? long.MaxValue : end));
        return output;
    }

}

/// <summary>The server says that nothing was done.</summary>
public sealed class NotDoneException : Exception;
