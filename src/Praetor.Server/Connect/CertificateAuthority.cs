using System.Diagnostics.CodeAnalysis;
using System.Text.Json.Nodes;
using Praetor.Server.State;

namespace Praetor.Server.Connect;

// The authority's life, as functions from one state to the next.
//
// A root is made once. Changing its key, or bringing another root, rotates: the new root becomes active, and the one
// before signs its key. That cross-signed certificate travels with every leaf that the new root signs, so a proxy
// that knows only the old root still finds a chain, and one that knows only the new root needs nothing more. The old
// root stays trusted until the last leaf it signed has ended, twice the leaf's life after the rotation; then it goes.
//
// Making a key may take seconds (RSA), so nothing here belongs on the state's writer: make the next state from a
// snapshot, then write it if the document is still at the index that the snapshot had.

/// <summary>Sets up, reconfigures and rotates the built-in certificate authority.</summary>
public static class CertificateAuthority
{
    /// <summary>Stands for a private key in answers; written back, it means the key that is there.</summary>
    public const string Hidden = "<hidden>";

    // Consul gives the cross-signed certificate a week. Leaves that need it may live longer here, so it does too.
    private static readonly TimeSpan CrossSignedTtlMin = TimeSpan.FromDays(7);

    /// <summary>The configuration of a cluster whose user wrote none.</summary>
    public static CaConfiguration DefaultConfiguration(JsonObject? given = null)
    {
        var config = new JsonObject
        {
            ["IntermediateCertTTL"] = "8760h",
            ["LeafCertTTL"] = "72h",
            ["RotationPeriod"] = "2160h",
            ["RootCertTTL"] = "87600h",
        };
        foreach (var (key, value) in given ?? [])
        {
            config[CanonicalKey(key)] = value?.DeepClone();
        }

        return new CaConfiguration { Provider = CaConfiguration.BuiltIn, Config = config };
    }

    /// <summary>Makes the first root of a cluster.</summary>
    public static bool TryInitialize(
        string clusterId,
        CaConfiguration configuration,
        DateTimeOffset now,
        ulong index,
        [NotNullWhen(true)] out CaState? state,
        [NotNullWhen(false)] out Refusal? refusal)
    {
        state = null;
        if (!TrySettings(configuration, out var settings, out refusal) ||
            !TryMakeRoot(clusterId, settings, now, out var root, out refusal))
        {
            return false;
        }

        using (root)
        {
            var record = root.ToRecord(clusterId, crossSigned: null) with { CreateIndex = index, ModifyIndex = index };
            var document = new CaDocument
            {
                ClusterId = clusterId,
                Configuration = WithoutSecrets(configuration) with { CreateIndex = index, ModifyIndex = index },
                Roots = [new HeldRoot(record, null)],
            };
            state = new CaState(document, root.ToKey(record));
            return true;
        }
    }

    /// <summary>Takes a new configuration; rotates the root when it asks for another one.</summary>
    public static bool TryConfigure(
        CaState current,
        CaConfiguration next,
        DateTimeOffset now,
        ulong index,
        [NotNullWhen(true)] out CaState? state,
        [NotNullWhen(false)] out Refusal? refusal)
    {
        state = null;
        next = RevealKept(current, next);
        if (!TrySettings(next, out var settings, out refusal))
        {
            return false;
        }

        if (!JsonNode.DeepEquals(next.State ?? new JsonObject(),
            current.Document.Configuration.State ?? new JsonObject()))
        {
            refusal = Refusal.BadRequest("the State of a CA configuration belongs to its provider and cannot be set");
            return false;
        }

        var document = current.Document with
        {
            Configuration = WithoutSecrets(next) with
            {
                CreateIndex = current.Document.Configuration.CreateIndex,
                ModifyIndex = index,
            },
        };
        if (KeepsRoot(current, settings))
        {
            var longest = LongestLeaf(current.Document);
            state = current with
            {
                Document = document with
                {
                    Roots = [.. document.Roots.Select(r => r.Root.Active ? r with { LeafTtlMax = longest } : r)],
                },
            };
            return true;
        }

        return TryRotate(current, document, settings, now, index, out state, out refusal);
    }

    /// <summary>Forgets roots whose last leaf has ended. The same state when there is none.</summary>
    public static CaState Prune(CaState current, DateTimeOffset now)
    {
        if (!CaSettings.TryRead(current.Document.Configuration.Config, out var settings, out _))
        {
            return current;
        }

        // What was noted at the rotation counts: shorter lives since then do not shorten those of older leaves.
        var kept = current.Document.Roots.Where(r => r.RotatedOutAt is not { } at
            || (r.MayGoAt ?? at + (2 * settings.LeafTtl)) > now.UtcDateTime).ToList();
        return kept.Count == current.Document.Roots.Count
            ? current
            : current with { Document = current.Document with { Roots = kept } };
    }

    /// <summary>The answer of the roots endpoints; <paramref name="now"/> gives the days that remain.</summary>
    public static CaRootsAnswer Roots(CaDocument document, DateTimeOffset now) => new()
    {
        ActiveRootId = document.Active.Id,
        TrustDomain = document.TrustDomain,
        Roots =
        [
            .. document.Roots
                .Select(r => r.Root with { DaysRemaining = DaysUntil(r.Root.NotAfter, now) })
                .OrderBy(static r => r.Id, StringComparer.Ordinal),
        ],
    };

    /// <summary>The answer of <c>roots?pem=true</c>: all roots, one after another.</summary>
    public static string RootsPem(CaDocument document) =>
        string.Concat(document.Roots.Select(static r => r.Root.RootCert));

    /// <summary>The answer of the configuration endpoint: as written, but with <see cref="Hidden"/> for a
    /// key.</summary>
    public static CaConfiguration Answer(CaDocument document)
    {
        var configuration = document.Configuration;
        return configuration with { Config = configuration.Config?.DeepClone().AsObject() };
    }

    private static int DaysUntil(DateTime end, DateTimeOffset now) =>
        (int)Math.Floor((end - now.UtcDateTime).TotalDays);

    private static bool TrySettings(
        CaConfiguration configuration, out CaSettings settings, [NotNullWhen(false)] out Refusal? refusal)
    {
        settings = new CaSettings();
        refusal = configuration.Provider == CaConfiguration.BuiltIn
            ? null
            : Refusal.Failed($"could not initialize provider: unknown CA provider \"{configuration.Provider}\"");
        if (refusal is null && !CaSettings.TryRead(configuration.Config, out settings, out var problem))
        {
            refusal = Refusal.Failed("error configuring provider: " + problem);
        }

        return refusal is null;
    }

    private static bool TryRotate(
        CaState current,
        CaDocument document,
        CaSettings settings,
        DateTimeOffset now,
        ulong index,
        [NotNullWhen(true)] out CaState? state,
        [NotNullWhen(false)] out Refusal? refusal)
    {
        state = null;
        if (!TryMakeRoot(document.ClusterId, settings, now, out var root, out refusal))
        {
            return false;
        }

        using (root)
        using (var old = AuthorityRoot.Load(current))
        {
            var life = TimeSpan.FromTicks(Math.Max(CrossSignedTtlMin.Ticks, 2 * settings.LeafTtl.Ticks));
            var crossSigned = old.NotAfter > now ? old.CrossSign(root, now, life) : null;
            var record = root.ToRecord(document.ClusterId, crossSigned) with
            {
                CreateIndex = index,
                ModifyIndex = index,
            };
            if (document.Roots.Any(r => r.Root.Id == record.Id))
            {
                refusal = Refusal.Failed("the root certificate is already one of this cluster's; bring a new one");
                return false;
            }

            var longest = LongestLeaf(current.Document);
            var roots = document.Roots.Select(r => r.RotatedOutAt is not null ? r : new HeldRoot(
                r.Root with { Active = false, ModifyIndex = index }, now.UtcDateTime)
            {
                LeafTtlMax = longest,
                MayGoAt = now.UtcDateTime + (2 * longest),
            });
            state = new CaState(
                document with { Roots = [.. roots, new HeldRoot(record, null)] }, root.ToKey(record));
            return true;
        }
    }

    // The longest life of a leaf that the active root has signed so far.
    private static TimeSpan LongestLeaf(CaDocument document)
    {
        var earlier = document.Roots.First(static r => r.Root.Active).LeafTtlMax;
        return CaSettings.TryRead(document.Configuration.Config, out var settings, out _) && settings.LeafTtl > earlier
            ? settings.LeafTtl
            : earlier;
    }

    // What the user did not say stays as it is: only another key, root, type or size asks for a new root.
    private static bool KeepsRoot(CaState current, CaSettings settings)
    {
        if (settings.RootCert.Length > 0)
        {
            return SamePem(settings.RootCert, current.Document.Active.RootCert) &&
                SamePem(settings.PrivateKey, current.Key.PrivateKey);
        }

        if (settings.PrivateKey.Length > 0)
        {
            return SamePem(settings.PrivateKey, current.Key.PrivateKey);
        }

        var active = current.Document.Active;
        return active.PrivateKeyType == settings.KeyType && active.PrivateKeyBits == settings.KeyBits;
    }

    private static bool SamePem(string left, string right) =>
        string.Concat(left.Where(static c => !char.IsWhiteSpace(c))) ==
        string.Concat(right.Where(static c => !char.IsWhiteSpace(c)));

    private static bool TryMakeRoot(
        string clusterId,
        CaSettings settings,
        DateTimeOffset now,
        [NotNullWhen(true)] out AuthorityRoot? root,
        [NotNullWhen(false)] out Refusal? refusal)
    {
        root = null;
        refusal = null;
        SigningKey? key;
        if (settings.PrivateKey.Length == 0)
        {
            key = SigningKey.Create(settings.KeyType, settings.KeyBits);
        }
        else if (!SigningKey.TryParse(settings.PrivateKey, out key, out var problem))
        {
            refusal = Refusal.Failed(
                $"error generating CA root certificate: error generating CA: error parsing private key: {problem}");
            return false;
        }

        if (settings.RootCert.Length == 0)
        {
            root = AuthorityRoot.Create(clusterId, key, now, settings.RootTtl);
            return true;
        }

        if (!AuthorityRoot.TryUse(settings.RootCert, key, now, out root, out var trouble))
        {
            key.Dispose();
            refusal = Refusal.Failed("error parsing root certificate: " + trouble);
        }

        return refusal is null;
    }

    // A configuration that was read and is written back says that the key it does not show stays.
    private static CaConfiguration RevealKept(CaState current, CaConfiguration next)
    {
        var key = SecretKeyOf(next.Config);
        if (key is null || next.Config![key] is not JsonValue value || !value.TryGetValue<string>(out var text) ||
            text != Hidden)
        {
            return next;
        }

        var config = next.Config.DeepClone().AsObject();
        config[key] = current.Key.PrivateKey;
        return next with { Config = config };
    }

    internal static CaConfiguration WithSecrets(CaState ca) => RevealKept(ca, ca.Document.Configuration);

    internal static CaConfiguration WithoutSecrets(CaConfiguration configuration)
    {
        var config = configuration.Config?.DeepClone().AsObject();
        if (SecretKeyOf(config) is { } key)
        {
            config![key] = Hidden;
        }

        return configuration with { Config = config };
    }

    private static string? SecretKeyOf(JsonObject? config) => config?
        .Where(static p => p.Value is JsonValue v && v.TryGetValue<string>(out var text) && text.Length > 0)
        .Select(static p => p.Key)
        .FirstOrDefault(static k => CaSettings.Plain(k) == "privatekey");

    private static string CanonicalKey(string key) => CaSettings.Plain(key) switch
    {
        "leafcertttl" => "LeafCertTTL",
        "rootcertttl" => "RootCertTTL",
        "intermediatecertttl" => "IntermediateCertTTL",
        "rotationperiod" => "RotationPeriod",
        "privatekey" => "PrivateKey",
        "privatekeytype" => "PrivateKeyType",
        "privatekeybits" => "PrivateKeyBits",
        "rootcert" => "RootCert",
        "csrmaxpersecond" => "CSRMaxPerSecond",
        "csrmaxconcurrent" => "CSRMaxConcurrent",
        _ => key,
    };
}
