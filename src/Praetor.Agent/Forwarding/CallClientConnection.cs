using System.Buffers;
using System.Globalization;
using System.Net;
using Codecs.Http2;

namespace Praetor.Agent.Forwarding;

/// <summary>The end of a connection for calls that makes them.</summary>
/// <param name="stream">Where to; owned by this.</param>
/// <param name="time">Measures silence.</param>
internal sealed class CallClientConnection(Stream stream, TimeProvider time) : CallConnection(stream, stream, time)
{
    private readonly Stream _stream = stream;

    /// <summary>Whether the server takes no more on this connection; what is under way is still answered.</summary>
    public bool IsLeaving { get; private set; }

    /// <summary>Begins the request, whose body is what is sent from now on.</summary>
    /// <exception cref="IOException">The connection broke.</exception>
    public async Task BeginAsync(
        string authority, string path, IEnumerable<KeyValuePair<string, string>> headers, CancellationToken stop)
    {
        var block = new ArrayBufferWriter<byte>();
        HpackWriter.WriteIndexed(block, HpackWriter.MethodPost);
        HpackWriter.WriteIndexed(block, HpackWriter.SchemeHttp);
        HpackWriter.Write(block, HpackWriter.Authority, authority);
        HpackWriter.Write(block, HpackWriter.Path, path);
        foreach (var (name, value) in headers)
        {
            HpackWriter.Write(block, name, value);
        }

        var first = new ArrayBufferWriter<byte>();
        first.Write(Http2Frame.Preface);
        WriteBeginning(first);
        Write(first, Http2FrameType.Headers, Http2Frame.EndHeaders, StreamId, block.WrittenSpan);
        await _stream.WriteAsync(first.WrittenMemory, stop);
    }

    /// <inheritdoc/>
    protected override void TakeFields(ref HpackReader fields)
    {
        while (fields.Next())
        {
            if (fields.Name.SequenceEqual(":status"u8)
                && (!int.TryParse(fields.Value, NumberStyles.None, CultureInfo.InvariantCulture, out var status)
                    || status != (int)HttpStatusCode.OK))
            {
                throw new IOException($"the server answers a stream of calls with {status}");
            }
        }
    }

    /// <inheritdoc/>
    protected override void TakeGoAway(int lastStream)
    {
        IsLeaving = true;
        if (lastStream < StreamId)
        {
            throw new IOException("the server goes away");
        }
    }
}
