using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using Praetor.Agent.Config;

namespace Praetor.Agent.Http.Tls;

/// <summary>Reads certificates and keys, and says of one that is not sound which file it is and why.</summary>
internal static class PemFiles
{
    /// <summary>The authority's certificates; empty: none are configured.</summary>
    /// <exception cref="FormatException">A file cannot be read, or holds no certificate.</exception>
    public static X509Certificate2Collection ReadRoots(TlsConfig config)
    {
        var roots = new X509Certificate2Collection();
        if (config.CaFile.Length > 0)
        {
            ReadCertificates(roots, "ca_file", config.CaFile);
        }
        else if (config.CaPath.Length > 0)
        {
            foreach (var file in FilesOf(config.CaPath))
            {
                ReadCertificates(roots, "ca_path", file);
            }
        }

        return roots;
    }

    /// <summary>The certificate with its key, and those between it and the authority. Null: not both are
    /// configured.</summary>
    /// <exception cref="FormatException">They cannot be read, or do not belong together.</exception>
    public static (X509Certificate2 Leaf, X509Certificate2Collection Between)? ReadPair(TlsConfig config)
    {
        if (config.CertFile.Length == 0 || config.KeyFile.Length == 0)
        {
            return null;
        }

        try
        {
            var all = new X509Certificate2Collection();
            ReadCertificates(all, "cert_file", config.CertFile);
            var leaf = X509Certificate2.CreateFromPemFile(config.CertFile, config.KeyFile);
            all.RemoveAt(0);
            return (leaf, all);
        }
        catch (Exception e) when (e is CryptographicException or ArgumentException)
        {
            throw new FormatException(
                $"Failed to load cert/key pair: {config.CertFile} and {config.KeyFile}: {e.Message} "
                    + "Give PEM files of one certificate and its key, without a password",
                e);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new FormatException($"Failed to load cert/key pair: {Why(e)}; set key_file to a file that "
                + "this user may read", e);
        }
    }

    private static void ReadCertificates(X509Certificate2Collection into, string key, string file)
    {
        var before = into.Count;
        try
        {
            into.ImportFromPemFile(file);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or CryptographicException)
        {
            throw new FormatException($"Error loading from {file}: {Why(e)}; set {key} to a PEM file", e);
        }

        if (into.Count == before)
        {
            throw new FormatException(
                $"Error loading from {file}: there is no certificate in it; set {key} to a PEM file with some");
        }
    }

    private static IEnumerable<string> FilesOf(string folder)
    {
        try
        {
            return Directory.EnumerateFiles(folder, "*", SearchOption.AllDirectories)
                .Order(StringComparer.Ordinal).ToList();
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new FormatException($"Error loading from {folder}: {Why(e)}; set ca_path to a directory", e);
        }
    }

    private static string Why(Exception e) => e.Message.TrimEnd('.');
}
