using System.Buffers.Binary;
using System.Diagnostics.CodeAnalysis;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;

namespace Praetor.Server.Connect;

/// <summary>A root certificate together with its key.</summary>
internal sealed class AuthorityRoot : IDisposable
{
    private const int NameRandomBits = 36;

    private readonly SigningKey _key;
    private readonly X509Certificate2 _certificate;
    private readonly byte[] _keyId;

    private AuthorityRoot(SigningKey key, X509Certificate2 certificate)
    {
        _key = key;
        _certificate = certificate;
        _keyId = Certificates.KeyId(certificate);
    }

    /// <summary>When the root ends.</summary>
    public DateTimeOffset NotAfter => new(_certificate.NotAfter.ToUniversalTime());

    /// <summary>Makes a root for a key.</summary>
    public static AuthorityRoot Create(string clusterId, SigningKey key, DateTimeOffset now, TimeSpan life)
    {
        var domain = SpiffeId.TrustDomainOf(clusterId);
        var name = $"pri-{RandomName()}.consul.ca.{SpiffeSigning.ShortDomain(domain)}";
        var subject = Certificates.Subject(name);
        var start = Certificates.WholeSecond(now);
        var request = Certificates.ForAuthority(
            subject, key.PublicKey, new SpiffeSigning(domain).Uri, Certificates.KeyId(key.PublicKey));

        // It begins a little early, like everything it signs: a peer whose clock is behind must trust both or neither.
        var certificate = request.Create(
            subject, key.Generator(), start - Certificates.ClockSkew, start + life, Certificates.NewAuthoritySerial());
        return new AuthorityRoot(key, certificate);
    }

    /// <summary>Takes a root that the user brought.</summary>
    public static bool TryUse(
        string pem, SigningKey key, DateTimeOffset now, [NotNullWhen(true)] out AuthorityRoot? root, out string problem)
    {
        root = null;
        X509Certificate2 certificate;
        try
        {
            certificate = X509Certificate2.CreateFromPem(pem);
        }
        catch (Exception e) when (e is CryptographicException or ArgumentException)
        {
            problem = "no PEM-encoded certificate found";
            return false;
        }

        problem = ProblemOf(certificate, key, now) ?? "";
        if (problem.Length > 0)
        {
            certificate.Dispose();
            return false;
        }

        root = new AuthorityRoot(key, certificate);
        return true;
    }

    /// <summary>The active root of a state.</summary>
    /// <exception cref="CryptographicException">The state was damaged: its own key or certificate cannot be
    /// read.</exception>
    public static AuthorityRoot Load(CaState state)
    {
        if (!SigningKey.TryParse(state.Key.PrivateKey, out var key, out var problem))
        {
            throw new CryptographicException("the certificate authority's stored key cannot be used: " + problem);
        }

        return new AuthorityRoot(key, X509Certificate2.CreateFromPem(state.Document.Active.RootCert));
    }

    /// <summary>Signs another root's key, so that whoever trusts this root trusts what that one signs.</summary>
    /// <returns>PEM.</returns>
    public string CrossSign(AuthorityRoot other, DateTimeOffset now, TimeSpan life)
    {
        var start = Certificates.WholeSecond(now) - Certificates.ClockSkew;
        var uri = other.Uri() ?? Uri() ?? "";
        var request = Certificates.ForAuthority(
            other._certificate.SubjectName, other._certificate.PublicKey, uri, _keyId);
        using var certificate = request.Create(
            _certificate.SubjectName, _key.Generator(), start, Earlier(start + life),
            Certificates.NewAuthoritySerial());
        return Certificates.Pem(certificate);
    }

    /// <summary>Signs a service's key.</summary>
    public X509Certificate2 Sign(
        PublicKey key, SpiffeService identity, DateTimeOffset now, TimeSpan life, byte[] serial)
    {
        var start = Certificates.WholeSecond(now) - Certificates.ClockSkew;
        var request = Certificates.ForLeaf(Certificates.Subject(identity.CommonName), key, identity.Uri, _keyId);
        return request.Create(_certificate.SubjectName, _key.Generator(), start, Earlier(start + life), serial);
    }

    /// <summary>The root as record, active.</summary>
    public CaRoot ToRecord(string clusterId, string? crossSigned) => new()
    {
        Id = Certificates.Hex(SHA1Of(_certificate.RawData)),
        SerialNumber = SerialOf(_certificate),
        SigningKeyId = Certificates.Hex(_keyId),
        ExternalTrustDomain = clusterId,
        NotBefore = _certificate.NotBefore.ToUniversalTime(),
        NotAfter = _certificate.NotAfter.ToUniversalTime(),
        RootCert = Certificates.Pem(_certificate),
        IntermediateCerts = crossSigned is null ? null : [crossSigned],
        Active = true,
        PrivateKeyType = _key.Type,
        PrivateKeyBits = _key.Bits,
    };

    /// <summary>The key as record.</summary>
    public CaKey ToKey(CaRoot record) => new()
    {
        RootId = record.Id,
        PrivateKey = _key.ToPem(),
    };

    /// <inheritdoc/>
    public void Dispose()
    {
        _certificate.Dispose();
        _key.Dispose();
    }

    private static string? ProblemOf(X509Certificate2 certificate, SigningKey key, DateTimeOffset now)
    {
        var constraints = certificate.Extensions.OfType<X509BasicConstraintsExtension>().FirstOrDefault();
        var usage = certificate.Extensions.OfType<X509KeyUsageExtension>().FirstOrDefault();
        return certificate switch
        {
            _ when !certificate.PublicKey.ExportSubjectPublicKeyInfo().AsSpan()
                .SequenceEqual(key.PublicKey.ExportSubjectPublicKeyInfo()) => "it does not belong to the private key",
            _ when constraints is not { CertificateAuthority: true } =>
                "it is not a certificate authority (basic constraints CA:TRUE is missing)",
            _ when usage is not null && !usage.KeyUsages.HasFlag(X509KeyUsageFlags.KeyCertSign) =>
                "its key usage does not allow signing certificates",
            _ when certificate.NotAfter.ToUniversalTime() <= now.UtcDateTime => "it has expired",
            _ => null,
        };
    }

    private DateTimeOffset Earlier(DateTimeOffset end) => end < NotAfter ? end : NotAfter;

    private string? Uri() =>
        SigningRequest.TryReadUri(_certificate.Extensions, out var uri, out _) ? uri : null;

    private static ulong SerialOf(X509Certificate2 certificate)
    {
        var bytes = certificate.SerialNumberBytes.Span;
        Span<byte> last = stackalloc byte[sizeof(ulong)];
        last.Clear();
        bytes = bytes.Length > sizeof(ulong) ? bytes[^sizeof(ulong)..] : bytes;
        bytes.CopyTo(last[(sizeof(ulong) - bytes.Length)..]);
        return BinaryPrimitives.ReadUInt64BigEndian(last);
    }

    private static byte[] SHA1Of(byte[] certificate)
    {
#pragma warning disable CA5350 // A name for the root, chosen by Consul; nothing is proved by it.
        return SHA1.HashData(certificate);
#pragma warning restore CA5350
    }

    private static string RandomName()
    {
        const string Digits = "0123456789abcdefghijklmnopqrstuvwxyz";
        var rest = BinaryPrimitives.ReadUInt64BigEndian(RandomNumberGenerator.GetBytes(8)) >> (64 - NameRandomBits);
        var name = "";
        do
        {
            name = Digits[(int)(rest % (ulong)Digits.Length)] + name;
            rest /= (ulong)Digits.Length;
        }
        while (rest > 0);

        return name;
    }
}
