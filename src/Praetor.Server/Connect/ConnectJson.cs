using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Serialization;

namespace Praetor.Server.Connect;

/// <summary>How the certificate authority's records are written, to storage and to clients.</summary>
[JsonSourceGenerationOptions(PropertyNameCaseInsensitive = true)]
[JsonSerializable(typeof(CaDocument))]
[JsonSerializable(typeof(CaKey))]
[JsonSerializable(typeof(CaRootsAnswer))]
[JsonSerializable(typeof(CaConfiguration))]
[JsonSerializable(typeof(IssuedLeaf))]
public sealed partial class ConnectJson : JsonSerializerContext
{
    /// <summary>Leaves <c>+</c> and the like in PEM text as they are.</summary>
    public static ConnectJson Plain => field ??= new ConnectJson(new JsonSerializerOptions
    {
        PropertyNameCaseInsensitive = true,
        Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping,
    });
}
