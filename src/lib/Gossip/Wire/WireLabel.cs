using System.Text;

namespace Gossip.Wire;

/// <summary>The label in front of packets and of streams' first bytes: type byte, length, text.</summary>
internal sealed class WireLabel
{
    private const int HeadBytes = 2;
    private readonly bool _isCheckSkipped;

    /// <exception cref="ArgumentException">The label is longer than 255 bytes.</exception>
    public WireLabel(WireOptions options)
    {
        Text = Encoding.UTF8.GetBytes(options.Label);
        if (Text.Length > WireLimits.LabelBytesMax)
        {
            throw new ArgumentException(
                $"The gossip label has {Text.Length} bytes; use at most {WireLimits.LabelBytesMax}.", nameof(options));
        }
        _isCheckSkipped = options.SkipInboundLabelCheck;
        Header = Text.Length == 0 ? [] : [(byte)SwimMessageType.Label, (byte)Text.Length, .. Text];
    }

    /// <summary>The label's bytes: additional data of everything encrypted.</summary>
    public byte[] Text { get; }

    /// <summary>What goes in front; empty without a label.</summary>
    public byte[] Header { get; }

    /// <summary>Takes the header off.</summary>
    /// <param name="length">Its bytes; 0 when there is none.</param>
    public WireError Remove(ReadOnlySpan<byte> bytes, out int length)
    {
        length = 0;
        if (bytes.IsEmpty)
        {
            return WireError.Empty;
        }
        bool isLabelled = bytes[0] == (byte)SwimMessageType.Label;
        if (!isLabelled)
        {
            return Text.Length == 0 || _isCheckSkipped ? WireError.None : WireError.BadLabel;
        }
        if (_isCheckSkipped || bytes.Length < HeadBytes || bytes[1] == 0 || bytes.Length < HeadBytes + bytes[1])
        {
            return WireError.BadLabel;
        }
        length = HeadBytes + bytes[1];
        return bytes[HeadBytes..length].SequenceEqual(Text) ? WireError.None : WireError.BadLabel;
    }

    /// <summary>Bytes of the header that are known to come; used while a stream is read piece by piece.</summary>
    public static int BytesNeeded(ReadOnlySpan<byte> begin)
    {
        if (begin.IsEmpty || begin[0] != (byte)SwimMessageType.Label)
        {
            return 0;
        }
        return begin.Length < HeadBytes ? HeadBytes : HeadBytes + begin[1];
    }
}
