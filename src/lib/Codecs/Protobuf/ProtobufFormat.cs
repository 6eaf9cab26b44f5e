using System.Numerics;

namespace Codecs.Protobuf;

/// <summary>What the protobuf encoding consists of: fields, each a tag (number and kind) and a value.</summary>
public static class ProtobufFormat
{
    internal const int Varint = 0;
    internal const int Fixed64 = 1;
    internal const int Delimited = 2;
    internal const int Fixed32 = 5;
    internal const int KindBits = 3;
    internal const int KindMask = 7;
    internal const int VarintBitsPerByte = 7;
    internal const byte VarintMore = 0x80;
    internal const int VarintShiftMax = 63;

    /// <summary>The largest number that a field can have.</summary>
    public const int FieldMax = (1 << 29) - 1;

    /// <summary>How many bytes a field with a number takes; a boolean is 0 or 1.</summary>
    public static int SizeOfNumber(int field, ulong value) => SizeOfTag(field) + SizeOfVarint(value);

    /// <summary>How many bytes a field with bytes, a text or a message of a length takes.</summary>
    public static int SizeOfBytes(int field, int length) => SizeOfTag(field) + SizeOfVarint((uint)length) + length;

    internal static int SizeOfTag(int field) => SizeOfVarint((uint)field << KindBits);

    internal static int SizeOfVarint(ulong value) =>
        (BitOperations.Log2(value) / VarintBitsPerByte) + 1;
}
