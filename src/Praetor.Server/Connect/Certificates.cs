using System.Formats.Asn1;
using System.Globalization;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;

namespace Praetor.Server.Connect;

/// <summary>The shapes of the mesh's certificates: the same extensions, in the same order, as Consul's.</summary>
internal static class Certificates
{
    private const string ServerAuthentication = "1.3.6.1.5.5.7.3.1";
    private const string ClientAuthentication = "1.3.6.1.5.5.7.3.2";
    private const string SubjectAlternativeName = "2.5.29.17";
    private const string CommonNameId = "2.5.4.3";
    private const int UriTag = 6;

    /// <summary>How long before now certificates begin, for clocks that are behind.</summary>
    public static readonly TimeSpan ClockSkew = TimeSpan.FromMinutes(1);

    /// <summary>A request for an authority's certificate.</summary>
    public static CertificateRequest ForAuthority(
        X500DistinguishedName subject, PublicKey key, string uri, byte[] issuerKeyId)
    {
        var request = new CertificateRequest(subject, key, HashAlgorithmName.SHA256, RSASignaturePadding.Pkcs1);
        var extensions = request.CertificateExtensions;
        extensions.Add(new X509KeyUsageExtension(
            X509KeyUsageFlags.DigitalSignature | X509KeyUsageFlags.KeyCertSign | X509KeyUsageFlags.CrlSign,
            critical: true));
        extensions.Add(new X509BasicConstraintsExtension(
            certificateAuthority: true, hasPathLengthConstraint: false, pathLengthConstraint: 0, critical: true));
        AddKeysAndName(extensions, KeyId(key), issuerKeyId, uri);
        return request;
    }

    /// <summary>A request for a service's certificate.</summary>
    public static CertificateRequest ForLeaf(
        X500DistinguishedName subject, PublicKey key, string uri, byte[] issuerKeyId)
    {
        var request = new CertificateRequest(subject, key, HashAlgorithmName.SHA256, RSASignaturePadding.Pkcs1);
        var extensions = request.CertificateExtensions;
        extensions.Add(new X509KeyUsageExtension(
            X509KeyUsageFlags.DigitalSignature | X509KeyUsageFlags.KeyEncipherment |
            X509KeyUsageFlags.DataEncipherment | X509KeyUsageFlags.KeyAgreement,
            critical: true));
        extensions.Add(new X509EnhancedKeyUsageExtension(
            [new Oid(ClientAuthentication), new Oid(ServerAuthentication)], critical: false));
        extensions.Add(new X509BasicConstraintsExtension(
            certificateAuthority: false, hasPathLengthConstraint: false, pathLengthConstraint: 0, critical: true));
        AddKeysAndName(extensions, KeyId(key), issuerKeyId, uri);
        return request;
    }

    /// <summary>A subject of one common name, printable where it can be, as Go writes it.</summary>
    public static X500DistinguishedName Subject(string commonName)
    {
        var builder = new X500DistinguishedNameBuilder();
        builder.Add(CommonNameId, commonName, UniversalTagNumber.PrintableString);
        return builder.Build();
    }

    /// <summary>The key's identifier: the SHA-256 of its public form.</summary>
    public static byte[] KeyId(PublicKey key) => SHA256.HashData(key.ExportSubjectPublicKeyInfo());

    /// <summary>The identifier that a certificate gives for its key; made where it gives none.</summary>
    public static byte[] KeyId(X509Certificate2 certificate)
    {
        var given = certificate.Extensions.OfType<X509SubjectKeyIdentifierExtension>().FirstOrDefault();
        return given is null ? KeyId(certificate.PublicKey) : given.SubjectKeyIdentifierBytes.ToArray();
    }

    /// <summary>Bytes in hex with colons, as Consul prints serial numbers, keys and roots.</summary>
    public static string Hex(ReadOnlySpan<byte> bytes) =>
        string.Join(':', bytes.ToArray().Select(static b => b.ToString("x2", CultureInfo.InvariantCulture)));

    /// <summary>A positive serial number for a leaf that no other certificate has, by chance.</summary>
    public static byte[] NewSerial() => NewSerial(sizeof(ulong));

    /// <summary>The same for an authority: short enough to be exact as a number in every JSON reader.</summary>
    public static byte[] NewAuthoritySerial() => NewSerial(6);

    private static byte[] NewSerial(int length)
    {
        // The first byte keeps the number positive, and as long as it looks.
        var serial = RandomNumberGenerator.GetBytes(length);
        serial[0] = (byte)((serial[0] & 0x3f) | 0x40);
        return serial;
    }

    /// <summary>The certificate as PEM with a final line feed.</summary>
    public static string Pem(X509Certificate2 certificate) => certificate.ExportCertificatePem() + "\n";

    /// <summary>The time without what certificates cannot say: fractions of a second.</summary>
    public static DateTimeOffset WholeSecond(DateTimeOffset time) =>
        DateTimeOffset.FromUnixTimeSeconds(time.ToUnixTimeSeconds());

    private static void AddKeysAndName(
        System.Collections.ObjectModel.Collection<X509Extension> extensions,
        byte[] keyId, byte[] issuerKeyId, string uri)
    {
        extensions.Add(new X509SubjectKeyIdentifierExtension(keyId, critical: false));
        extensions.Add(X509AuthorityKeyIdentifierExtension.CreateFromSubjectKeyIdentifier(issuerKeyId));
        var name = new AsnWriter(AsnEncodingRules.DER);
        using (name.PushSequence())
        {
            // Written by hand: the framework's builder passes the text through System.Uri, which may rewrite it.
            name.WriteCharacterString(UniversalTagNumber.IA5String, uri, new Asn1Tag(TagClass.ContextSpecific, UriTag));
        }

        extensions.Add(new X509Extension(SubjectAlternativeName, name.Encode(), critical: false));
    }
}
