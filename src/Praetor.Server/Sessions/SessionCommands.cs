using Praetor.Server.Model;
using Praetor.Server.State;

namespace Praetor.Server.Sessions;

/// <summary>Makes a session, if its node and its checks are there and well.</summary>
public sealed class CreateSession(SessionRecord session) : Command<SessionRecord>
{
    /// <inheritdoc/>
    protected override Outcome<SessionRecord> Apply(WriteTransaction tx)
    {
        if (tx.Peek(Tables.NodesByName, KeyBytes.Folded(session.Node)) is null)
        {
            return Refusal.Failed("Missing node registration");
        }

        foreach (var id in session.CheckIds())
        {
            if (tx.Peek(Tables.ChecksByNode, KeyBytes.Folded(session.Node, id)) is not { } check)
            {
                return Refusal.Failed($"Missing check '{id}' registration");
            }

            if (check.Status == CheckStatuses.Critical)
            {
                return Refusal.Failed($"Check '{id}' is in critical state");
            }
        }

        return tx.Put(Tables.Sessions, session);
    }
}

/// <summary>Ends sessions; those that are not there are no error.</summary>
public sealed class EndSessions(IReadOnlyList<string> ids) : Command<bool>
{
    /// <inheritdoc/>
    protected override Outcome<bool> Apply(WriteTransaction tx)
    {
        foreach (var id in ids)
        {
            if (SessionQueries.Peek(tx, id) is { } session)
            {
                SessionWrites.End(tx, session);
            }
        }

        return true;
    }
}

/// <summary>Lets keys be had again, whose lock delay is over; who waits for them is woken.</summary>
public sealed class EndLockDelays(IReadOnlyList<string> keys) : Command<bool>
{
    /// <inheritdoc/>
    protected override Outcome<bool> Apply(WriteTransaction tx)
    {
        foreach (var key in keys)
        {
            if (tx.Peek(Tables.LockDelaysByKey, KeyBytes.Exact(key)) is { } delay)
            {
                tx.Delete(Tables.LockDelays, delay);
            }
        }

        return true;
    }
}
