using System.Text.Json.Serialization;

namespace Praetor.Server.Model;

/// <summary>How records are written to storage. Members may be added; none may change its name or meaning.</summary>
[JsonSourceGenerationOptions(DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingDefault)]
[JsonSerializable(typeof(NodeRecord))]
[JsonSerializable(typeof(ServiceRecord))]
[JsonSerializable(typeof(CheckRecord))]
[JsonSerializable(typeof(ConfigEntryRecord))]
[JsonSerializable(typeof(DocumentRecord))]
[JsonSerializable(typeof(CoordinateRecord))]
[JsonSerializable(typeof(SessionRecord))]
[JsonSerializable(typeof(LockDelayRecord))]
internal sealed partial class StorageJson : JsonSerializerContext;
