using System.Net;
using System.Net.Security;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;

namespace Support;

/// <summary>An authority and what it signs, as the PEM files that an agent and its clients are given.</summary>
public sealed class TestPki : IDisposable
{
    private readonly TempFolder _folder = new("pki");
    private readonly X509Certificate2 _authority;

    /// <summary>Makes the authority; the name says which one it is.</summary>
    public TestPki(string name = "authority")
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var request = new CertificateRequest($"CN={name}", key, HashAlgorithmName.SHA256);
        request.CertificateExtensions.Add(new X509BasicConstraintsExtension(true, false, 0, true));
        _authority = request.CreateSelfSigned(
            DateTimeOffset.UnixEpoch.AddYears(50), DateTimeOffset.UnixEpoch.AddYears(90));
        CaFile = _folder.Write("ca.pem", _authority.ExportCertificatePem());
    }

    /// <summary>The authority's certificate.</summary>
    public string CaFile { get; }

    /// <summary>Signs a certificate for localhost and 127.0.0.1, and writes it with its key.</summary>
    public (string Cert, string Key) Issue(string name)
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var request = new CertificateRequest($"CN={name}", key, HashAlgorithmName.SHA256);
        var names = new SubjectAlternativeNameBuilder();
        names.AddDnsName("localhost");
        names.AddIpAddress(IPAddress.Loopback);
        request.CertificateExtensions.Add(names.Build());
        using var signed = request.Create(
            _authority, _authority.NotBefore, _authority.NotAfter, RandomNumberGenerator.GetBytes(8));
        return (_folder.Write($"{name}.pem", signed.ExportCertificatePem()),
            _folder.Write($"{name}.key", key.ExportPkcs8PrivateKeyPem()));
    }

    /// <summary>How a client that trusts this authority, and no other, speaks TLS.</summary>
    /// <param name="shown">The certificate that it shows. Null: none.</param>
    public SslClientAuthenticationOptions ClientOptions((string Cert, string Key)? shown = null)
    {
        var policy = new X509ChainPolicy
        {
            TrustMode = X509ChainTrustMode.CustomRootTrust, RevocationMode = X509RevocationMode.NoCheck,
        };
        policy.CustomTrustStore.Add(_authority);
        return new SslClientAuthenticationOptions
        {
            TargetHost = "localhost",
            CertificateChainPolicy = policy,
            ClientCertificates = shown is { } pair ? [X509Certificate2.CreateFromPemFile(pair.Cert, pair.Key)] : null,
        };
    }

    /// <summary>Removes the files.</summary>
    public void Dispose()
    {
        _authority.Dispose();
        _folder.Dispose();
    }
}
