using System.Net.Security;
using System.Security.Authentication;

namespace Praetor.Agent.Config;

/// <summary>TLS of one kind of connection, as configured; files are read when they are needed.</summary>
/// <param name="CaFile">File with the authority's certificates. Empty: none.</param>
/// <param name="CaPath">Directory with them; counts without <paramref name="CaFile"/>. Empty: none.</param>
/// <param name="CertFile">File with the certificate, and those between it and the authority. Empty: none.</param>
/// <param name="KeyFile">File with its private key. Empty: none.</param>
/// <param name="Versions">The versions that are spoken.</param>
/// <param name="CipherSuites">The suites that are spoken. Empty: the machine's usual ones.</param>
/// <param name="VerifyIncoming">Who connects must show a certificate of the authority.</param>
public sealed record TlsConfig(
    string CaFile,
    string CaPath,
    string CertFile,
    string KeyFile,
    SslProtocols Versions,
    IReadOnlyList<TlsCipherSuite> CipherSuites,
    bool VerifyIncoming)
{
    // Go writes some names without the hash, and cannot be told about those of TLS 1.3: they are always on.
    private const string UnwrittenHash = "_SHA256";

    /// <summary>The versions from the oldest that is named. Null: there is no such name. Older ones than 1.2 are known
    /// and not spoken.</summary>
    public static SslProtocols? VersionsFrom(string name) => name.ToUpperInvariant().Replace("_", "") switch
    {
        "" or "TLSAUTO" or "TLS10" or "TLSV10" or "TLS11" or "TLSV11" or "TLS12" or "TLSV12" =>
            SslProtocols.Tls12 | SslProtocols.Tls13,
        "TLS13" or "TLSV13" => SslProtocols.Tls13,
        _ => null,
    };

    /// <summary>Reads a list of suites, as Go names them. False: <paramref name="unknown"/> is none.</summary>
    public static bool TryReadSuites(string list, out IReadOnlyList<TlsCipherSuite> suites, out string unknown)
    {
        var found = new List<TlsCipherSuite>();
        suites = found;
        foreach (var name in list.Split(',', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries))
        {
            if (!Enum.TryParse(name, out TlsCipherSuite suite) && !Enum.TryParse(name + UnwrittenHash, out suite))
            {
                unknown = name;
                return false;
            }

            found.Add(suite);
        }

        unknown = "";
        return true;
    }
}
