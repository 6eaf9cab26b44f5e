using System.Globalization;
using System.Text.Json;
using Praetor.Agent.Membership;

namespace Praetor.Agent.Http.Endpoints;

/// <summary>/v1/operator/keyring: the keys that gossip is encrypted with.</summary>
internal sealed class KeyringEndpoints(IKeyringOperations keyring, string datacenter)
{
    private const string Pattern = "/v1/operator/keyring";
    private static readonly AclRequirement KeyringRead = new("keyring", "read");
    private static readonly AclRequirement KeyringWrite = new("keyring", "write");

    public void AddTo(RouteTable routes)
    {
        routes.Handle("GET", Pattern, KeyringRead, ListAsync, "The keys that gossip is encrypted with.");
        routes.Handle("POST", Pattern, KeyringWrite, request => ChangeAsync(request, keyring.InstallAsync),
            "Gives every member another key.");
        routes.Handle("PUT", Pattern, KeyringWrite, request => ChangeAsync(request, keyring.UseAsync),
            "Makes every member encrypt with a key that was installed.");
        routes.Handle("DELETE", Pattern, KeyringWrite, request => ChangeAsync(request, keyring.RemoveAsync),
            "Takes a key away from every member.");
    }

    private delegate Task<IReadOnlyList<KeyringReply>> Change(string key, KeyringScope scope, CancellationToken stop);

    private async ValueTask<Reply> ListAsync(ApiRequest request)
    {
        if (!TryScope(request, out var scope, out var refusal))
        {
            return refusal;
        }

        var replies = await keyring.ListAsync(scope, request.Aborted);
        return Failure(replies) ?? Reply.Json(request.Pretty, json =>
        {
            json.WriteStartArray();
            foreach (var reply in replies)
            {
                Write(json, reply);
            }

            json.WriteEndArray();
        });
    }

    private async ValueTask<Reply> ChangeAsync(ApiRequest request, Change change)
    {
        if (BodyObject.Parse(request.Body, out var problem) is not { } body)
        {
            return Reply.BadRequest($"Bad request: Request decode failed: {problem}");
        }

        var key = body.Text("Key");
        if (body.Problem is { } wrong)
        {
            return Reply.BadRequest($"Bad request: Request decode failed: {wrong}");
        }

        if (!TryScope(request, out var scope, out var refusal))
        {
            return refusal;
        }

        if (Illegal(ref key) is { } illegal)
        {
            bool[] pools = [true, false];
            return Failure([.. pools.Select(wan => new KeyringReply
            {
                IsWan = wan, Datacenter = datacenter, Error = illegal,
            })])!;
        }

        return Failure(await change(key, scope, request.Aborted)) ?? Reply.Ok;
    }

    private static bool TryScope(ApiRequest request, out KeyringScope scope, out Reply refusal)
    {
        scope = new KeyringScope(0, false);
        refusal = Reply.Ok;
        if (request.Query["relay-factor"] is { Length: > 0 } factor)
        {
            if (!int.TryParse(factor, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out var number))
            {
                refusal = Refused($"Error parsing relay factor: strconv.Atoi: parsing \"{factor}\": invalid syntax");
                return false;
            }

            if (number is < 0 or > KeyringScope.RelayFactorMax)
            {
                refusal = Refused(
                    $"Invalid relay-factor: Relay factor must be in range: [0, {KeyringScope.RelayFactorMax}]");
                return false;
            }

            scope = scope with { RelayFactor = number };
        }

        return request.Query["local-only"] is not { Length: > 0 } local
            || TryLocal(request, local, ref scope, out refusal);
    }

    private static bool TryLocal(ApiRequest request, string text, ref KeyringScope scope, out Reply refusal)
    {
        refusal = Reply.Ok;
        var isYes = text is "1" or "t" or "T" or "true" or "TRUE" or "True";
        if (!isYes && text is not ("0" or "f" or "F" or "false" or "FALSE" or "False"))
        {
            refusal = Refused($"Error parsing local-only: strconv.ParseBool: parsing \"{text}\": invalid syntax");
            return false;
        }

        if (isYes && request.Method is not ("GET" or "HEAD"))
        {
            refusal = Refused("Invalid use of local-only: local-only can only be set for list requests");
            return false;
        }

        scope = scope with { IsLocalOnly = isYes };
        return true;
    }

    private static Reply Refused(string text) => Reply.BadRequest($"Bad request: {text}");

    private static Reply? Failure(IReadOnlyList<KeyringReply> replies)
    {
        var errors = new List<string>();
        foreach (var reply in replies.Where(static r => r.Error.Length > 0))
        {
            errors.Add($"{(reply.IsWan ? "WAN" : $"{reply.Datacenter} (LAN)")} error: {reply.Error}");
            errors.AddRange((reply.Messages ?? new Dictionary<string, string>(StringComparer.Ordinal))
                .Select(static m => $"{m.Key}: {m.Value}"));
        }

        if (errors.Count == 0)
        {
            return null;
        }

        var count = errors.Count == 1 ? "1 error" : $"{errors.Count} errors";
        return Reply.Text(500, $"{count} occurred:\n{string.Concat(errors.Select(static e => $"\t* {e}\n"))}\n");
    }

    // What Go's decoder says of a text that is no base64. What is one is set as everybody sets it, as members compare
    // keys; whether its length is right is for them to say.
    private static string? Illegal(ref string key)
    {
        const string digits = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
        var padding = key.Length - key.AsSpan().TrimEnd('=').Length;
        var wrong = key.AsSpan(0, key.Length - padding).IndexOfAnyExcept(digits);
        if (wrong >= 0)
        {
            return $"illegal base64 data at input byte {wrong}";
        }

        var bytes = new byte[key.Length];
        if (padding > 2 || !Convert.TryFromBase64String(key, bytes, out var length))
        {
            return $"illegal base64 data at input byte {key.Length / 4 * 4}";
        }

        key = Convert.ToBase64String(bytes, 0, length);
        return null;
    }

    private static void Write(Utf8JsonWriter json, KeyringReply reply)
    {
        json.WriteStartObject();
        json.WriteBoolean("WAN", reply.IsWan);
        json.WriteString("Datacenter", reply.Datacenter);
        json.WriteString("Segment", reply.Segment);
        if (reply.Messages is { Count: > 0 } messages)
        {
            json.WriteStartObject("Messages");
            foreach (var (member, message) in messages.OrderBy(static m => m.Key, StringComparer.Ordinal))
            {
                json.WriteString(member, message);
            }

            json.WriteEndObject();
        }

        WriteCounts(json, "Keys", reply.Keys);
        WriteCounts(json, "PrimaryKeys", reply.PrimaryKeys);
        json.WriteNumber("NumNodes", reply.Members);
        if (reply.Error.Length > 0)
        {
            json.WriteString("Error", reply.Error);
        }

        json.WriteEndObject();
    }

    private static void WriteCounts(Utf8JsonWriter json, string name, IReadOnlyDictionary<string, int> counts)
    {
        json.WriteStartObject(name);
        foreach (var (key, count) in counts.OrderBy(static c => c.Key, StringComparer.Ordinal))
        {
            json.WriteNumber(key, count);
        }

        json.WriteEndObject();
    }
}
