using System.Text.Json;
using Praetor.Server.Model;
using Praetor.Server.State;

namespace Praetor.Server.Connect;

/// <summary>Writes the certificate authority, unless it changed meanwhile; answers whether it did.</summary>
/// <param name="state">The authority. Indexes that are <see cref="NewIndex"/> become the command's own.</param>
/// <param name="expected">The index of the document that the state was made from. 0: there was none.</param>
public sealed class WriteAuthority(CaState state, ulong expected) : Command<bool>
{
    /// <summary>Stands for the index that the change will get.</summary>
    public const ulong NewIndex = ulong.MaxValue;

    /// <inheritdoc/>
    protected override Outcome<bool> Apply(WriteTransaction tx)
    {
        var old = tx.Peek(Tables.DocumentsByName, KeyBytes.Folded(CaDocument.Name));
        if ((old?.ModifyIndex ?? 0) != expected)
        {
            return false;
        }

        var document = Stamp(state.Document, tx.CommandIndex);
        Put(tx, CaDocument.Name, JsonSerializer.SerializeToUtf8Bytes(document, ConnectJson.Plain.CaDocument));
        Put(tx, CaKey.Name, JsonSerializer.SerializeToUtf8Bytes(state.Key, ConnectJson.Plain.CaKey));
        return true;
    }

    private static void Put(WriteTransaction tx, string name, byte[] json) =>
        tx.Put(Tables.Documents, new DocumentRecord { Name = name, Json = json });

    private static CaDocument Stamp(CaDocument document, ulong index) => document with
    {
        Configuration = document.Configuration with
        {
            CreateIndex = Stamp(document.Configuration.CreateIndex, index),
            ModifyIndex = Stamp(document.Configuration.ModifyIndex, index),
        },
        Roots =
        [
            .. document.Roots.Select(r => r with
            {
                Root = r.Root with
                {
                    CreateIndex = Stamp(r.Root.CreateIndex, index),
                    ModifyIndex = Stamp(r.Root.ModifyIndex, index),
                },
            }),
        ],
    };

    private static ulong Stamp(ulong own, ulong index) => own == NewIndex ? index : own;
}

/// <summary>Reads of the certificate authority.</summary>
public static class CaQueries
{
    /// <summary>What may be shown of the authority, noted. Null: it was never set up.</summary>
    public static CaDocument? Document(ReadView view) =>
        Decode(view.Get(Tables.DocumentsByName, KeyBytes.Folded(CaDocument.Name)));

    /// <summary>The index of the authority's last change. 0: it was never set up.</summary>
    public static ulong IndexOf(ReadView view) =>
        view.Peek(Tables.DocumentsByName, KeyBytes.Folded(CaDocument.Name))?.ModifyIndex ?? 0;

    /// <summary>The authority with its key, for signing only. Null: it was never set up.</summary>
    public static CaState? State(ReadView view)
    {
        var document = Decode(view.Peek(Tables.DocumentsByName, KeyBytes.Folded(CaDocument.Name)));
        var key = view.Peek(Tables.DocumentsByName, KeyBytes.Folded(CaKey.Name)) is { } record
            ? JsonSerializer.Deserialize(record.Json, ConnectJson.Plain.CaKey)
            : null;
        return document is null || key is null ? null : new CaState(document, key);
    }

    private static CaDocument? Decode(DocumentRecord? record) =>
        record is null ? null : JsonSerializer.Deserialize(record.Json, ConnectJson.Plain.CaDocument);
}
