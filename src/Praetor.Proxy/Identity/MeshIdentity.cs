namespace Praetor.Proxy.Identity;

/// <summary>What a service proves itself with, and whom it believes.</summary>
/// <param name="Id">The service's own identity.</param>
/// <param name="LeafPem">The leaf certificate, followed by the intermediates that lead to a root.</param>
/// <param name="KeyPem">The leaf's private key.</param>
/// <param name="RootsPem">The mesh's root certificates, old ones too while a rotation lasts.</param>
/// <param name="TrustDomain">The trust domain all identities must be of.</param>
internal sealed record MeshIdentity(
    SpiffeId Id, string LeafPem, string KeyPem, IReadOnlyList<string> RootsPem, string TrustDomain)
{
    /// <summary>Never the key.</summary>
    public override string ToString() => Id.ToString();

    /// <summary>Whether a handshake with either would prove and believe the same.</summary>
    public bool IsSameAs(MeshIdentity? other) =>
        other is not null && LeafPem == other.LeafPem && KeyPem == other.KeyPem
        && TrustDomain == other.TrustDomain && RootsPem.SequenceEqual(other.RootsPem, StringComparer.Ordinal);
}
