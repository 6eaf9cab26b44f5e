using System.Text.Json;

namespace Praetor.Server.Model;

/// <summary>Says whether two records hold the same, whatever their indexes: such a put changes nothing.</summary>
internal static class RecordEquality
{
    public static bool Same(NodeRecord a, NodeRecord b) =>
        ReferenceEquals(a, b) || (a.Name == b.Name && a.Id == b.Id && a.Address == b.Address && Bytes(a, b));

    public static bool Same(ServiceRecord a, ServiceRecord b) =>
        ReferenceEquals(a, b) || (a.Name == b.Name && a.Port == b.Port && a.Address == b.Address && Bytes(a, b));

    public static bool Same(CheckRecord a, CheckRecord b) =>
        ReferenceEquals(a, b) || (a.Status == b.Status && a.Output == b.Output && Bytes(a, b));

    // What is stored is what counts; the indexes are put aside.
    private static bool Bytes(NodeRecord a, NodeRecord b) =>
        Json(a with { CreateIndex = 0, ModifyIndex = 0 }).AsSpan()
            .SequenceEqual(Json(b with { CreateIndex = 0, ModifyIndex = 0 }));

    private static bool Bytes(ServiceRecord a, ServiceRecord b) =>
        Json(a with { CreateIndex = 0, ModifyIndex = 0 }).AsSpan()
            .SequenceEqual(Json(b with { CreateIndex = 0, ModifyIndex = 0 }));

    private static bool Bytes(CheckRecord a, CheckRecord b) =>
        Json(a with { CreateIndex = 0, ModifyIndex = 0 }).AsSpan()
            .SequenceEqual(Json(b with { CreateIndex = 0, ModifyIndex = 0 }));

    private static byte[] Json(NodeRecord r) => JsonSerializer.SerializeToUtf8Bytes(r, StorageJson.Default.NodeRecord);

    private static byte[] Json(ServiceRecord r) =>
        JsonSerializer.SerializeToUtf8Bytes(r, StorageJson.Default.ServiceRecord);

    private static byte[] Json(CheckRecord r) =>
        JsonSerializer.SerializeToUtf8Bytes(r, StorageJson.Default.CheckRecord);
}
