using System.Text.Json;
using System.Text.Json.Serialization;
using System.Text.Json.Serialization.Metadata;
using Praetor.Agent.Checks;

namespace Praetor.Agent.Local;

/// <summary>A document put or, without an encoder, removed. It is encoded by the thread that writes.</summary>
internal sealed record DocumentChange(string Kind, string Id, Func<byte[]>? Encode);

/// <summary>What the local database held.</summary>
internal sealed record LocalDocuments
{
    // Kinds are append-only: they stand in people's data directories.
    public const string ServiceKind = "service";
    public const string CheckKind = "check";
    public const string TtlKind = "ttl";
    public const string TokenKind = "token";

    public IReadOnlyList<LocalService> Services { get; init; } = [];

    public IReadOnlyList<LocalCheck> Checks { get; init; } = [];

    public IReadOnlyList<TtlState> TtlStates { get; init; } = [];

    public IReadOnlyDictionary<string, string> Tokens { get; init; } =
        new Dictionary<string, string>(StringComparer.Ordinal);

    public static byte[] Encode(LocalService service) => Bytes(service, LocalJson.Default.LocalService);

    public static byte[] Encode(LocalCheck check) => Bytes(check, LocalJson.Default.LocalCheck);

    public static byte[] Encode(TtlState state) => Bytes(state, LocalJson.Default.TtlState);

    public static byte[] Encode(string token) => Bytes(token, LocalJson.Default.String);

    /// <summary>Reads what a database holds; checks of services that are gone are left out.</summary>
    /// <exception cref="JsonException">A document is not one of ours.</exception>
    public static LocalDocuments Decode(IEnumerable<(string Kind, string Id, byte[] Body)> rows)
    {
        var services = new List<LocalService>();
        var checks = new List<LocalCheck>();
        var states = new List<TtlState>();
        var tokens = new Dictionary<string, string>(StringComparer.Ordinal);
        foreach (var (kind, id, body) in rows)
        {
            switch (kind)
            {
                case ServiceKind:
                    services.Add(Read(body, LocalJson.Default.LocalService));
                    break;
                case CheckKind:
                    checks.Add(Read(body, LocalJson.Default.LocalCheck));
                    break;
                case TtlKind:
                    states.Add(Read(body, LocalJson.Default.TtlState));
                    break;
                case TokenKind:
                    tokens[id] = Read(body, LocalJson.Default.String);
                    break;
                default:
                    throw new JsonException($"a document of kind \"{kind}\" is not known; run the newer version");
            }
        }

        return new LocalDocuments { Services = services, Checks = checks, TtlStates = states, Tokens = tokens };
    }

    private static byte[] Bytes<T>(T value, JsonTypeInfo<T> type) => JsonSerializer.SerializeToUtf8Bytes(value, type);

    private static T Read<T>(byte[] body, JsonTypeInfo<T> type)
        where T : class => JsonSerializer.Deserialize(body, type) ?? throw new JsonException("a document is null");
}

/// <summary>How local documents are written. Members may be added; none may change its name or meaning.</summary>
[JsonSourceGenerationOptions(
    DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingDefault, IgnoreReadOnlyProperties = true)]
[JsonSerializable(typeof(LocalService))]
[JsonSerializable(typeof(LocalCheck))]
[JsonSerializable(typeof(TtlState))]
[JsonSerializable(typeof(string))]
internal sealed partial class LocalJson : JsonSerializerContext;
