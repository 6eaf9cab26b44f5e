using System.Net.Sockets;
using System.Security.Authentication;

namespace Praetor.Client;

/// <summary>An agent could not be reached; <see cref="Exception.Message"/> reads as Consul's own client says
/// it.</summary>
public sealed class ConnectionException(HttpMethod method, string target, string reason, Exception inner)
    : HttpRequestException($"{Verb(method)} \"{target}\": {reason}", inner)
{
    // What .NET's text about a certificate holds, and how Go says it.
    private static readonly (string Part, string Go)[] ReasonsOfCertificates =
    [
        ("RemoteCertificateNameMismatch", "x509: certificate is not valid for the name that was asked for; "
            + "name one of its own by -tls-server-name"),
        ("NotTimeValid", "x509: certificate has expired or is not yet valid"),
        ("PartialChain", "x509: certificate signed by unknown authority"),
        ("UntrustedRoot", "x509: certificate signed by unknown authority"),
    ];

    /// <summary>What went wrong, without the request in front.</summary>
    public string Reason { get; } = reason;

    // Scripts look for the texts of Go's network library, so these are they.
    internal static string ReasonOf(Exception error, string endpoint)
    {
        for (var cause = error; cause is not null; cause = cause.InnerException)
        {
            if (cause is SocketException socket)
            {
                return OfSocket(socket.SocketErrorCode, endpoint);
            }

            if (cause is AuthenticationException)
            {
                return OfTls(cause);
            }

            if (cause is HttpIOException { HttpRequestError: HttpRequestError.ResponseEnded })
            {
                return "EOF";
            }
        }

        return error.Message;
    }

    private static string OfSocket(SocketError code, string endpoint) => code switch
    {
        SocketError.HostNotFound or SocketError.NoData or SocketError.TryAgain =>
            $"dial tcp: lookup {endpoint[..endpoint.LastIndexOf(':')]}: no such host",
        SocketError.Shutdown => $"write {Network(endpoint)}: write: broken pipe",
        SocketError.ConnectionReset => $"read {Network(endpoint)}: read: connection reset by peer",
        _ => $"dial {Network(endpoint)}: connect: {Errno(code)}",
    };

    private static string Network(string endpoint) => endpoint.StartsWith('/') ? $"unix {endpoint}" : $"tcp {endpoint}";

    private static string Errno(SocketError code) => code switch
    {
        SocketError.ConnectionRefused => "connection refused",
        SocketError.NetworkUnreachable => "network is unreachable",
        SocketError.HostUnreachable => "no route to host",
        SocketError.TimedOut => "connection timed out",
        SocketError.AccessDenied => "permission denied",
        SocketError.AddressNotAvailable or SocketError.SocketError => "no such file or directory",
        _ => code.ToString(),
    };

    private static string OfTls(Exception error)
    {
        var text = error.Message;
        if (text.Contains("frame", StringComparison.OrdinalIgnoreCase))
        {
            return "http: server gave HTTP response to HTTPS client";
        }

        return ReasonsOfCertificates.FirstOrDefault(reason => text.Contains(reason.Part, StringComparison.Ordinal)).Go
            ?? $"tls: {text}";
    }

    private static string Verb(HttpMethod method) => method.Method[..1] + method.Method[1..].ToLowerInvariant();
}
