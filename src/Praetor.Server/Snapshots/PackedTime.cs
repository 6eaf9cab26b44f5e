using System.Buffers.Binary;
using System.Globalization;
using Codecs.MessagePack;

namespace Praetor.Server.Snapshots;

/// <summary>Times as Go packs them: a version, seconds since the year 1, nanoseconds, the zone in minutes.</summary>
internal static class PackedTime
{
    private const int Bytes = 15;
    private const byte Version = 1;
    private const short Utc = -1;
    private const long NanosecondsPerTick = 100;
    private static readonly long SecondsMax = DateTime.MaxValue.Ticks / TimeSpan.TicksPerSecond;

    public static void Write(ref MessagePackWriter writer, DateTime time)
    {
        Span<byte> bytes = stackalloc byte[Bytes];
        bytes[0] = Version;
        BinaryPrimitives.WriteInt64BigEndian(bytes[1..], time.Ticks / TimeSpan.TicksPerSecond);
        BinaryPrimitives.WriteInt32BigEndian(
            bytes[9..], (int)(time.Ticks % TimeSpan.TicksPerSecond * NanosecondsPerTick));
        BinaryPrimitives.WriteInt16BigEndian(bytes[13..], Utc);
        writer.WriteRaw(bytes);
    }

    /// <summary>A time. Null: none was set, or it cannot be read.</summary>
    public static DateTime? Read(ReadOnlySpan<byte> packed) => TryRead(packed, out var seconds, out var nanoseconds)
        ? new DateTime((seconds * TimeSpan.TicksPerSecond) + (nanoseconds / NanosecondsPerTick), DateTimeKind.Utc)
        : null;

    /// <summary>The time as Go writes it in JSON, to the nanosecond. Empty: none was set.</summary>
    public static string Text(ReadOnlySpan<byte> packed)
    {
        if (Read(packed) is not { } time || !TryRead(packed, out _, out var nanoseconds))
        {
            return "";
        }

        var fraction = nanoseconds.ToString("D9", CultureInfo.InvariantCulture).TrimEnd('0');
        return time.ToString("yyyy-MM-dd'T'HH:mm:ss", CultureInfo.InvariantCulture)
            + (fraction.Length > 0 ? "." + fraction : "") + "Z";
    }

    private static bool TryRead(ReadOnlySpan<byte> packed, out long seconds, out int nanoseconds)
    {
        (seconds, nanoseconds) = (0, 0);
        if (packed.Length != Bytes || packed[0] != Version)
        {
            return false;
        }

        seconds = BinaryPrimitives.ReadInt64BigEndian(packed[1..]);
        nanoseconds = BinaryPrimitives.ReadInt32BigEndian(packed[9..]);
        return seconds > 0 && seconds < SecondsMax && nanoseconds is >= 0 and < 1_000_000_000;
    }
}
