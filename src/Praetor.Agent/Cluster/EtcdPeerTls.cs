using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using Praetor.Agent.Config;

namespace Praetor.Agent.Cluster;

/// <summary>PEM files by which members prove to each other who they are.</summary>
internal sealed record EtcdPeerTls(string CertificateFile, string KeyFile, string CaFile)
{
    /// <summary>A name that other members' certificates must have. Null: any that the authority has signed.</summary>
    public string? AllowedHost { get; init; }

    /// <summary>The files for calls between agents, when TLS is asked for there and will do between etcds, too. Null:
    /// no TLS; <paramref name="why"/> says so when it was asked for.</summary>
    /// <remarks>A member is called by its address and must have it in its certificate: etcd knows no other way. Many
    /// certificates that were made for Consul have only <c>server.dc1.consul</c>.</remarks>
    public static EtcdPeerTls? Of(AgentConfig config, out string? why)
    {
        var tls = config.InternalTls;
        why = null;
        if (!config.AsksForInternalTls)
        {
            return null;
        }

        if (tls.CaFile.Length == 0 || tls.CertFile.Length == 0 || tls.KeyFile.Length == 0)
        {
            why = "ca_file, cert_file and key_file are not all set";
            return null;
        }

        return Of(config, tls, ref why);
    }

    private static EtcdPeerTls? Of(AgentConfig config, TlsConfig tls, ref string? why)
    {
        var address = config.Addresses.Advertise.ToString();
        try
        {
            using var certificate = X509Certificate2.CreateFromPem(File.ReadAllText(tls.CertFile));
            if (!certificate.MatchesHostname(address))
            {
                why = $"{tls.CertFile}: the certificate does not name the address {address}";
                return null;
            }

            var server = $"server.{config.Datacenter}.{config.Dns.Domain.TrimEnd('.')}";
            var isNamed = config.VerifiesServerHostname && certificate.MatchesHostname(server);
            return new EtcdPeerTls(tls.CertFile, tls.KeyFile, tls.CaFile) { AllowedHost = isNamed ? server : null };
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or CryptographicException)
        {
            why = $"{tls.CertFile}: {e.Message}";
            return null;
        }
    }
}
