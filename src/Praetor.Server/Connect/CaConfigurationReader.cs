using System.Diagnostics.CodeAnalysis;
using System.Text.Json;
using System.Text.Json.Nodes;
using Praetor.Server.Intentions;
using Praetor.Server.State;

namespace Praetor.Server.Connect;

/// <summary>Reads the body that sets the authority's configuration.</summary>
public static class CaConfigurationReader
{
    private const string Failed = "Request decode failed: ";

    /// <summary>Reads a configuration; members in any case, unknown ones refused. Indexes are the server's and
    /// ignored.</summary>
    public static bool TryRead(
        ReadOnlyMemory<byte> json,
        [NotNullWhen(true)] out CaConfiguration? configuration,
        [NotNullWhen(false)] out Refusal? refusal)
    {
        configuration = null;
        refusal = null;
        if (!IntentionJson.TryObject(json, out var body, out var problem))
        {
            refusal = Refusal.BadRequest(Failed + problem);
            return false;
        }

        using (body)
        {
            var read = new CaConfiguration();
            foreach (var member in body.RootElement.EnumerateObject())
            {
                if (!TryMember(member, ref read))
                {
                    refusal = Refusal.BadRequest($"{Failed}json: unknown field \"{member.Name}\", or of a wrong type");
                    return false;
                }
            }

            configuration = read;
            return true;
        }
    }

    private static bool TryMember(JsonProperty member, ref CaConfiguration read)
    {
        var value = member.Value;
        if (value.ValueKind == JsonValueKind.Null)
        {
            return true;
        }

        switch (member.Name.ToLowerInvariant())
        {
            case "createindex" or "modifyindex":
                return true;
            case "provider" when value.ValueKind == JsonValueKind.String:
                read = read with { Provider = value.GetString()! };
                return true;
            case "config" when value.ValueKind == JsonValueKind.Object:
                read = read with { Config = JsonObject.Create(value.Clone()) };
                return true;
            case "state" when value.ValueKind == JsonValueKind.Object:
                read = read with { State = JsonObject.Create(value.Clone()) };
                return true;
            case "forcewithoutcrosssigning" when value.ValueKind is JsonValueKind.True or JsonValueKind.False:
                read = read with { ForceWithoutCrossSigning = value.GetBoolean() };
                return true;
            default:
                return false;
        }
    }
}
