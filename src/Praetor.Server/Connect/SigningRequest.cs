using System.Diagnostics.CodeAnalysis;
using System.Formats.Asn1;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;

namespace Praetor.Server.Connect;

/// <summary>What a certificate signing request asks: a key and exactly one identity. Everything else is
/// ignored.</summary>
/// <param name="Key">The key to certify.</param>
/// <param name="Uri">The identity it asks for.</param>
internal sealed record SigningRequest(PublicKey Key, string Uri)
{
    /// <summary>The longest request read.</summary>
    public const int PemLengthMax = 16 * 1024;

    private const string SubjectAlternativeName = "2.5.29.17";
    private const string EllipticKey = "1.2.840.10045.2.1";
    private const string RsaKey = "1.2.840.113549.1.1.1";
    private const int RsaBitsMin = 2048;
    private const int RsaBitsMax = 8192;

    /// <summary>Reads a request and checks its signature.</summary>
    public static bool TryRead(string pem, [NotNullWhen(true)] out SigningRequest? request, out string problem)
    {
        request = null;
        if (pem.Length > PemLengthMax)
        {
            problem = $"CSR of {pem.Length} characters; at most {PemLengthMax} are read";
            return false;
        }

        CertificateRequest parsed;
        try
        {
            // "Unsafe" means that extensions are handed over; only the alternative name is looked at.
            parsed = CertificateRequest.LoadSigningRequestPem(
                pem,
                HashAlgorithmName.SHA256,
                CertificateRequestLoadOptions.UnsafeLoadCertificateExtensions,
                RSASignaturePadding.Pkcs1);
        }
        catch (Exception e) when (e is CryptographicException or ArgumentException or NotSupportedException)
        {
            problem = "CSR cannot be read, or its signature is wrong";
            return false;
        }

        if (!IsStrong(parsed.PublicKey))
        {
            problem = $"CSR has a weak or unknown key; use EC P-256, P-384, P-521 or RSA of {RsaBitsMin} bits or more";
            return false;
        }

        if (!TryReadUri(parsed.CertificateExtensions, out var uri, out problem))
        {
            return false;
        }

        request = new SigningRequest(parsed.PublicKey, uri);
        return true;
    }

    /// <summary>The one URI among the alternative names; false when there is none, another, or more than one.</summary>
    public static bool TryReadUri(
        IEnumerable<X509Extension> extensions, [NotNullWhen(true)] out string? uri, out string problem)
    {
        uri = null;
        problem = "";
        var names = extensions.Where(static e => e.Oid?.Value == SubjectAlternativeName).ToList();
        if (names.Count != 1)
        {
            problem = $"CSR must have exactly one subject alternative name extension, it has {names.Count}";
            return false;
        }

        try
        {
            var sequence = new AsnReader(names[0].RawData, AsnEncodingRules.DER).ReadSequence();
            var tag = new Asn1Tag(TagClass.ContextSpecific, 6);
            if (sequence.HasData && sequence.PeekTag() == tag)
            {
                uri = sequence.ReadCharacterString(UniversalTagNumber.IA5String, tag);
            }

            // A second name might be read by a peer as the identity (CVE-2022-40716), so there must be none.
            if (sequence.HasData || uri is null)
            {
                uri = null;
                problem = "CSR must name exactly one URI and nothing else as subject alternative name";
            }
        }
        catch (AsnContentException)
        {
            problem = "CSR has an unreadable subject alternative name";
        }

        return uri is not null;
    }

    private static bool IsStrong(PublicKey key)
    {
        try
        {
            switch (key.Oid.Value)
            {
                case EllipticKey:
                    using (var elliptic = key.GetECDsaPublicKey())
                    {
                        return elliptic is { KeySize: 256 or 384 or 521 };
                    }

                case RsaKey:
                    using (var rsa = key.GetRSAPublicKey())
                    {
                        return rsa is { KeySize: >= RsaBitsMin and <= RsaBitsMax };
                    }

                default:
                    return false;
            }
        }
        catch (Exception e) when (e is CryptographicException or NotSupportedException)
        {
            return false;
        }
    }
}
