using System.Globalization;
using System.Runtime.InteropServices;
using System.Text;
using Praetor.Proxy.Identity;
using Praetor.Proxy.Native;

namespace Praetor.Proxy.Net;

/// <summary>Who the other end of a handshake is, by its certificate.</summary>
/// <param name="Id">Its identity.</param>
/// <param name="Serial">The certificate's serial number as Consul writes it, like <c>0a:1b</c>.</param>
/// <param name="Left">How long the certificate is still valid.</param>
internal sealed record Peer(SpiffeId Id, string Serial, TimeSpan Left);

/// <summary>Reads the peer's identity out of a finished handshake.</summary>
internal static unsafe class PeerCertificate
{
    private const int MaxUriBytes = 2048;

    /// <summary>The peer, when its certificate has exactly one URI name, a service of the trust domain.</summary>
    /// <remarks>OpenSSL has checked signatures, validity and purpose by then; this is about the name alone.</remarks>
    public static Peer? Read(nint ssl, string trustDomain, out string problem)
    {
        var certificate = OpenSsl.PeerCertificate(ssl);
        if (certificate == 0 || OpenSsl.VerifyResult(ssl) != 0)
        {
            problem = "no verified certificate";
            return null;
        }

        var uri = OnlyUri(certificate, out problem);
        if (uri is null)
        {
            return null;
        }

        if (SpiffeId.Parse(uri) is not { } id)
        {
            problem = $"not a mesh service's identity: {uri}";
            return null;
        }

        if (!id.IsIn(trustDomain))
        {
            problem = $"{uri} is not of trust domain {trustDomain}";
            return null;
        }

        return new Peer(id, SerialOf(certificate), LeftOf(certificate));
    }

    /// <summary>Why a handshake failed, in words.</summary>
    public static string Problem(nint ssl)
    {
        var verify = ssl == 0 ? 0 : OpenSsl.VerifyResult(ssl);
        var error = OpenSsl.TakeError();
        return verify == 0 ? error : $"{error} ({Marshal.PtrToStringUTF8(OpenSsl.VerifyReason(verify))})";
    }

    private static string? OnlyUri(nint certificate, out string problem)
    {
        problem = "the certificate has no URI name";
        var names = OpenSsl.Extension(certificate, OpenSsl.NidSubjectAltName, null, null);
        if (names == 0)
        {
            return null;
        }

        string? uri = null;
        for (var i = 0; i < OpenSsl.StackCount(names); i++)
        {
            int type;
            var value = OpenSsl.NameValue(OpenSsl.StackItem(names, i), &type);
            if (type != OpenSsl.GeneralNameUri)
            {
                continue;
            }

            var length = OpenSsl.StringLength(value);
            if (uri is not null || length > MaxUriBytes)
            {
                problem = uri is null ? "the certificate's URI name is too long" : "the certificate has two URI names";
                uri = null;
                break;
            }

            uri = Encoding.Latin1.GetString(OpenSsl.StringData(value), length);
        }

        OpenSsl.FreeNames(names);
        return uri;
    }

    private static string SerialOf(nint certificate)
    {
        var serial = OpenSsl.Serial(certificate);
        var bytes = new ReadOnlySpan<byte>(OpenSsl.StringData(serial), OpenSsl.StringLength(serial));
        var text = new StringBuilder();
        foreach (var value in bytes)
        {
            text.Append(text.Length == 0 ? "" : ":").Append(value.ToString("x2", CultureInfo.InvariantCulture));
        }

        return text.ToString();
    }

    private static TimeSpan LeftOf(nint certificate)
    {
        int days;
        int seconds;
        var isKnown = OpenSsl.TimeDifference(&days, &seconds, 0, OpenSsl.NotAfter(certificate)) == 1;
        return isKnown ? new TimeSpan(days, 0, 0, seconds) : TimeSpan.Zero;
    }
}
