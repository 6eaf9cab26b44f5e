namespace Support.Consistency;

/// <summary>What is done with a lock.</summary>
public enum LockVerb
{
    /// <summary>Takes it for a session.</summary>
    Acquire,

    /// <summary>Gives it back.</summary>
    Release,

    /// <summary>Ends the session, which gives it back too.</summary>
    End,

    /// <summary>Looks who has it, and the number of the hold.</summary>
    Read,
}

/// <summary>A call on a lock. Sessions are used for one lock only.</summary>
/// <param name="Verb">What to do.</param>
/// <param name="Lock">The lock's key.</param>
/// <param name="Session">The number of the session, from 1 on; 0 for reads.</param>
public sealed record LockInput(LockVerb Verb, string Lock, int Session);

/// <summary>What it answered.</summary>
/// <param name="IsDone">Whether the lock was taken or given back.</param>
/// <param name="Holder">Read: the session that has it; 0: none.</param>
/// <param name="LockIndex">Read: the number of the last hold; 0: there was none.</param>
/// <param name="IsInvalid">Whether it was refused because there is no such session.</param>
public sealed record LockOutput(bool IsDone, int Holder = 0, ulong LockIndex = 0, bool IsInvalid = false);

/// <summary>Who has a lock.</summary>
/// <param name="Holder">The session; 0: nobody.</param>
/// <param name="LockIndex">The number of the last hold.</param>
/// <param name="Ended">The sessions that ended, as bits.</param>
public readonly record struct LockState(int Holder, ulong LockIndex, UInt128 Ended);

/// <summary>One lock: one holder at most, and each hold has a larger number than the one before.</summary>
public sealed class LockModel : IModel<LockState, LockInput, LockOutput>
{
    /// <summary>So many sessions a history may use for one lock.</summary>
    public const int SessionsMax = 127;

    /// <inheritdoc/>
    public LockState Initial => default;

    /// <summary>Checks a history, each lock alone.</summary>
    /// <returns>What is wrong. Null: nothing.</returns>
    public static string? ProblemOf(IReadOnlyList<Call<LockInput, LockOutput>> calls)
    {
        foreach (var one in calls.GroupBy(static c => c.Input.Lock, StringComparer.Ordinal))
        {
            var verdict = Linearizability.Check(new LockModel(), one);
            if (verdict.IsLinearizable != true)
            {
                return $"lock {one.Key}: {verdict.Problem}";
            }
        }

        return null;
    }

    /// <inheritdoc/>
    public bool Allows(LockState state, LockInput input, LockOutput? output, out LockState next)
    {
        next = state;
        var bit = UInt128.One << input.Session;
        var isEnded = (state.Ended & bit) != 0;
        switch (input.Verb)
        {
            case LockVerb.Acquire when isEnded:
                return output is null or { IsInvalid: true, IsDone: false };
            case LockVerb.Acquire:
                var isFree = state.Holder == 0 || state.Holder == input.Session;
                next = !isFree || state.Holder == input.Session ? state
                    : state with { Holder = input.Session, LockIndex = state.LockIndex + 1 };
                return output is null || (output.IsDone == isFree && !output.IsInvalid);
            case LockVerb.Release:
                var isHeld = state.Holder == input.Session;
                next = isHeld ? state with { Holder = 0 } : state;
                return output is null || output.IsDone == isHeld;
            case LockVerb.End:
                next = new LockState(
                    state.Holder == input.Session ? 0 : state.Holder, state.LockIndex, state.Ended | bit);
                return true;
            default:
                return output is null || (output.Holder == state.Holder && output.LockIndex == state.LockIndex);
        }
    }
}
