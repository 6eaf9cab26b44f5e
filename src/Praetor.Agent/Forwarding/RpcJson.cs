using System.Text.Json;
using System.Text.Json.Serialization;
using Praetor.Agent.Dns;
using Praetor.Agent.Local;
using Praetor.Server.Catalog;
using Praetor.Server.Connect;
using Praetor.Server.Model;
using Praetor.Server.State;

namespace Praetor.Agent.Forwarding;

/// <summary>A request to sign a service's certificate.</summary>
/// <param name="Service">The service that the caller may act for.</param>
/// <param name="Csr">The request, PEM.</param>
internal sealed record SignRequest(string Service, string Csr);

/// <summary>A certificate that a server signed, without its key.</summary>
internal sealed record SignedLeaf(IssuedLeaf Leaf, string RootId);

/// <summary>What stands at an address, for reverse DNS. Null: nothing.</summary>
internal sealed record AtAddress(DnsNode? Node, string? Service);

/// <summary>Who a server is.</summary>
internal sealed record ServerIdentity(string Name, string Id, string Datacenter);

/// <summary>What agents say to servers and to nobody else. Members may be added; none may change its name or
/// meaning: agents of several versions run side by side.</summary>
[JsonSourceGenerationOptions(DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingDefault)]
[JsonSerializable(typeof(CatalogChanges))]
[JsonSerializable(typeof(IReadOnlyList<Refusal?>))]
[JsonSerializable(typeof(NodeContents))]
[JsonSerializable(typeof(IReadOnlyList<DnsInstance>))]
[JsonSerializable(typeof(AtAddress))]
[JsonSerializable(typeof(IReadOnlyList<ConfigEntryRecord>))]
[JsonSerializable(typeof(ServerIdentity))]
[JsonSerializable(typeof(SignRequest))]
[JsonSerializable(typeof(SignedLeaf))]
internal sealed partial class RpcJson : JsonSerializerContext
{
    /// <summary>Reads what another agent sent.</summary>
    /// <exception cref="JsonException">It is not what it should be.</exception>
    public static T Read<T>(ReadOnlySpan<byte> body, System.Text.Json.Serialization.Metadata.JsonTypeInfo<T> type) =>
        JsonSerializer.Deserialize(body, type) ?? throw new JsonException("null is no answer");
}
