using System.Net;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using Praetor.Agent.Cluster;
using Support;

namespace Integration.Etcd;

/// <summary>An authority of its own, with one certificate for 127.0.0.1 that serves both sides, as PEM files.</summary>
internal static class TestAuthority
{
    private const string ServerAuthentication = "1.3.6.1.5.5.7.3.1";
    private const string ClientAuthentication = "1.3.6.1.5.5.7.3.2";

    /// <summary>Writes the files.</summary>
    public static EtcdPeerTls Write(TempFolder folder)
    {
        var now = TimeProvider.System.GetUtcNow();
        using var caKey = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var caRequest = new CertificateRequest("CN=test authority", caKey, HashAlgorithmName.SHA256);
        caRequest.CertificateExtensions.Add(new X509BasicConstraintsExtension(true, false, 0, true));
        using var ca = caRequest.CreateSelfSigned(now.AddDays(-1), now.AddDays(2));

        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var request = new CertificateRequest("CN=member", key, HashAlgorithmName.SHA256);
        var names = new SubjectAlternativeNameBuilder();
        names.AddIpAddress(IPAddress.Loopback);
        request.CertificateExtensions.Add(names.Build());
        request.CertificateExtensions.Add(new X509EnhancedKeyUsageExtension(
            [new Oid(ServerAuthentication), new Oid(ClientAuthentication)], critical: false));
        using var certificate = request.Create(ca, now.AddDays(-1), now.AddDays(1), [1, 2, 3]);
        return new EtcdPeerTls(
            folder.Write("member.pem", certificate.ExportCertificatePem()),
            folder.Write("member-key.pem", key.ExportPkcs8PrivateKeyPem()),
            folder.Write("ca.pem", ca.ExportCertificatePem()));
    }
}
