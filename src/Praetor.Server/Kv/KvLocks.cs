using Praetor.Server.Model;
using Praetor.Server.Sessions;
using Praetor.Server.State;

namespace Praetor.Server.Kv;

/// <summary>Keys as locks: a session holds a key, and nobody else can until it gives it back or ends.</summary>
/// <remarks>
/// LockIndex counts how often a key was taken, and every change has a higher ModifyIndex than all before it; either may
/// serve as the token by which a resource refuses a holder of before. Consul 1.8 begins to count again when a held key
/// is written plainly; here it only ever grows while the key lives.
/// </remarks>
internal static class KvLocks
{
    /// <summary>Whether nobody gets a key, as its last holder was ended a short while ago; not noted.</summary>
    public static bool IsDelayed(ReadView view, string key) =>
        view.Peek(Tables.LockDelaysByKey, KeyBytes.Exact(key)) is not null;

    /// <summary>Takes a key for a session.</summary>
    /// <returns>The key; null: another session holds it.</returns>
    public static Outcome<KvRecord?> Acquire(WriteTransaction tx, string key, byte[] value, ulong flags, string session)
    {
        if (session.Length == 0)
        {
            return Refusal.Failed("missing session");
        }

        if (!SessionId.TryRead(session, out var id, out var problem))
        {
            return Refusal.Failed(problem);
        }

        if (SessionQueries.Peek(tx, id) is null)
        {
            return Refusal.Failed($"invalid session \"{session}\"");
        }

        var old = tx.Peek(Tables.KvByKey, KeyBytes.Exact(key));
        if (old is not null && old.Session.Length > 0 && old.Session != id)
        {
            return default(Outcome<KvRecord?>);
        }

        return KvWrites.Put(tx, old, new KvRecord
        {
            Key = key,
            Value = value,
            Flags = flags,
            LockIndex = (old?.LockIndex ?? 0) + (old?.Session == id ? 0UL : 1UL),
            Session = id,
        });
    }

    /// <summary>Gives a key back, and puts a value.</summary>
    /// <returns>The key; null: the session does not hold it.</returns>
    public static Outcome<KvRecord?> Release(WriteTransaction tx, string key, byte[] value, ulong flags, string session)
    {
        if (session.Length == 0)
        {
            return Refusal.Failed("missing session");
        }

        var old = tx.Peek(Tables.KvByKey, KeyBytes.Exact(key));
        var isHeld = old is not null && SessionId.TryRead(session, out var id, out _) && old.Session == id;
        return isHeld
            ? KvWrites.Put(tx, old, old! with { Value = value, Flags = flags, Session = "" })
            : default(Outcome<KvRecord?>);
    }
}

/// <summary>Puts a key and takes it for a session; answers whether it did.</summary>
public sealed class AcquireKey(string key, byte[] value, ulong flags, string session) : Command<bool>
{
    /// <inheritdoc/>
    protected override Outcome<bool> Apply(WriteTransaction tx)
    {
        if (KvLocks.IsDelayed(tx, key))
        {
            return false;
        }

        var outcome = KvLocks.Acquire(tx, key, value, flags, session);
        return outcome.Refusal is { } refusal ? refusal : outcome.Value is not null;
    }
}

/// <summary>Puts a key and gives it back; answers whether the session held it.</summary>
public sealed class ReleaseKey(string key, byte[] value, ulong flags, string session) : Command<bool>
{
    /// <inheritdoc/>
    protected override Outcome<bool> Apply(WriteTransaction tx)
    {
        var outcome = KvLocks.Release(tx, key, value, flags, session);
        return outcome.Refusal is { } refusal ? refusal : outcome.Value is not null;
    }
}
