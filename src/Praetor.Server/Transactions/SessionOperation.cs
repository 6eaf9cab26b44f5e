using Praetor.Server.Sessions;
using Praetor.Server.State;

namespace Praetor.Server.Transactions;

/// <summary>A step over a session; sessions can only be ended in a transaction.</summary>
public sealed record SessionOperation(string Verb, string Id) : Operation(Verb)
{
    /// <inheritdoc/>
    public override bool IsRead => false;

    internal override string? Problem(ReadView view) => Wrong;

    internal override string? Read(ReadView view, List<OperationResult> results) =>
        throw new InvalidOperationException("a session is never read in a transaction");

    internal override string? Write(WriteTransaction tx, List<OperationResult> results)
    {
        if (Verb != "delete")
        {
            return $"unknown Session verb \"{Verb}\"";
        }

        if (!SessionId.TryRead(Id, out var id, out var problem))
        {
            return problem;
        }

        if (SessionQueries.Peek(tx, id) is { } session)
        {
            SessionWrites.End(tx, session);
        }

        return null;
    }
}
