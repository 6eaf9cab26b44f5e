using System.Text;
using Microsoft.AspNetCore.Http;

namespace Praetor.Agent.Http;

/// <summary>Refuses requests of which two readers could see different ends.</summary>
/// <remarks>
/// Kestrel takes what proxies before it may read otherwise: that is how a second request is smuggled in a body. What it
/// has thrown away by the time a request is here, the sign of a length, is refused by <see cref="StrictLength"/>.
/// </remarks>
internal static class FramingGuard
{
    // Under this name Kestrel puts the length of a request that has a transfer encoding, too.
    private const string MovedLength = "X-Content-Length";

    /// <summary>The methods of HTTP; those that no route has are answered 405 later.</summary>
    private static readonly HashSet<string> Methods = new(StringComparer.Ordinal)
    {
        "GET", "HEAD", "POST", "PUT", "DELETE", "PATCH", "OPTIONS", "TRACE", "CONNECT",
    };

    /// <summary>Why a request is not to be looked at. Null: its frame is sound.</summary>
    public static string? Refuses(HttpRequest request)
    {
        if (!Methods.Contains(request.Method))
        {
            return "unknown method; methods are written in capitals";
        }

        var encoding = request.Headers.TransferEncoding;
        if (encoding.Count == 0)
        {
            return null;
        }

        if (encoding.Count > 1 || !string.Equals(encoding[0], "chunked", StringComparison.OrdinalIgnoreCase))
        {
            return "Transfer-Encoding must be \"chunked\" and nothing else";
        }

        if (request.Headers.ContentLength is not null || request.Headers.ContainsKey(MovedLength))
        {
            return "Content-Length and Transfer-Encoding exclude each other";
        }

        return HttpProtocol.IsHttp10(request.Protocol) ? "HTTP/1.0 has no Transfer-Encoding" : null;
    }

    /// <summary>Answers a request that is not to be looked at, and ends its connection; false: it is sound.</summary>
    public static async Task<bool> RefusedAsync(HttpContext context)
    {
        if (Refuses(context.Request) is not { } why)
        {
            return false;
        }

        context.Response.StatusCode = StatusCodes.Status400BadRequest;
        context.Response.ContentType = Reply.TextType;
        context.Response.Headers.Connection = "close";
        await context.Response.WriteAsync($"Bad request: {why}");
        return true;
    }

    /// <summary>
    /// How the value of Content-Length is read: what is no digit stays none, so that Kestrel refuses <c>+4</c>.
    /// </summary>
    public sealed class StrictLength : Encoding
    {
        public static readonly StrictLength Instance = new();

        /// <summary>The encoding for a header; null: the usual one.</summary>
        public static Encoding? Select(string header) =>
            header.Equals("Content-Length", StringComparison.OrdinalIgnoreCase) ? Instance : null;

        public override int GetByteCount(char[] chars, int index, int count) => count;

        public override int GetBytes(char[] chars, int charIndex, int charCount, byte[] bytes, int byteIndex) =>
            ASCII.GetBytes(chars, charIndex, charCount, bytes, byteIndex);

        public override int GetCharCount(byte[] bytes, int index, int count) => count;

        public override int GetChars(byte[] bytes, int byteIndex, int byteCount, char[] chars, int charIndex)
        {
            for (var i = 0; i < byteCount; i++)
            {
                var value = (char)bytes[byteIndex + i];
                chars[charIndex + i] = char.IsAsciiDigit(value) ? value : '?';
            }

            return byteCount;
        }

        public override int GetMaxByteCount(int charCount) => charCount;

        public override int GetMaxCharCount(int byteCount) => byteCount;
    }
}
