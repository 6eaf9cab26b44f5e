using System.Buffers;
using System.Globalization;
using System.Text.Json;
using Languages;

namespace Praetor.Agent.Http.Json;

/// <summary>Reads how a check registered in the catalog is done, for those who do it themselves.</summary>
/// <remarks>It is kept as Consul keeps it: the names in its spelling, durations in Go's form, nothing that is
/// empty.</remarks>
internal static class CheckDefinitionJson
{
    private static readonly string[] Durations = ["Interval", "Timeout", "DeregisterCriticalServiceAfter", "TTL"];

    private static readonly string[] Others =
    [
        "HTTP", "TLSServerName", "TLSSkipVerify", "Header", "Method", "Body", "DisableRedirects", "TCP", "TCPUseTLS",
        "UDP", "OutputMaxSize", "ScriptArgs", "DockerContainerID", "Shell", "H2PING", "H2PingUseTLS", "GRPC",
        "GRPCUseTLS", "OSService", "AliasNode", "AliasService", "SessionName",
    ];

    private static readonly Dictionary<string, string> Spelling =
        Durations.Concat(Others).ToDictionary(static n => n, StringComparer.OrdinalIgnoreCase);

    // In this order; where the last is true only together with an interval.
    private static readonly (string Member, string Type, bool NeedsInterval)[] Types =
    [
        ("GRPC", "grpc", true), ("HTTP", "http", true), ("TTL", "ttl", false), ("TCP", "tcp", true),
        ("AliasNode", "alias", false), ("AliasService", "alias", false), ("UDP", "udp", true),
        ("DockerContainerID", "docker", true), ("ScriptArgs", "script", true), ("H2PING", "h2ping", true),
        ("OSService", "os_service", true),
    ];

    /// <summary>Reads the member <c>Definition</c> of a check. Null: it says nothing.</summary>
    public static JsonElement? Read(BodyObject check)
    {
        if (check.Raw("Definition") is not { } given)
        {
            return null;
        }

        if (given.ValueKind != JsonValueKind.Object)
        {
            check.Refuse("json: cannot unmarshal the value of Definition into an object");
            return null;
        }

        var buffer = new ArrayBufferWriter<byte>(256);
        using (var json = new Utf8JsonWriter(buffer))
        {
            json.WriteStartObject();
            foreach (var member in given.EnumerateObject())
            {
                // Others are left out: whoever checks by a newer definition registers it with a newer name.
                if (Spelling.TryGetValue(member.Name, out var name) && !CatalogBodies.IsZero(member.Value))
                {
                    Write(json, name, member.Value, check);
                }
            }

            json.WriteEndObject();
        }

        using var document = JsonDocument.Parse(buffer.WrittenMemory);
        return CatalogBodies.IsZero(document.RootElement) ? null : document.RootElement.Clone();
    }

    /// <summary>The word for a kind of check. Empty: it cannot be told.</summary>
    public static string TypeOf(JsonElement? definition)
    {
        if (definition is not { } given)
        {
            return "";
        }

        var hasInterval = given.TryGetProperty("Interval", out _);
        foreach (var (member, type, needsInterval) in Types)
        {
            if (given.TryGetProperty(member, out _) && (hasInterval || !needsInterval))
            {
                return type;
            }
        }

        return "";
    }

    private static void Write(Utf8JsonWriter json, string name, JsonElement value, BodyObject check)
    {
        if (!Durations.Contains(name, StringComparer.Ordinal))
        {
            json.WritePropertyName(name);
            value.WriteTo(json);
            return;
        }

        long nanoseconds;
        var isRead = value.ValueKind == JsonValueKind.String
            ? GoDuration.TryParseNanoseconds(value.GetString(), out nanoseconds)
            : value.TryGetWhole(out nanoseconds);
        if (!isRead)
        {
            var text = value.ValueKind == JsonValueKind.String ? value.GetString() : value.GetRawText();
            check.Refuse(string.Create(CultureInfo.InvariantCulture, $"time: invalid duration \"{text}\""));
            return;
        }

        if (nanoseconds != 0 && name == "TTL")
        {
            // The only one that Consul shows as a number.
            json.WriteNumber(name, nanoseconds);
        }
        else if (nanoseconds != 0)
        {
            json.WriteString(name, GoDuration.FormatNanoseconds(nanoseconds));
        }
    }

    private static bool TryGetWhole(this JsonElement value, out long whole)
    {
        whole = 0;
        return value.ValueKind == JsonValueKind.Number && value.TryGetInt64(out whole);
    }
}
