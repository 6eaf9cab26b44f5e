using System.Net.Security;
using System.Security.Cryptography.X509Certificates;

namespace Praetor.CommandLine;

/// <summary>The flags for TLS to an agent, with the environment behind them.</summary>
internal sealed class TlsFlags
{
    private static readonly string[] Variables =
        ["CACERT", "CAPATH", "CLIENT_CERT", "CLIENT_KEY", "TLS_SERVER_NAME", "HTTP_SSL_VERIFY"];

    private readonly Flag<string>[] _all;
    private readonly Flag<string> _caFile;
    private readonly Flag<string> _caPath;
    private readonly Flag<string> _certificate;
    private readonly Flag<string> _key;
    private readonly Flag<string> _serverName;

    public TlsFlags(FlagSet flags)
    {
        _caFile = flags.String(
            "ca-file", "File with CA certificates (PEM) to trust. Also CONSUL_CACERT.",
            value: "value", offer: Candidates.Files);
        _caPath = flags.String(
            "ca-path", "Folder with CA certificates (PEM) to trust. Also CONSUL_CAPATH.",
            value: "value", offer: Candidates.Files);
        _certificate = flags.String(
            "client-cert", "Client certificate (PEM), for agents that demand one. Also CONSUL_CLIENT_CERT.",
            value: "value", offer: Candidates.Files);
        _key = flags.String(
            "client-key", "Key of the client certificate (PEM). Also CONSUL_CLIENT_KEY.",
            value: "value", offer: Candidates.Files);
        _serverName = flags.String(
            "tls-server-name", "Name to ask for and to find in the agent's certificate. Also CONSUL_TLS_SERVER_NAME.",
            value: "value");
        _all = [_caFile, _caPath, _certificate, _key, _serverName];
    }

    /// <summary>The settings for an https address.</summary>
    /// <exception cref="IOException">A file cannot be read.</exception>
    public SslClientAuthenticationOptions Options(Shell shell)
    {
        var options = new SslClientAuthenticationOptions();
        if (HttpFlags.NonEmpty(_serverName) is { } flag)
        {
            options.TargetHost = flag;
        }
        else if (shell.Setting("TLS_SERVER_NAME") is { } name)
        {
            options.TargetHost = name;
        }

        TrustOwn(shell, options);
        Identify(shell, options);
        if (!HttpFlags.IsOn(shell, "HTTP_SSL_VERIFY", otherwise: true))
        {
            // Asked for by the user, in so many words.
            options.RemoteCertificateValidationCallback = static (_, _, _, _) => true;
        }

        return options;
    }

    /// <summary>Reads what was given without using it: a wrong file is an error on a plain address, too.</summary>
    public SslClientAuthenticationOptions? Check(Shell shell)
    {
        if (_all.Any(flag => flag.IsSet) || Variables.Any(name => shell.Setting(name) is not null))
        {
            Options(shell);
        }

        return null;
    }

    private void TrustOwn(Shell shell, SslClientAuthenticationOptions options)
    {
        var trusted = new X509Certificate2Collection();
        if ((HttpFlags.NonEmpty(_caFile) ?? shell.Setting("CACERT")) is { } file)
        {
            Load(trusted, file, $"Error loading CA File: open {file}");
        }
        else if ((HttpFlags.NonEmpty(_caPath) ?? shell.Setting("CAPATH")) is { } folder)
        {
            LoadFolder(trusted, folder);
        }

        if (trusted.Count == 0)
        {
            return;
        }

        var policy = new X509ChainPolicy
        {
            TrustMode = X509ChainTrustMode.CustomRootTrust,
            RevocationMode = X509RevocationMode.NoCheck,
        };
        policy.CustomTrustStore.AddRange(trusted);
        options.CertificateChainPolicy = policy;
    }

    private void Identify(Shell shell, SslClientAuthenticationOptions options)
    {
        var certificate = HttpFlags.NonEmpty(_certificate) ?? shell.Setting("CLIENT_CERT");
        var key = HttpFlags.NonEmpty(_key) ?? shell.Setting("CLIENT_KEY");
        if (certificate is null && key is null)
        {
            return;
        }

        if (certificate is null || key is null)
        {
            throw new InvalidDataException("both client cert and client key must be provided");
        }

        try
        {
            options.ClientCertificates = [X509Certificate2.CreateFromPemFile(certificate, key)];
        }
        catch (IOException missing)
        {
            throw new IOException($"Error loading client certificate: {GoErrors.Open(certificate, missing)}", missing);
        }
    }

    private static void LoadFolder(X509Certificate2Collection trusted, string folder)
    {
        if (!Directory.Exists(folder))
        {
            throw new IOException($"lstat {folder}: no such file or directory");
        }

        foreach (var file in Directory.EnumerateFiles(folder, "*", SearchOption.AllDirectories))
        {
            Load(trusted, file, $"Error loading CA File: open {file}");
        }
    }

    private static void Load(X509Certificate2Collection trusted, string file, string doing)
    {
        try
        {
            trusted.ImportFromPemFile(file);
        }
        catch (Exception missing) when (missing is IOException or UnauthorizedAccessException)
        {
            throw new IOException($"{doing}: {GoErrors.Reason(missing)}", missing);
        }
    }
}
