using Praetor.Server.Model;
using Praetor.Server.State;

namespace Praetor.Server.ConfigEntries;

/// <summary>Reads of configuration entries.</summary>
public static class ConfigQueries
{
    /// <summary>One entry, or null.</summary>
    public static ConfigEntryRecord? Get(ReadView view, string kind, string name) =>
        view.Get(Tables.ConfigByName, KeyBytes.Folded(kind, name));

    /// <summary>All entries of a kind, ordered by name; of all kinds for an empty one.</summary>
    public static IEnumerable<ConfigEntryRecord> List(ReadView view, string kind) => kind.Length == 0
        ? ConfigKinds.Names.SelectMany(each => List(view, each))
        : view.Scan(Tables.ConfigByName, KeyBytes.Folded(kind));
}
