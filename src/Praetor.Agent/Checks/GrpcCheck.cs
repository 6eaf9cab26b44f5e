using System.Buffers.Binary;
using System.Globalization;
using System.Net;
using System.Net.Http.Headers;
using System.Net.Security;
using System.Net.Sockets;
using System.Security.Authentication;
using System.Text;

namespace Praetor.Agent.Checks;

/// <summary>Asks grpc.health.v1.Health/Check; only the answer SERVING passes.</summary>
internal sealed class GrpcCheck(Dialer dialer, TimeProvider time) : ICheckRunner
{
    public async Task<CheckResult> RunAsync(CheckSpec spec, CancellationToken stop)
    {
        var slash = spec.Grpc.IndexOf('/');
        var address = slash < 0 ? spec.Grpc : spec.Grpc[..slash];
        var service = slash < 0 ? "" : spec.Grpc[(slash + 1)..];
        if (!HostPort.TryParse(address, out var target, out var problem))
        {
            return CheckResult.Critical(Unreachable($"dial tcp: {problem}"));
        }

        if (Uri.CheckHostName(target.Host) == UriHostNameType.Unknown
            || (spec.TlsServerName.Length > 0 && Uri.CheckHostName(spec.TlsServerName) == UriHostNameType.Unknown))
        {
            return CheckResult.Critical(Unreachable($"dial tcp: lookup {target.Host}: no such host"));
        }

        using var limit = new RunLimit(spec.EffectiveTimeout, time, stop);
        try
        {
            return await AskAsync(spec, target, service, limit.Token);
        }
        catch (HttpRequestException failure)
        {
            return CheckResult.Critical(WhyOf(failure));
        }
        catch (IOException)
        {
            return CheckResult.Critical(RpcError("Unavailable", "connection closed"));
        }
        catch (OperationCanceledException) when (limit.IsLate)
        {
            return CheckResult.Critical(RpcError("DeadlineExceeded", "context deadline exceeded"));
        }
    }

    private async Task<CheckResult> AskAsync(
        CheckSpec spec, HostPort target, string service, CancellationToken stop)
    {
        // The name is what the certificate must carry and what :authority says; where we connect is the target's
        // address.
        var name = spec.TlsServerName.Length > 0 ? new HostPort(spec.TlsServerName, target.Port) : target;
        using var handler = new SocketsHttpHandler
        {
            UseProxy = false,
            UseCookies = false,
            AllowAutoRedirect = false,
            SslOptions = dialer.Options(name.Host, spec, SslApplicationProtocol.Http2),
            ConnectCallback = async (_, connecting) => new NetworkStream(
                await Dialer.ConnectAsync(target, connecting), ownsSocket: true),
        };
        using var http = new HttpMessageInvoker(handler);
        var scheme = spec.GrpcUseTls ? Uri.UriSchemeHttps : Uri.UriSchemeHttp;
        using var request = new HttpRequestMessage(HttpMethod.Post, $"{scheme}://{name}/grpc.health.v1.Health/Check")
        {
            Version = HttpVersion.Version20,
            VersionPolicy = HttpVersionPolicy.RequestVersionExact,
            Content = new ByteArrayContent(GrpcHealthMessage.Request(service)),
        };
        request.Content.Headers.ContentType = new MediaTypeHeaderValue("application/grpc");
        request.Headers.TE.Add(new TransferCodingWithQualityHeaderValue("trailers"));
        request.Headers.TryAddWithoutValidation("User-Agent", "Consul Health Check");
        using var answer = await http.SendAsync(request, stop);
        return await JudgeAsync(spec, answer, stop);
    }

    private static async Task<CheckResult> JudgeAsync(
        CheckSpec spec, HttpResponseMessage answer, CancellationToken stop)
    {
        if (answer.StatusCode != HttpStatusCode.OK)
        {
            return CheckResult.Critical(RpcError("Unknown", $"unexpected HTTP status code {(int)answer.StatusCode}"));
        }

        var body = new byte[GrpcHealthMessage.AnswerBytesMax];
        await using var stream = await answer.Content.ReadAsStreamAsync(stop);
        var length = await stream.ReadAtLeastAsync(body, body.Length, throwOnEndOfStream: false, stop);
        if (StatusOf(answer) is { } failure)
        {
            return CheckResult.Critical(failure);
        }

        return GrpcHealthMessage.IsServing(body.AsSpan(0, length))
            ? CheckResult.Passing($"gRPC check {spec.Grpc}: success")
            : CheckResult.Critical("gRPC application didn't report service healthy");
    }

    // An error without a message comes in the headers, any other in the trailers.
    private static string? StatusOf(HttpResponseMessage answer)
    {
        var code = First(answer.TrailingHeaders, "grpc-status") ?? First(answer.Headers, "grpc-status");
        if (code is null or "0")
        {
            return null;
        }

        var message = First(answer.TrailingHeaders, "grpc-message") ?? First(answer.Headers, "grpc-message") ?? "";
        return RpcError(GrpcStatus.NameOf(code), Uri.UnescapeDataString(message));
    }

    private static string? First(HttpHeaders headers, string name) =>
        headers.TryGetValues(name, out var values) ? values.FirstOrDefault() : null;

    private static string WhyOf(HttpRequestException failure) => failure.InnerException switch
    {
        DialException dial => Unreachable($"Error while dialing {dial.Message}"),
        AuthenticationException tls =>
            Unreachable($"authentication handshake failed: {tls.InnerException?.Message ?? tls.Message}"),
        _ => RpcError("Unavailable", "connection closed"),
    };

    private static string Unreachable(string why) =>
        RpcError("Unavailable", $"connection error: desc = \"transport: {why}\"");

    private static string RpcError(string code, string message) => $"rpc error: code = {code} desc = {message}";
}

/// <summary>The names of gRPC's status codes.</summary>
internal static class GrpcStatus
{
    private static readonly string[] Names =
    [
        "OK", "Canceled", "Unknown", "InvalidArgument", "DeadlineExceeded", "NotFound", "AlreadyExists",
        "PermissionDenied", "ResourceExhausted", "FailedPrecondition", "Aborted", "OutOfRange", "Unimplemented",
        "Internal", "Unavailable", "DataLoss", "Unauthenticated",
    ];

    public static string NameOf(string code) =>
        int.TryParse(code, NumberStyles.None, CultureInfo.InvariantCulture, out var number) && number < Names.Length
            ? Names[number]
            : $"Code({code})";
}

/// <summary>
/// The two messages of grpc.health.v1.Health/Check, each in gRPC's frame: a flag byte, a length, protobuf.
/// </summary>
internal static class GrpcHealthMessage
{
    /// <summary>More than any answer of one small number needs.</summary>
    public const int AnswerBytesMax = 256;

    private const int FrameBytes = 5;
    private const int WireVarint = 0;
    private const int WireFixed64 = 1;
    private const int WireBytes = 2;
    private const int WireFixed32 = 5;
    private const byte ServiceField = (1 << 3) | WireBytes;
    private const uint StatusField = (1 << 3) | WireVarint;
    private const ulong Serving = 1;

    /// <summary>HealthCheckRequest { string service = 1 }, framed.</summary>
    public static byte[] Request(string service)
    {
        var name = Encoding.UTF8.GetBytes(service);
        var message = new List<byte>(name.Length + FrameBytes);
        if (name.Length > 0)
        {
            message.Add(ServiceField);
            for (var rest = (uint)name.Length; ; rest >>= 7)
            {
                message.Add((byte)(rest < 0x80 ? rest : (rest & 0x7F) | 0x80));
                if (rest < 0x80)
                {
                    break;
                }
            }

            message.AddRange(name);
        }

        var frame = new byte[FrameBytes + message.Count];
        BinaryPrimitives.WriteUInt32BigEndian(frame.AsSpan(1), (uint)message.Count);
        message.CopyTo(frame, FrameBytes);
        return frame;
    }

    /// <summary>Reads HealthCheckResponse { ServingStatus status = 1 }; anything unreadable is not SERVING.</summary>
    public static bool IsServing(ReadOnlySpan<byte> frame)
    {
        if (frame.Length < FrameBytes || frame[0] != 0)
        {
            return false;
        }

        var length = BinaryPrimitives.ReadUInt32BigEndian(frame[1..]);
        var message = frame[FrameBytes..];
        if (length > message.Length)
        {
            return false;
        }

        message = message[..(int)length];
        ulong status = 0;
        while (!message.IsEmpty)
        {
            if (!TryVarint(ref message, out var tag) || !TryField(ref message, (int)(tag & 7), out var value))
            {
                return false;
            }

            status = tag == StatusField ? value : status;
        }

        return status == Serving;
    }

    private static bool TryField(ref ReadOnlySpan<byte> message, int wire, out ulong value)
    {
        value = 0;
        if (wire == WireVarint)
        {
            return TryVarint(ref message, out value);
        }

        ulong skip = wire switch { WireFixed64 => 8, WireFixed32 => 4, _ => 0 };
        if (skip == 0 && (wire != WireBytes || !TryVarint(ref message, out skip)))
        {
            return false;
        }

        if (skip > (ulong)message.Length)
        {
            return false;
        }

        message = message[(int)skip..];
        return true;
    }

    private static bool TryVarint(ref ReadOnlySpan<byte> message, out ulong value)
    {
        value = 0;
        for (var shift = 0; shift < 64 && !message.IsEmpty; shift += 7)
        {
            var next = message[0];
            message = message[1..];
            value |= (ulong)(next & 0x7F) << shift;
            if (next < 0x80)
            {
                return true;
            }
        }

        return false;
    }
}
