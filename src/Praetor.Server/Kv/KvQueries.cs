using System.Text;
using Praetor.Server.Model;
using Praetor.Server.State;

namespace Praetor.Server.Kv;

/// <summary>Reads of keys.</summary>
public static class KvQueries
{
    /// <summary>One key, or null.</summary>
    /// <remarks>The end of a lock delay counts as a change of the key: whoever waits for it is to try again.</remarks>
    public static KvRecord? Get(ReadView view, string key)
    {
        var bytes = KeyBytes.Exact(key);
        var record = view.Get(Tables.KvByKey, bytes);
        if (record is null or { LockIndex: > 0, Session: "" })
        {
            view.NoteKey(Tables.LockDelaysByKey, bytes);
        }

        return record;
    }

    /// <summary>All keys that begin alike, in order.</summary>
    public static IEnumerable<KvRecord> List(ReadView view, string prefix) =>
        view.Scan(Tables.KvByKey, KeyBytes.Exact(prefix));

    /// <summary>The names of keys that begin alike, cut behind the first separator that follows.</summary>
    /// <param name="view">What to read.</param>
    /// <param name="prefix">How they begin.</param>
    /// <param name="separator">Where to cut. Empty: nowhere.</param>
    public static List<string> Keys(ReadView view, string prefix, string separator)
    {
        var start = KeyBytes.Exact(prefix);
        view.NotePrefix(Tables.KvByKey, start);
        var names = new List<string>();
        view.TreeOf(Tables.KvByKey).WalkGroups(start, Encoding.UTF8.GetBytes(separator), (rest, _) =>
        {
            var name = prefix + Encoding.UTF8.GetString(rest);

            // A group whose bytes are spread over several branches is met once for each, one after the other.
            if (names.Count == 0 || names[^1] != name)
            {
                names.Add(name);
            }
        });
        return names;
    }
}
