using System.Text.Json.Nodes;
using System.Text.Json.Serialization;

namespace Praetor.Server.Connect;

/// <summary>One root certificate, as stored and as answered. Holds nothing secret.</summary>
public sealed record CaRoot
{
    /// <summary>The SHA-1 of the certificate, in hex with colons.</summary>
    [JsonPropertyName("ID")]
    public required string Id { get; init; }

    /// <summary>A name for people.</summary>
    public string Name { get; init; } = "Consul CA Root Cert";

    /// <summary>The certificate's serial number.</summary>
    public ulong SerialNumber { get; init; }

    /// <summary>The key's identifier, in hex with colons.</summary>
    [JsonPropertyName("SigningKeyID")]
    public required string SigningKeyId { get; init; }

    /// <summary>The cluster's UUID: the trust domain without its suffix.</summary>
    public required string ExternalTrustDomain { get; init; }

    /// <summary>Valid from.</summary>
    public DateTime NotBefore { get; init; }

    /// <summary>Valid until.</summary>
    public DateTime NotAfter { get; init; }

    /// <summary>The certificate, PEM with a final line feed.</summary>
    public required string RootCert { get; init; }

    /// <summary>This root's key signed by the root before it. Null: there was none, or it was not to be used.</summary>
    public IReadOnlyList<string>? IntermediateCerts { get; init; }

    /// <summary>Whether new certificates are signed by this root.</summary>
    public bool Active { get; init; }

    /// <summary><c>ec</c> or <c>rsa</c>.</summary>
    public required string PrivateKeyType { get; init; }

    /// <summary>The key's size.</summary>
    public int PrivateKeyBits { get; init; }

    /// <summary>Whole days until it ends; only in answers.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public int? DaysRemaining { get; init; }

    /// <summary>The index at which it came.</summary>
    public ulong CreateIndex { get; init; }

    /// <summary>The index of its last change.</summary>
    public ulong ModifyIndex { get; init; }
}

/// <summary>How the certificate authority is set up, as clients write and read it.</summary>
public sealed record CaConfiguration
{
    /// <summary>The only provider there is so far.</summary>
    public const string BuiltIn = "consul";

    /// <summary>Who signs.</summary>
    public string Provider { get; init; } = "";

    /// <summary>The provider's settings, as they were written; see <see cref="CaSettings"/>.</summary>
    public JsonObject? Config { get; init; }

    /// <summary>What the provider remembers. The built-in one: nothing.</summary>
    public JsonObject? State { get; init; }

    /// <summary>Rotate also when the old root cannot vouch for the new one.</summary>
    public bool ForceWithoutCrossSigning { get; init; }

    /// <summary>The index at which the authority was set up.</summary>
    public ulong CreateIndex { get; init; }

    /// <summary>The index of the last change.</summary>
    public ulong ModifyIndex { get; init; }
}

/// <summary>A root and when it was replaced.</summary>
/// <param name="Root">The root.</param>
/// <param name="RotatedOutAt">When another took its place. Null: it is the active one.</param>
public sealed record HeldRoot(CaRoot Root, DateTime? RotatedOutAt)
{
    /// <summary>The longest life of leaves that it signed before the one configured now.</summary>
    public TimeSpan LeafTtlMax { get; init; }

    /// <summary>When its last leaf has ended for sure. Null: it is the active one.</summary>
    public DateTime? MayGoAt { get; init; }
}

/// <summary>Everything about the certificate authority that may be shown. One document of the state.</summary>
public sealed record CaDocument
{
    /// <summary>The document's name in the state.</summary>
    public const string Name = "connect-ca";

    /// <summary>The cluster's UUID.</summary>
    public required string ClusterId { get; init; }

    /// <summary>The configuration; without private keys.</summary>
    public required CaConfiguration Configuration { get; init; }

    /// <summary>The active root and those that certificates in use may still come from.</summary>
    public required IReadOnlyList<HeldRoot> Roots { get; init; }

    /// <summary>The trust domain of all identities.</summary>
    [JsonIgnore]
    public string TrustDomain => SpiffeId.TrustDomainOf(ClusterId);

    /// <summary>The root that signs.</summary>
    [JsonIgnore]
    public CaRoot Active => Roots.First(static r => r.Root.Active).Root;
}

/// <summary>The active root's private key. A document of its own, which no answer is ever made from.</summary>
public sealed record CaKey
{
    /// <summary>The document's name in the state.</summary>
    public const string Name = "connect-ca-key";

    /// <summary>The root whose key it is.</summary>
    public required string RootId { get; init; }

    /// <summary>The key, PEM.</summary>
    public required string PrivateKey { get; init; }

    /// <summary>Never shows the key: records are printed in logs and test failures.</summary>
    public override string ToString() => $"CaKey {{ RootId = {RootId} }}";
}

/// <summary>The certificate authority as the state holds it.</summary>
/// <param name="Document">What may be shown.</param>
/// <param name="Key">What may not.</param>
public sealed record CaState(CaDocument Document, CaKey Key);

/// <summary>A certificate for a service; with its key where the key was made.</summary>
public sealed record IssuedLeaf
{
    /// <summary>The serial number in hex with colons.</summary>
    public required string SerialNumber { get; init; }

    /// <summary>The certificate and what is needed to reach older roots, PEM.</summary>
    [JsonPropertyName("CertPEM")]
    public required string CertPem { get; init; }

    /// <summary>The private key, PEM. Null at whoever signed: it never sees the key.</summary>
    [JsonPropertyName("PrivateKeyPEM")]
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public string? PrivateKeyPem { get; init; }

    /// <summary>The service.</summary>
    public required string Service { get; init; }

    /// <summary>Its identity.</summary>
    [JsonPropertyName("ServiceURI")]
    public required string ServiceUri { get; init; }

    /// <summary>Valid from.</summary>
    public DateTime ValidAfter { get; init; }

    /// <summary>Valid until.</summary>
    public DateTime ValidBefore { get; init; }

    /// <summary>The index at which it was issued.</summary>
    public ulong CreateIndex { get; init; }

    /// <summary>The same as <see cref="CreateIndex"/>: certificates do not change.</summary>
    public ulong ModifyIndex { get; init; }

    /// <summary>The root that it was signed by; not part of the answer.</summary>
    [JsonIgnore]
    public string RootId { get; init; } = "";

    /// <summary>Never shows the key.</summary>
    public override string ToString() => $"IssuedLeaf {{ Service = {Service}, SerialNumber = {SerialNumber} }}";
}

/// <summary>The answer of the two roots endpoints.</summary>
public sealed record CaRootsAnswer
{
    /// <summary>The root that signs.</summary>
    [JsonPropertyName("ActiveRootID")]
    public required string ActiveRootId { get; init; }

    /// <summary>The trust domain of all identities.</summary>
    public required string TrustDomain { get; init; }

    /// <summary>All roots that are trusted, ordered by id.</summary>
    public required IReadOnlyList<CaRoot> Roots { get; init; }
}
