using System.Buffers;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;

namespace Praetor.Agent.Http;

/// <summary>A request's body, read whole up to a bound.</summary>
/// <param name="Bytes">The body; empty when there is none.</param>
/// <param name="IsTooLarge">Whether it is larger than the bound; then it was not read.</param>
/// <param name="Announced">The length that the request names. Null: none.</param>
internal readonly record struct RequestBody(byte[] Bytes, bool IsTooLarge, long? Announced)
{
    public static async ValueTask<RequestBody> ReadAsync(HttpContext context, int bytesMax)
    {
        var announced = context.Request.ContentLength;
        if (announced > bytesMax)
        {
            return new RequestBody([], IsTooLarge: true, announced);
        }

        if (!context.Features.GetRequiredFeature<IHttpRequestBodyDetectionFeature>().CanHaveBody)
        {
            return new RequestBody([], IsTooLarge: false, announced);
        }

        var reader = context.Request.BodyReader;
        while (true)
        {
            var read = await reader.ReadAsync(context.RequestAborted);
            if (read.Buffer.Length > bytesMax)
            {
                reader.AdvanceTo(read.Buffer.End);
                return new RequestBody([], IsTooLarge: true, Announced: null);
            }

            if (read.IsCompleted)
            {
                var body = read.Buffer.ToArray();
                reader.AdvanceTo(read.Buffer.End);
                return new RequestBody(body, IsTooLarge: false, announced);
            }

            reader.AdvanceTo(read.Buffer.Start, read.Buffer.End);
        }
    }
}
