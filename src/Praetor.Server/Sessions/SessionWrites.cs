using Praetor.Server.Model;
using Praetor.Server.State;

namespace Praetor.Server.Sessions;

/// <summary>How sessions end, and what becomes of the keys that they hold.</summary>
/// <remarks>
/// A session's keys, and the sessions of a node and of a check, stand in indexes of their own: what ends one costs what
/// it holds, however many others there are.
/// </remarks>
internal static class SessionWrites
{
    /// <summary>Ends a session.</summary>
    public static void End(WriteTransaction tx, SessionRecord session)
    {
        var delay = Math.Min(session.LockDelay, SessionRules.LockDelayMax);
        foreach (var held in tx.PeekScan(Tables.KvByHolder, SessionIndexes.HeldBy(session.Id)).ToList())
        {
            if (session.Behavior == SessionRecord.Delete)
            {
                tx.Delete(Tables.Kv, held);
            }
            else
            {
                tx.Put(Tables.Kv, held with { Session = "" });
            }

            if (delay > 0)
            {
                tx.Put(Tables.LockDelays, new LockDelayRecord { Key = held.Key, Delay = delay });
            }
        }

        tx.Delete(Tables.Sessions, session);
    }

    /// <summary>Ends the sessions of a node, which goes.</summary>
    public static void EndOn(WriteTransaction tx, string node)
    {
        foreach (var session in tx.PeekScan(Tables.SessionsByNode, KeyBytes.Folded(node)).ToList())
        {
            End(tx, session);
        }
    }

    /// <summary>Ends the sessions that depend on a check, which goes or is critical.</summary>
    public static void EndBy(WriteTransaction tx, CheckRecord check)
    {
        foreach (var session in tx.PeekScan(Tables.SessionsByCheck, KeyBytes.Folded(check.Node, check.Id)).ToList())
        {
            // It stands there twice when it names the check twice.
            if (SessionQueries.Peek(tx, session.Id) is { } alive)
            {
                End(tx, alive);
            }
        }
    }
}
