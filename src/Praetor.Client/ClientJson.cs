using System.Text.Json;
using System.Text.Json.Serialization;

namespace Praetor.Client;

// Names go out as Consul writes them (which is how the records' members are called) and come in in any case: real
// agents and proxies in front of them do not agree on it.
[JsonSourceGenerationOptions(
    PropertyNameCaseInsensitive = true, DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull)]
[JsonSerializable(typeof(KvPair[]))]
[JsonSerializable(typeof(string[]))]
[JsonSerializable(typeof(string))]
[JsonSerializable(typeof(JsonElement))]
[JsonSerializable(typeof(CatalogNode[]))]
[JsonSerializable(typeof(CatalogNodeServices))]
[JsonSerializable(typeof(CatalogService[]))]
[JsonSerializable(typeof(Dictionary<string, string[]>))]
[JsonSerializable(typeof(HealthCheck[]))]
[JsonSerializable(typeof(ServiceEntry[]))]
[JsonSerializable(typeof(AgentMember[]))]
[JsonSerializable(typeof(AgentSelf))]
[JsonSerializable(typeof(Dictionary<string, AgentService>))]
[JsonSerializable(typeof(Dictionary<string, HealthCheck>))]
[JsonSerializable(typeof(ServiceRegistration))]
[JsonSerializable(typeof(Intention[]))]
[JsonSerializable(typeof(IntentionCreated))]
[JsonSerializable(typeof(IntentionCheck))]
[JsonSerializable(typeof(Dictionary<string, Intention[]>))]
[JsonSerializable(typeof(ConfigEntryName[]))]
[JsonSerializable(typeof(CaConfiguration))]
[JsonSerializable(typeof(RaftConfiguration))]
[JsonSerializable(typeof(AutopilotConfiguration))]
[JsonSerializable(typeof(AutopilotState))]
[JsonSerializable(typeof(TransferOutcome))]
[JsonSerializable(typeof(UserEvent[]))]
[JsonSerializable(typeof(NodeCoordinate[]))]
[JsonSerializable(typeof(DatacenterCoordinates[]))]
[JsonSerializable(typeof(KeyringPool[]))]
[JsonSerializable(typeof(KeyringKey))]
[JsonSerializable(typeof(SessionRequest))]
[JsonSerializable(typeof(SessionCreated))]
[JsonSerializable(typeof(SessionEntry[]))]
[JsonSerializable(typeof(Locks.SemaphoreState))]
internal sealed partial class ClientJson : JsonSerializerContext;
