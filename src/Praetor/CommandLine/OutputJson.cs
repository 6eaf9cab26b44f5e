using System.Text.Json;
using System.Text.Json.Serialization;
using Praetor.Client;

namespace Praetor.CommandLine;

/// <summary>What commands print as JSON.</summary>
[JsonSourceGenerationOptions(PropertyNameCaseInsensitive = true)]
[JsonSerializable(typeof(KvPair))]
[JsonSerializable(typeof(KvPair[]))]
[JsonSerializable(typeof(string[]))]
[JsonSerializable(typeof(CatalogNode[]))]
[JsonSerializable(typeof(Dictionary<string, string[]>))]
[JsonSerializable(typeof(AgentMember[]))]
[JsonSerializable(typeof(Dictionary<string, Dictionary<string, string>>))]
[JsonSerializable(typeof(Intention))]
[JsonSerializable(typeof(Intention[]))]
[JsonSerializable(typeof(RaftServer[]))]
[JsonSerializable(typeof(CaConfiguration))]
[JsonSerializable(typeof(AutopilotConfiguration))]
[JsonSerializable(typeof(AutopilotState))]
[JsonSerializable(typeof(Dictionary<string, string>))]
[JsonSerializable(typeof(SortedDictionary<string, JsonElement>))]
[JsonSerializable(typeof(string))]
[JsonSerializable(typeof(ulong))]
internal sealed partial class OutputJson : JsonSerializerContext;
