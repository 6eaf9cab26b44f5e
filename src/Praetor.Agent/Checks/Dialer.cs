using System.Net;
using System.Net.Security;
using System.Net.Sockets;
using System.Security.Authentication;
using System.Security.Cryptography.X509Certificates;

namespace Praetor.Agent.Checks;

/// <summary>A target could not be reached; the message is the check's output.</summary>
internal sealed class DialException(string message, Exception? inner = null) : IOException(message, inner);

/// <summary>The certificates of <c>enable_agent_tls_for_checks</c>.</summary>
/// <param name="Client">Shown to targets that ask for one.</param>
/// <param name="Roots">Trusted instead of the machine's own; null: the machine's.</param>
public sealed record CheckCertificates(X509Certificate2? Client, X509Certificate2Collection? Roots);

/// <summary>
/// Opens the connections of all network checks, so that one place knows the words of failure and TLS.
/// </summary>
internal sealed class Dialer(Func<CheckCertificates?>? certificates = null)
{
    /// <summary>Connects to the first address of the host that answers.</summary>
    /// <exception cref="DialException">None answered, or the host has no address.</exception>
    public static async Task<Socket> ConnectAsync(HostPort target, CancellationToken stop)
    {
        DialException? failure = null;
        foreach (var address in await ResolveAsync(target, "tcp", stop))
        {
            var socket = new Socket(address.AddressFamily, SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
            try
            {
                await socket.ConnectAsync(address, target.Port, stop);
                return socket;
            }
            catch (SocketException error)
            {
                socket.Dispose();
                var at = new IPEndPoint(address, target.Port);
                failure = new DialException($"dial tcp {at}: connect: {GoText.Of(error.SocketErrorCode)}", error);
            }
            catch (OperationCanceledException)
            {
                socket.Dispose();
                throw;
            }
        }

        throw failure ?? new DialException($"dial tcp: lookup {target.Host}: no such host");
    }

    /// <summary>The addresses of a host; a literal address is its own.</summary>
    /// <exception cref="DialException">The name does not resolve.</exception>
    public static async Task<IPAddress[]> ResolveAsync(HostPort target, string network, CancellationToken stop)
    {
        if (IPAddress.TryParse(target.Host, out var literal))
        {
            return [literal];
        }

        try
        {
            return await System.Net.Dns.GetHostAddressesAsync(target.Host, stop);
        }
        catch (SocketException error)
        {
            var why = GoText.Of(error.SocketErrorCode);
            throw new DialException($"dial {network}: lookup {target.Host}: {why}", error);
        }
        catch (ArgumentException error)
        {
            throw new DialException($"dial {network}: lookup {target.Host}: no such host", error);
        }
    }

    /// <summary>A plain stream, or TLS around it.</summary>
    /// <exception cref="DialException">The target cannot be reached, or TLS fails.</exception>
    public async Task<Stream> OpenAsync(
        HostPort target, bool useTls, CheckSpec spec, SslApplicationProtocol? protocol, CancellationToken stop)
    {
        var plain = new NetworkStream(await ConnectAsync(target, stop), ownsSocket: true);
        if (!useTls)
        {
            return plain;
        }

        var tls = new SslStream(plain);
        try
        {
            await tls.AuthenticateAsClientAsync(Options(target.Host, spec, protocol), stop);
            return tls;
        }
        catch (Exception error) when (error is AuthenticationException or IOException or SocketException)
        {
            await tls.DisposeAsync();
            throw new DialException($"tls: {error.InnerException?.Message ?? error.Message}", error);
        }
        catch (OperationCanceledException)
        {
            await tls.DisposeAsync();
            throw;
        }
    }

    /// <summary>How TLS is spoken with a target of this name.</summary>
    public SslClientAuthenticationOptions Options(string host, CheckSpec spec, SslApplicationProtocol? protocol)
    {
        var shown = certificates?.Invoke();
        var options = new SslClientAuthenticationOptions
        {
            TargetHost = spec.TlsServerName.Length > 0 ? spec.TlsServerName : host,
            CertificateRevocationCheckMode = X509RevocationMode.NoCheck,
        };
        if (protocol is { } offered)
        {
            options.ApplicationProtocols = [offered];
        }

        if (shown?.Client is { } client)
        {
            options.ClientCertificateContext = SslStreamCertificateContext.Create(client, null, offline: true);
        }

        if (shown?.Roots is { } roots)
        {
            options.CertificateChainPolicy = TrustOnly(roots);
        }

        if (spec.TlsSkipVerify)
        {
            // Asked for by the check's owner: the answer is only looked at, never trusted with anything.
            options.RemoteCertificateValidationCallback = static (_, _, _, _) => true;
        }

        return options;
    }

    private static X509ChainPolicy TrustOnly(X509Certificate2Collection roots)
    {
        var policy = new X509ChainPolicy
        {
            TrustMode = X509ChainTrustMode.CustomRootTrust,
            RevocationMode = X509RevocationMode.NoCheck,
        };
        policy.CustomTrustStore.AddRange(roots);
        return policy;
    }
}
