using System.Text;
using Praetor.Server.State;

namespace Praetor.Server.Model;

/// <summary>Keys by which sessions and what they hold are found.</summary>
internal static class SessionIndexes
{
    /// <summary>Where a session stands among those of a node.</summary>
    public static byte[] ByNode(string node, string id) => KeyBytes.Folded(node, id);

    /// <summary>Where a session stands among those that depend on a check.</summary>
    public static byte[] ByCheck(string node, string check, string id) => KeyBytes.Folded(node, check, id);

    /// <summary>Where a key stands among those that a session holds. Null: nobody holds it.</summary>
    public static byte[]? ByHolder(KvRecord record) =>
        record.Session.Length == 0 ? null : Encoding.UTF8.GetBytes($"{record.Session}\0{record.Key}");

    /// <summary>How the keys that a session holds begin in their index.</summary>
    public static byte[] HeldBy(string id) => KeyBytes.Exact(id + '\0');

    /// <summary>Notes the checks of every session.</summary>
    public static void SessionsFilled(WriteTransaction tx)
    {
        foreach (var session in tx.PeekScan(Tables.SessionsById, []))
        {
            SessionChanged(tx, null, session);
        }
    }

    /// <summary>A session stands once for each of its checks.</summary>
    public static void SessionChanged(WriteTransaction tx, SessionRecord? old, SessionRecord? record)
    {
        foreach (var check in old?.CheckIds() ?? [])
        {
            tx.RemoveDerived(Tables.SessionsByCheck, ByCheck(old!.Node, check, old.Id));
        }

        foreach (var check in record?.CheckIds() ?? [])
        {
            tx.PutDerived(Tables.SessionsByCheck, ByCheck(record!.Node, check, record.Id), record);
        }
    }
}
