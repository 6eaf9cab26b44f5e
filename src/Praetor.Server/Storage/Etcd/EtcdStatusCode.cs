using System.Globalization;
using System.Net;
using System.Net.Http.Headers;

namespace Praetor.Server.Storage.Etcd;

/// <summary>How a call ended: what gRPC's status says about whether it was done.</summary>
/// <remarks>Codes are gRPC's; the texts are those of etcd 3.4 to 3.6 (<c>rpctypes/error.go</c>).</remarks>
internal static class EtcdStatusCode
{
    private const int None = -1;
    private const int Ok = 0;
    private const int InvalidArgument = 3;
    private const int NotFound = 5;
    private const int PermissionDenied = 7;
    private const int ResourceExhausted = 8;
    private const int FailedPrecondition = 9;
    private const int OutOfRange = 11;
    private const int Unimplemented = 12;
    private const int Unavailable = 14;
    private const int DataLoss = 15;
    private const int Unauthenticated = 16;

    // Most of what is "unavailable" may have been proposed; these are found before that.
    private static readonly string[] UnavailableButNotDone = ["not supported for learner", "unhealthy cluster"];

    /// <summary>What a call that was not good throws; null when it was.</summary>
    public static Exception? ProblemOf(HttpResponseMessage answer)
    {
        // Without a message the status stands in the headers, else in the trailers.
        var code = First(answer.TrailingHeaders, "grpc-status") ?? First(answer.Headers, "grpc-status");
        var told = First(answer.TrailingHeaders, "grpc-message") ?? First(answer.Headers, "grpc-message");
        return ProblemOf((int)answer.StatusCode, code, told);
    }

    /// <summary>The same of a status in its parts.</summary>
    /// <param name="http">The HTTP status.</param>
    /// <param name="code">What <c>grpc-status</c> says. Null: nothing.</param>
    /// <param name="told">What <c>grpc-message</c> says, as it was sent. Null: nothing.</param>
    public static Exception? ProblemOf(int http, string? code, string? told)
    {
        if (!int.TryParse(code, NumberStyles.None, CultureInfo.InvariantCulture, out var status))
        {
            status = None;
        }

        if (status == Ok)
        {
            return null;
        }

        if (status == None)
        {
            return new EtcdUnknownException(http == (int)HttpStatusCode.OK
                ? "etcd's answer ended without a status"
                : $"not etcd: it answered with HTTP status {http}");
        }

        return ProblemOf(status, told is null ? $"status {status}" : Uri.UnescapeDataString(told));
    }

    private static Exception ProblemOf(int status, string message) => status switch
    {
        InvalidArgument or NotFound or PermissionDenied or ResourceExhausted or FailedPrecondition or OutOfRange
            or Unimplemented or DataLoss or Unauthenticated => new EtcdRefusedException(message, status),
        Unavailable when UnavailableButNotDone.Any(message.Contains) => new EtcdRefusedException(message, status),
        _ => new EtcdUnknownException(message),
    };

    private static string? First(HttpHeaders headers, string name) =>
        headers.NonValidated.TryGetValues(name, out var values) && values.Count > 0 ? values.ToString() : null;
}
