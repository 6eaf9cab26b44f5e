using Praetor.Server.State;

namespace Praetor.Server.Model;

/// <summary>Remembers beyond a restart at which index the whole state was replaced: the document's own index.</summary>
internal static class ReplacedMark
{
    /// <summary>The document's name in the state; it says nothing, and no snapshot holds it.</summary>
    public const string Name = "state-replaced";

    private static readonly byte[] Key = KeyBytes.Folded(Name);

    public static void Put(WriteTransaction tx) =>
        tx.Put(Tables.Documents, new DocumentRecord { Name = Name, Json = [] });

    /// <summary>When the state was replaced. 0: never.</summary>
    public static ulong IndexOf(ReadView view) => view.Peek(Tables.DocumentsByName, Key)?.ModifyIndex ?? 0;
}
