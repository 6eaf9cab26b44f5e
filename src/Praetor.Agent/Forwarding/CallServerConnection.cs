using System.Buffers;
using System.Buffers.Binary;
using System.Text;
using Codecs.Http2;

namespace Praetor.Agent.Forwarding;

/// <summary>The end of a connection for calls that answers them.</summary>
/// <param name="input">What comes from the caller, from its first byte on; owned by this.</param>
/// <param name="output">What goes to the caller; owned by this.</param>
/// <param name="path">What the request must be for.</param>
/// <param name="time">Measures silence.</param>
internal sealed class CallServerConnection(Stream input, Stream output, string path, TimeProvider time)
    : CallConnection(input, output, time)
{
    // ":status: 200", by its number in the table of HPACK.
    private const int Status200 = 8;
    private const int GoAwayBytes = 8;

    private readonly Stream _input = input;

    /// <summary>Takes what a client says first, and answers with the settings.</summary>
    /// <exception cref="IOException">The connection broke.</exception>
    /// <exception cref="InvalidDataException">It is no HTTP/2.</exception>
    public async Task BeginAsync(CancellationToken stop)
    {
        var preface = new byte[Http2Frame.Preface.Length];
        await _input.ReadExactlyAsync(preface, stop);
        if (!preface.AsSpan().SequenceEqual(Http2Frame.Preface))
        {
            throw new InvalidDataException("the other end speaks no HTTP/2");
        }

        AddControl(static control => WriteBeginning(control));
    }

    /// <summary>Says that no more calls should come here; those that come are answered.</summary>
    public void GoAway()
    {
        AddControl(static control =>
        {
            Span<byte> payload = stackalloc byte[GoAwayBytes];
            payload.Clear();
            BinaryPrimitives.WriteInt32BigEndian(payload, StreamId);
            Write(control, Http2FrameType.GoAway, 0, 0, payload);
        });
        SendControl();
    }

    /// <inheritdoc/>
    protected override void TakeFields(ref HpackReader fields)
    {
        var isHere = false;
        while (fields.Next())
        {
            isHere |= fields.Name.SequenceEqual(":path"u8)
                && fields.Value.SequenceEqual(Encoding.ASCII.GetBytes(path));
        }

        if (!isHere)
        {
            throw new InvalidDataException($"a connection for calls begins with a request for {path}");
        }

        AddControl(static control =>
        {
            var block = new ArrayBufferWriter<byte>(1);
            HpackWriter.WriteIndexed(block, Status200);
            Write(control, Http2FrameType.Headers, Http2Frame.EndHeaders, StreamId, block.WrittenSpan);
        });
    }

    /// <inheritdoc/>
    protected override void TakeGoAway(int lastStream)
    {
        // Whoever calls ends the connection itself.
    }
}
