namespace Codecs.MessagePack;

/// <summary>Why bytes could not be read.</summary>
public enum MessagePackReadError
{
    None = 0,

    /// <summary>More bytes are announced than there are.</summary>
    Truncated = 1,

    /// <summary>Something else stands there than the reader asked for.</summary>
    UnexpectedType = 2,

    /// <summary>The number does not fit the type that was asked for.</summary>
    OutOfRange = 3,

    /// <summary>A string that is not UTF-8.</summary>
    BadText = 4,
}

/// <summary>What a value is.</summary>
public enum MessagePackKind
{
    /// <summary>Nothing that is read here.</summary>
    None = 0,

    Nil = 1,

    Boolean = 2,

    /// <summary>A whole number, with a sign or without.</summary>
    Integer = 3,

    Float = 4,

    /// <summary>A string or bytes.</summary>
    Raw = 5,

    Array = 6,

    Map = 7,
}

/// <summary>The first bytes of values, as the format defines them.</summary>
internal static class MessagePackFormat
{
    public const byte PositiveFixMax = 0x7f;
    public const byte FixMap = 0x80;
    public const byte FixArray = 0x90;
    public const byte FixRaw = 0xa0;
    public const byte Nil = 0xc0;
    public const byte False = 0xc2;
    public const byte True = 0xc3;
    public const byte Bin8 = 0xc4;
    public const byte Bin16 = 0xc5;
    public const byte Bin32 = 0xc6;
    public const byte Ext8 = 0xc7;
    public const byte Ext16 = 0xc8;
    public const byte Ext32 = 0xc9;
    public const byte Float32 = 0xca;
    public const byte Float64 = 0xcb;
    public const byte UInt8 = 0xcc;
    public const byte UInt16 = 0xcd;
    public const byte UInt32 = 0xce;
    public const byte UInt64 = 0xcf;
    public const byte Int8 = 0xd0;
    public const byte Int16 = 0xd1;
    public const byte Int32 = 0xd2;
    public const byte Int64 = 0xd3;
    public const byte FixExt1 = 0xd4;
    public const byte FixExt16 = 0xd8;
    public const byte Raw8 = 0xd9;
    public const byte Raw16 = 0xda;
    public const byte Raw32 = 0xdb;
    public const byte Array16 = 0xdc;
    public const byte Array32 = 0xdd;
    public const byte Map16 = 0xde;
    public const byte Map32 = 0xdf;
    public const byte NegativeFixMin = 0xe0;

    public const int FixCollectionMax = 15;
    public const int FixRawMax = 31;
}
