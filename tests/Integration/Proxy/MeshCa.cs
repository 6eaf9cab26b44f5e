using System.Net.Security;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using Praetor.Proxy.Identity;

namespace Integration.Proxy;

/// <summary>A certificate authority for tests that need no agent.</summary>
internal sealed class MeshCa : IDisposable
{
    public const string TrustDomain = "test.consul";

    private readonly X509Certificate2 _root;
    private readonly ECDsa _key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
    private byte _serial = 1;

    public MeshCa()
    {
        var request = new CertificateRequest("CN=mesh root", _key, HashAlgorithmName.SHA256);
        request.CertificateExtensions.Add(new X509BasicConstraintsExtension(true, false, 0, true));
        request.CertificateExtensions.Add(new X509KeyUsageExtension(X509KeyUsageFlags.KeyCertSign, true));
        _root = request.CreateSelfSigned(From, To);
    }

    public string RootPem => _root.ExportCertificatePem();

    private static DateTimeOffset From => TimeProvider.System.GetUtcNow().AddHours(-1);

    private static DateTimeOffset To => TimeProvider.System.GetUtcNow().AddDays(1);

    public static string UriOf(string service) => $"spiffe://{TrustDomain}/ns/default/dc/dc1/svc/{service}";

    public MeshIdentity Identity(string service, params MeshCa[] alsoTrusted) =>
        Identity(service, [UriOf(service)], alsoTrusted);

    public MeshIdentity Identity(string service, string[] uris, params MeshCa[] alsoTrusted)
    {
        using var leaf = Leaf(uris);
        return new MeshIdentity(
            SpiffeId.Parse(UriOf(service))!,
            leaf.ExportCertificatePem(),
            leaf.GetECDsaPrivateKey()!.ExportECPrivateKeyPem(),
            [RootPem, .. alsoTrusted.Select(static ca => ca.RootPem)],
            TrustDomain);
    }

    public X509Certificate2 Leaf(params string[] uris)
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var request = new CertificateRequest("CN=leaf", key, HashAlgorithmName.SHA256);
        request.CertificateExtensions.Add(new X509EnhancedKeyUsageExtension(
            [new Oid("1.3.6.1.5.5.7.3.1"), new Oid("1.3.6.1.5.5.7.3.2")], false));
        var names = new SubjectAlternativeNameBuilder();
        foreach (var uri in uris)
        {
            names.AddUri(new Uri(uri));
        }

        if (uris.Length == 0)
        {
            names.AddDnsName("web");
        }

        request.CertificateExtensions.Add(names.Build());
        using var signed = request.Create(_root, From.AddMinutes(1), To.AddMinutes(-1), [_serial++]);
        return X509CertificateLoader.LoadPkcs12(signed.CopyWithPrivateKey(key).Export(X509ContentType.Pkcs12), null);
    }

    /// <summary>What a client of another make would use, without checking the server.</summary>
    public static SslClientAuthenticationOptions ClientOptions(X509Certificate2? leaf) => new()
    {
        TargetHost = "",
        RemoteCertificateValidationCallback = static (_, _, _, _) => true,
        ClientCertificates = leaf is null ? null : [leaf],
    };

    public void Dispose()
    {
        _root.Dispose();
        _key.Dispose();
    }
}
