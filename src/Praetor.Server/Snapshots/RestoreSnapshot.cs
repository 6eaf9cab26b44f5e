using Praetor.Server.Connect;
using Praetor.Server.Model;
using Praetor.Server.State;

namespace Praetor.Server.Snapshots;

/// <summary>Puts a state from an archive in place of the one there is; answers with the index that it has
/// then.</summary>
/// <param name="restored">The state. May be used once.</param>
public sealed class RestoreSnapshot(RestoredState restored) : Command<ulong>
{
    private static readonly string[] Authority = [CaDocument.Name, CaKey.Name];

    /// <inheritdoc/>
    protected override Outcome<ulong> Apply(WriteTransaction tx)
    {
        var present = Authority.Select(name => Find(tx, name)).OfType<DocumentRecord>().ToList();
        tx.ReplaceAll(restored.Image);
        ReplacedMark.Put(tx);

        // A mesh goes on with the authority it has when the archive brings none. Either is written anew: whoever signs
        // by it looks at its index.
        var brought = Authority.Select(name => Find(tx, name)).OfType<DocumentRecord>().ToList();
        foreach (var document in brought.Count == Authority.Length ? brought : present)
        {
            tx.Put(Tables.Documents, document);
        }

        return tx.CommandIndex;
    }

    private static DocumentRecord? Find(WriteTransaction tx, string name) =>
        tx.Peek(Tables.DocumentsByName, KeyBytes.Folded(name));
}
