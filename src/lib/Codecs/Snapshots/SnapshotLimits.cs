namespace Codecs.Snapshots;

/// <summary>Bounds of what is taken from an archive that anybody may have made.</summary>
public static class SnapshotLimits
{
    /// <summary>What an archive may weigh unpacked: 2 GiB.</summary>
    public const long StateBytesMax = 2L * 1024 * 1024 * 1024;

    /// <summary>What one record may weigh: 64 MiB; Consul's own log takes far less.</summary>
    public const int RecordBytesMax = 64 * 1024 * 1024;

    /// <summary>The description of the snapshot: 64 KiB.</summary>
    public const int MetaBytesMax = 64 * 1024;

    /// <summary>The list of checksums: 4 KiB.</summary>
    public const int SumsBytesMax = 4 * 1024;

    /// <summary>How many times larger an archive may get by unpacking, once <see cref="ExpansionFreeBytes"/> are over.
    /// States of real clusters get 10 to 50 times larger, the format's own limit is about 1,000.</summary>
    public const int ExpansionMax = 300;

    /// <summary>What any archive may get as large as: 64 MiB.</summary>
    public const long ExpansionFreeBytes = 64L * 1024 * 1024;

    /// <summary>The highest index that is taken: there must be room for those to come.</summary>
    public const ulong IndexMax = 1UL << 62;
}
