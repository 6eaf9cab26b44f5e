using System.Globalization;
using System.IO.Pipelines;
using System.Net.Http.Headers;
using Microsoft.AspNetCore.Http;
using Praetor.Agent.Http;

namespace Praetor.Agent.Forwarding;

/// <summary>A server's answer whose headers are there; its body may still be on its way. To be disposed.</summary>
internal abstract class ServerAnswer(int status, ServerPeer server) : IDisposable
{
    public int Status => status;

    public ServerPeer Server => server;

    /// <summary>The index that the answer has. 0: it has none.</summary>
    public ulong Index =>
        ulong.TryParse(Header("X-Consul-Index"), CultureInfo.InvariantCulture, out var index) ? index : 0;

    /// <summary>Whether it says that nothing was done, so that another server may be asked.</summary>
    public bool IsNotDone => Status >= StatusCodes.Status500InternalServerError
        && Header(Forwarder.NotDoneHeader) is not null;

    /// <summary>Copies the headers that are the answer's own, as HTTP/1 clients know them.</summary>
    public abstract void CopyHeaders(IHeaderDictionary to);

    /// <summary>Copies the body.</summary>
    /// <exception cref="IOException">It broke off.</exception>
    public abstract Task CopyBodyAsync(PipeWriter to, CancellationToken stop);

    /// <summary>Reads the body whole.</summary>
    /// <exception cref="IOException">It broke off, or is larger than
    /// <see cref="RpcLimits.AnswerBytesMax"/>.</exception>
    public abstract Task<ServerReply> ReadAsync();

    public virtual void Dispose()
    {
        // Nothing is held.
    }

    /// <summary>A header's first value. Null: it is not there.</summary>
    protected abstract string? Header(string name);
}

/// <summary>An answer that came in a frame, whole.</summary>
/// <param name="status">The status.</param>
/// <param name="headers">The headers as they stand in the frame; they are sound.</param>
/// <param name="body">The body.</param>
/// <param name="server">Who answered.</param>
internal sealed class FramedAnswer(
    int status, ReadOnlyMemory<byte> headers, ReadOnlyMemory<byte> body, ServerPeer server)
    : ServerAnswer(status, server)
{
    public override void CopyHeaders(IHeaderDictionary to) => CallFrames.CopyHeaders(headers.Span, to);

    public override async Task CopyBodyAsync(PipeWriter to, CancellationToken stop) =>
        await to.WriteAsync(body, stop);

    public override Task<ServerReply> ReadAsync()
    {
        var all = new HeaderDictionary();
        CallFrames.CopyHeaders(headers.Span, all);
        return Task.FromResult(new ServerReply(Status, all["Content-Type"].ToString(), Index, body.ToArray()));
    }

    protected override string? Header(string name)
    {
        var all = new HeaderDictionary();
        CallFrames.CopyHeaders(headers.Span, all);
        return all.TryGetValue(name, out var value) ? value.ToString() : null;
    }
}

/// <summary>An answer to a request of its own.</summary>
internal sealed class RequestedAnswer(
    HttpResponseMessage response, ServerPeer server, CancellationTokenSource limit)
    : ServerAnswer((int)response.StatusCode, server)
{
    private const int ChunkBytes = 16 * 1024;

    // What belongs to the connection that the answer came over, or is said anew.
    private static readonly HashSet<string> OfConnection = new(StringComparer.OrdinalIgnoreCase)
    {
        "Date", "Server", "Connection", "Transfer-Encoding", "Keep-Alive", Forwarder.NotDoneHeader,
    };

    public override void CopyHeaders(IHeaderDictionary to)
    {
        CopyHeaders(response.Headers.NonValidated, to);
        CopyHeaders(response.Content.Headers.NonValidated, to);
    }

    public override async Task CopyBodyAsync(PipeWriter to, CancellationToken stop)
    {
        await using var body = await response.Content.ReadAsStreamAsync(limit.Token);
        while (true)
        {
            var length = await body.ReadAsync(to.GetMemory(ChunkBytes), limit.Token);
            if (length == 0)
            {
                await to.FlushAsync(stop);
                return;
            }

            to.Advance(length);
            if (to.UnflushedBytes >= ChunkBytes)
            {
                await to.FlushAsync(stop);
            }
        }
    }

    public override async Task<ServerReply> ReadAsync()
    {
        var announced = response.Content.Headers.ContentLength ?? 0;
        if (announced > RpcLimits.AnswerBytesMax)
        {
            throw new IOException($"the answer is larger than {RpcLimits.AnswerBytesMax} bytes");
        }

        await using var body = await response.Content.ReadAsStreamAsync(limit.Token);
        using var buffer = new MemoryStream((int)announced);
        var chunk = new byte[ChunkBytes];
        while (await body.ReadAsync(chunk, limit.Token) is var length and > 0)
        {
            if (buffer.Length + length > RpcLimits.AnswerBytesMax)
            {
                throw new IOException($"the answer is larger than {RpcLimits.AnswerBytesMax} bytes");
            }

            buffer.Write(chunk, 0, length);
        }

        var type = response.Content.Headers.ContentType?.ToString() ?? Reply.TextType;
        return new ServerReply(Status, type, Index, buffer.ToArray());
    }

    public override void Dispose()
    {
        response.Dispose();
        limit.Dispose();
    }

    protected override string? Header(string name) =>
        response.Headers.TryGetValues(name, out var values) ? values.First() : null;

    private static void CopyHeaders(HttpHeadersNonValidated from, IHeaderDictionary to)
    {
        foreach (var (name, values) in from)
        {
            if (!OfConnection.Contains(name))
            {
                to[HeaderNames.Written(name)] = values.Count == 1 ? values.ToString() : values.ToArray();
            }
        }
    }
}
