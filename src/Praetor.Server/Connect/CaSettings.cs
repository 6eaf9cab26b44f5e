using System.Globalization;
using System.Text.Json;
using System.Text.Json.Nodes;
using Languages;

namespace Praetor.Server.Connect;

/// <summary>The built-in authority's settings, read from what the user wrote.</summary>
public sealed record CaSettings
{
    /// <summary>The shortest life of a service's certificate.</summary>
    public static readonly TimeSpan LeafTtlMin = TimeSpan.FromHours(1);

    // Consul's bounds and texts: a leaf may live at most a year, an intermediate at least three of the shortest leaves.
    private static readonly TimeSpan LeafTtlMax = TimeSpan.FromHours(8760);
    private static readonly TimeSpan IntermediateTtlMin = TimeSpan.FromHours(3);

    /// <summary>How long a service's certificate lives. Default 72 h.</summary>
    public TimeSpan LeafTtl { get; init; } = TimeSpan.FromHours(72);

    /// <summary>How long a root made here lives. Default 87600 h, ten years; used when a root is made.</summary>
    public TimeSpan RootTtl { get; init; } = TimeSpan.FromHours(87600);

    /// <summary>How long an intermediate of a secondary datacenter lives. Default 8760 h.</summary>
    public TimeSpan IntermediateTtl { get; init; } = TimeSpan.FromHours(8760);

    /// <summary>Consul's unused period of rotation. Default 2160 h.</summary>
    public TimeSpan RotationPeriod { get; init; } = TimeSpan.FromHours(2160);

    /// <summary><c>ec</c> or <c>rsa</c>. Default ec.</summary>
    public string KeyType { get; init; } = "ec";

    /// <summary>The key's size. Default 256 for ec, 2048 for rsa.</summary>
    public int KeyBits { get; init; } = 256;

    /// <summary>A key brought by the user, PEM. Empty: one is made.</summary>
    public string PrivateKey { get; init; } = "";

    /// <summary>A root brought by the user, PEM. Empty: one is made.</summary>
    public string RootCert { get; init; } = "";

    /// <summary>Signing requests served in a second. Default 50; 0: no limit.</summary>
    /// <remarks>Without effect when <see cref="CsrMaxConcurrent"/> is set.</remarks>
    public double CsrMaxPerSecond { get; init; } = 50;

    /// <summary>Signing requests served at a time. Default 0: no limit.</summary>
    public int CsrMaxConcurrent { get; init; }

    /// <summary>Never shows the key.</summary>
    public override string ToString() => $"CaSettings {{ {KeyType} {KeyBits}, LeafTtl = {LeafTtl} }}";

    /// <summary>Reads the settings; keys in any case, with or without underscores. Unknown keys are let
    /// through.</summary>
    public static bool TryRead(JsonObject? config, out CaSettings settings, out string problem)
    {
        settings = new CaSettings();
        var bits = 0;
        foreach (var (key, value) in config ?? [])
        {
            if (value is not null && !TryApply(Plain(key), key, value, ref settings, ref bits, out var trouble))
            {
                problem = $"error decoding config: 1 error(s) decoding:\n\n* {trouble}";
                return false;
            }
        }

        settings = settings with { KeyBits = bits != 0 ? bits : settings.KeyType == "rsa" ? 2048 : 256 };
        problem = settings.Problem() ?? "";
        return problem.Length == 0;
    }

    /// <summary>The key's form without case and underscores: LeafCertTTL and leaf_cert_ttl are one setting.</summary>
    internal static string Plain(string key) => key.Replace("_", "", StringComparison.Ordinal).ToLowerInvariant();

    private static bool TryApply(
        string plain, string key, JsonNode value, ref CaSettings s, ref int bits, out string problem)
    {
        problem = "";
        TimeSpan span = default;
        double number = 0;
        switch (plain)
        {
            case "leafcertttl" when TryDuration(key, value, out span, out problem):
                s = s with { LeafTtl = span };
                return true;
            case "rootcertttl" when TryDuration(key, value, out span, out problem):
                s = s with { RootTtl = span };
                return true;
            case "intermediatecertttl" when TryDuration(key, value, out span, out problem):
                s = s with { IntermediateTtl = span };
                return true;
            case "rotationperiod" when TryDuration(key, value, out span, out problem):
                s = s with { RotationPeriod = span };
                return true;
            case "privatekeybits" when TryNumber(key, value, out number, out problem):
                bits = (int)Math.Clamp(number, -1, int.MaxValue);
                return true;
            case "csrmaxpersecond" when TryNumber(key, value, out number, out problem):
                s = s with { CsrMaxPerSecond = number };
                return true;
            case "csrmaxconcurrent" when TryNumber(key, value, out number, out problem):
                s = s with { CsrMaxConcurrent = (int)Math.Clamp(number, 0, int.MaxValue) };
                return true;
            case "privatekeytype":
                s = s with { KeyType = Text(value) is { Length: > 0 } type ? type : "ec" };
                return true;
            case "privatekey":
                s = s with { PrivateKey = Text(value) };
                return true;
            case "rootcert":
                s = s with { RootCert = Text(value) };
                return true;
            default:
                return problem.Length == 0;
        }
    }

    private string? Problem() => this switch
    {
        { LeafTtl: var ttl } when ttl < LeafTtlMin => "leaf cert TTL must be greater or equal than 1h0m0s",
        { LeafTtl: var ttl } when ttl > LeafTtlMax => "leaf cert TTL must be less than 8760h0m0s",
        { IntermediateTtl: var ttl } when ttl < IntermediateTtlMin =>
            "Intermediate Cert TTL must be greater or equal than 3h",
        _ when RootTtl < IntermediateTtl => "root cert TTL is set and is not greater than intermediate cert ttl. " +
            $"root cert ttl: {GoDuration.Format(RootTtl)}, intermediate cert ttl: {GoDuration.Format(IntermediateTtl)}",
        { KeyType: not ("ec" or "rsa") } => "private key type must be either 'ec' or 'rsa'",
        // 224 is left out although Consul lists it: TLS 1.3 has no such curve.
        { KeyType: "ec", KeyBits: not (256 or 384 or 521) } =>
            "EC key length must be one of (256, 384, 521) bits",
        { KeyType: "rsa", KeyBits: not (2048 or 4096) } => "RSA key length must be 2048 or 4096 bits",
        { RootCert.Length: > 0, PrivateKey.Length: 0 } => "must provide a private key when providing a root cert",
        _ => null,
    };

    private static string Text(JsonNode value) =>
        value is JsonValue v && v.TryGetValue<string>(out var text) ? text.Trim() : value.ToJsonString();

    private static bool TryDuration(string key, JsonNode value, out TimeSpan span, out string problem)
    {
        span = default;
        problem = "";
        if (value.GetValueKind() == JsonValueKind.Number && TryNumber(key, value, out var nanoseconds, out problem))
        {
            span = GoDuration.FromNanoseconds(
                (long)Math.Clamp(nanoseconds, long.MinValue, (double)(long.MaxValue / 2)));
            return true;
        }

        if (problem.Length == 0 && !GoDuration.TryParse(Text(value), out span))
        {
            problem = $"error decoding '{key}': time: invalid duration \"{Text(value)}\"";
        }

        return problem.Length == 0;
    }

    private static bool TryNumber(string key, JsonNode value, out double number, out string problem)
    {
        problem = "";
        var text = Text(value);
        if (double.TryParse(text, NumberStyles.Float, CultureInfo.InvariantCulture, out number) &&
            double.IsFinite(number))
        {
            return true;
        }

        problem = $"cannot parse '{key}' as float: strconv.ParseFloat: parsing \"{text}\": invalid syntax";
        return false;
    }
}
