using System.Buffers.Binary;
using Codecs.MessagePack;

namespace Gossip.Wire;

/// <summary>
/// Tells when a stream's message is whole. Only encrypted ones say their length; others end where their last value
/// ends, so they are followed value by value, each value once.
/// </summary>
internal sealed class StreamFrame(bool hasLabel)
{
    /// <summary>The largest message with everything around it.</summary>
    public const int BytesMax = WireLimits.StreamBytesMax + 1024;

    // A member or a header: names, 512 bytes of its own, and what newer members may add.
    private const int ValueBytesMax = 4096;

    private enum Step
    {
        Label,
        Type,
        Header,
        Nodes,
        Payload,
    }

    private Step _step = hasLabel ? Step.Label : Step.Type;
    private SwimMessageType _type;
    private int _at;
    private uint _nodes;
    private uint _payload;

    /// <param name="bytes">Everything received so far; more of the same with each call.</param>
    /// <param name="error">Why it will never be whole.</param>
    public bool IsWhole(ReadOnlySpan<byte> bytes, out WireError error)
    {
        error = WireError.None;
        while (error == WireError.None)
        {
            Step step = _step;
            uint nodes = _nodes;
            if (Next(bytes, ref error))
            {
                return true;
            }
            if (_step == step && _nodes == nodes)
            {
                break; // more bytes are needed
            }
        }
        error = error == WireError.None && bytes.Length >= BytesMax ? WireError.TooLarge : error;
        return false;
    }

    private bool Next(ReadOnlySpan<byte> bytes, ref WireError error)
    {
        switch (_step)
        {
            case Step.Label:
                int label = WireLabel.BytesNeeded(bytes);
                if (!bytes.IsEmpty && bytes.Length >= label && (label != 2 || bytes.Length < 2 || bytes[1] == 0))
                {
                    _at = label;
                    _step = Step.Type;
                }
                return false;
            case Step.Type:
                TakeType(bytes);
                return false;
            case Step.Header:
                TakeHeader(bytes, ref error);
                return false;
            case Step.Nodes:
                TakeNode(bytes, ref error);
                return false;
            default:
                return (uint)(bytes.Length - _at) >= _payload;
        }
    }

    private void TakeType(ReadOnlySpan<byte> bytes)
    {
        if (bytes.Length > _at)
        {
            _type = (SwimMessageType)bytes[_at++];
            _step = Step.Header;
        }
    }

    private void TakeHeader(ReadOnlySpan<byte> bytes, ref WireError error)
    {
        if (_type == SwimMessageType.Encrypted)
        {
            TakeLength(bytes, ref error);
            return;
        }
        if (_type == SwimMessageType.Compressed)
        {
            TakeCodes(bytes, ref error);
            return;
        }
        if (_type is not (SwimMessageType.PushPull or SwimMessageType.User or SwimMessageType.Error
            or SwimMessageType.Ping or SwimMessageType.Ack))
        {
            error = WireError.UnknownType;
            return;
        }
        var reader = new MessagePackReader(bytes, _at);
        if (!SwimFields.TryRead(ref reader, out SwimFields fields))
        {
            error = WhyNotYet(bytes, reader.Error);
            return;
        }
        _nodes = _type == SwimMessageType.PushPull ? fields.Nodes : 0;
        _payload = _type switch
        {
            SwimMessageType.PushPull => fields.UserStateBytes,
            SwimMessageType.User => fields.UserMessageBytes,
            _ => 0,
        };
        error = _nodes > WireLimits.StreamNodesMax || _payload > WireLimits.StreamBytesMax
            ? WireError.TooLarge
            : WireError.None;
        _at = reader.Position;
        _step = Step.Nodes;
    }

    // Only its codes may be long, and whether they are there is seen at once.
    private void TakeCodes(ReadOnlySpan<byte> bytes, ref WireError error)
    {
        const int FieldsMax = 4;
        var reader = new MessagePackReader(bytes, _at);
        bool isRead = reader.TryReadMapHeader(out int fields) && fields <= FieldsMax;
        for (; isRead && fields > 0; fields--)
        {
            isRead = reader.TryReadRaw(out ReadOnlySpan<byte> name)
                && (name.SequenceEqual("Buf"u8) ? reader.TryReadRaw(out _) : reader.TryReadUInt32(out _));
        }
        if (isRead)
        {
            _at = reader.Position;
            _step = Step.Payload;
            return;
        }
        error = reader.Error == MessagePackReadError.Truncated ? WireError.None : WireError.Malformed;
    }

    private void TakeLength(ReadOnlySpan<byte> bytes, ref WireError error)
    {
        if (bytes.Length - _at < sizeof(uint))
        {
            return;
        }
        _payload = BinaryPrimitives.ReadUInt32BigEndian(bytes[_at..]);
        _at += sizeof(uint);
        _step = Step.Payload;
        error = _payload > WireLimits.StreamBytesMax ? WireError.TooLarge : WireError.None;
    }

    private void TakeNode(ReadOnlySpan<byte> bytes, ref WireError error)
    {
        if (_nodes == 0)
        {
            _step = Step.Payload;
            return;
        }
        var reader = new MessagePackReader(bytes, _at);
        if (reader.TrySkip())
        {
            _at = reader.Position;
            _nodes--;
            return;
        }
        error = WhyNotYet(bytes, reader.Error);
    }

    // A value that is not whole is read again from its beginning when more has come, so its length is bounded: else
    // somebody who sends byte by byte would make work that grows with the square of what he sends.
    private WireError WhyNotYet(ReadOnlySpan<byte> bytes, MessagePackReadError error) =>
        error == MessagePackReadError.Truncated && bytes.Length - _at < ValueBytesMax
            ? WireError.None
            : WireError.Malformed;
}
