using System.Net.Security;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using Praetor.Agent.Checks;
using Praetor.Agent.Config;

namespace Praetor.Agent.Http.Tls;

/// <summary>What the files for TLS gave, all of them sound; a reload brings another one.</summary>
/// <param name="Https">How HTTPS is spoken. Null: there is no certificate.</param>
/// <param name="Checks">What checks show and trust. Null: the machine's roots, and they show nothing.</param>
internal sealed record TlsMaterial(ServerTls? Https, CheckCertificates? Checks)
{
    /// <summary>Nothing is configured.</summary>
    public static readonly TlsMaterial None = new(null, null);

    /// <summary>Reads the files. Problem null: they are sound.</summary>
    public static TlsMaterial Read(AgentConfig config, out string? problem)
    {
        try
        {
            problem = null;
            var https = ServerTls.Read(config.Https, config.Values.Flag("auto_encrypt.tls"));
            return new TlsMaterial(https, config.CheckSettings.UseAgentTls ? OfChecks(config.Tls) : null);
        }
        catch (FormatException e)
        {
            problem = e.Message;
            return None;
        }
    }

    private static CheckCertificates OfChecks(TlsConfig tls)
    {
        var roots = PemFiles.ReadRoots(tls);
        return new CheckCertificates(PemFiles.ReadPair(tls)?.Leaf, roots.Count > 0 ? roots : null);
    }
}

/// <summary>How a listener speaks TLS.</summary>
internal sealed class ServerTls
{
    // Of a certificate that says what it is for, a client must be a part.
    private static readonly Oid ClientAuthentication = new("1.3.6.1.5.5.7.3.2");

    // Always on, as in Go: a list of suites is about older versions only.
    private static readonly TlsCipherSuite[] SuitesOfTls13 =
    [
        TlsCipherSuite.TLS_AES_128_GCM_SHA256, TlsCipherSuite.TLS_AES_256_GCM_SHA384,
        TlsCipherSuite.TLS_CHACHA20_POLY1305_SHA256,
    ];

    private readonly TlsConfig _config;
    private readonly SslStreamCertificateContext _certificate;
    private readonly CipherSuitesPolicy? _suites;
    private readonly X509ChainPolicy? _clients;

    private ServerTls(TlsConfig config, SslStreamCertificateContext certificate, X509Certificate2Collection roots)
    {
        (_config, _certificate) = (config, certificate);
        if (config.CipherSuites.Count > 0 && !OperatingSystem.IsWindows())
        {
            _suites = new CipherSuitesPolicy([.. SuitesOfTls13, .. config.CipherSuites]);
        }

        if (config.VerifyIncoming)
        {
            _clients = new X509ChainPolicy
            {
                TrustMode = X509ChainTrustMode.CustomRootTrust,
                RevocationMode = X509RevocationMode.NoCheck,
            };
            _clients.ApplicationPolicy.Add(ClientAuthentication);
            _clients.CustomTrustStore.AddRange(roots);
        }
    }

    /// <summary>Reads the files.</summary>
    /// <param name="config">Where they are.</param>
    /// <param name="certificateComesLater">Whether a server is asked for the certificate.</param>
    /// <returns>Null: no certificate is configured.</returns>
    /// <exception cref="FormatException">One is missing or not sound.</exception>
    public static ServerTls? Read(TlsConfig config, bool certificateComesLater)
    {
        var roots = PemFiles.ReadRoots(config);
        var pair = PemFiles.ReadPair(config);
        if (config.VerifyIncoming && roots.Count == 0)
        {
            throw new FormatException("VerifyIncoming set but no CA certificates were provided; "
                + "set ca_file to the certificates that clients must be signed by");
        }

        if (config.VerifyIncoming && pair is null && !certificateComesLater)
        {
            throw new FormatException("VerifyIncoming requires either a Cert and Key pair in the configuration file, "
                + "or auto_encrypt/auto_config be enabled; set cert_file and key_file");
        }

        return pair is { } found
            ? new ServerTls(config, SslStreamCertificateContext.Create(found.Leaf, found.Between, offline: true), roots)
            : null;
    }

    /// <summary>The settings of one handshake.</summary>
    public SslServerAuthenticationOptions Options() => new()
    {
        ServerCertificateContext = _certificate,
        EnabledSslProtocols = _config.Versions,
        CipherSuitesPolicy = _suites,
        ClientCertificateRequired = _clients is not null,

        // A copy, since what the peer sends along is added to it.
        CertificateChainPolicy = _clients?.Clone(),
        CertificateRevocationCheckMode = X509RevocationMode.NoCheck,
        AllowRenegotiation = false,

        // Whose certificate is taken is decided anew each time: it may have changed with a reload.
        AllowTlsResume = _clients is null,
        ApplicationProtocols = [SslApplicationProtocol.Http11],
    };
}
