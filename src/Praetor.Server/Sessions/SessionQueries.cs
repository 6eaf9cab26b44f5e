using Praetor.Server.Model;
using Praetor.Server.State;

namespace Praetor.Server.Sessions;

/// <summary>Reads of sessions.</summary>
public static class SessionQueries
{
    /// <summary>All of them by id.</summary>
    public static IEnumerable<SessionRecord> All(ReadView view) => view.Scan(Tables.SessionsById, []);

    /// <summary>Those of a node by id.</summary>
    public static IEnumerable<SessionRecord> On(ReadView view, string node) =>
        view.Scan(Tables.SessionsByNode, KeyBytes.Folded(node));

    /// <summary>One, or null.</summary>
    public static SessionRecord? Get(ReadView view, string id) => view.Get(Tables.SessionsById, KeyBytes.Exact(id));

    /// <summary>One, or null; not noted.</summary>
    public static SessionRecord? Peek(ReadView view, string id) =>
        view.Peek(Tables.SessionsById, KeyBytes.Exact(id));
}
