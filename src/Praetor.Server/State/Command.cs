namespace Praetor.Server.State;

/// <summary>Why a command was refused, in the words that clients get.</summary>
/// <param name="Status">The HTTP status that says so.</param>
/// <param name="Text">The text; clients branch on it.</param>
public sealed record Refusal(int Status, string Text)
{
    /// <summary>The request is wrong and will be wrong again.</summary>
    public static Refusal BadRequest(string text) => new(400, text);

    /// <summary>It cannot be done (Consul says most refusals of the state with this status).</summary>
    public static Refusal Failed(string text) => new(500, text);
}

/// <summary>What a command did.</summary>
/// <param name="Value">Its result.</param>
/// <param name="Refusal">Why it was refused; null: it was done.</param>
public readonly record struct Outcome<T>(T Value, Refusal? Refusal)
{
    /// <summary>A command that was done.</summary>
    public static implicit operator Outcome<T>(T value) => new(value, null);

    /// <summary>A command that was refused; nothing it did counts.</summary>
    public static implicit operator Outcome<T>(Refusal refusal) => new(default!, refusal);
}

/// <summary>A change of the state: looks at what is, and puts and deletes records.</summary>
/// <remarks>Runs on the writer's thread, one at a time, and must not wait for anything.</remarks>
public abstract class Command<T> : IPendingCommand
{
    private readonly TaskCompletionSource<Outcome<T>> _done = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private Outcome<T> _outcome;

    /// <summary>Ends when the command is durable, or refused.</summary>
    public Task<Outcome<T>> Done => _done.Task;

    /// <summary>Does the command. When it is refused, nothing that it put counts.</summary>
    protected abstract Outcome<T> Apply(WriteTransaction tx);

    bool IPendingCommand.Apply(WriteTransaction tx)
    {
        _outcome = Apply(tx);
        return _outcome.Refusal is null;
    }

    void IPendingCommand.Complete() => _done.TrySetResult(_outcome);

    void IPendingCommand.Refuse(Refusal refusal) => _done.TrySetResult(refusal);
}

/// <summary>A command on its way through the writer.</summary>
internal interface IPendingCommand
{
    /// <summary>Does it; false: refused.</summary>
    bool Apply(WriteTransaction tx);

    /// <summary>Tells its caller the outcome.</summary>
    void Complete();

    /// <summary>Tells its caller that it was not done.</summary>
    void Refuse(Refusal refusal);
}
