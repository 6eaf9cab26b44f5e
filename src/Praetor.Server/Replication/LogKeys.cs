using System.Globalization;
using System.Text;

namespace Praetor.Server.Replication;

/// <summary>The names under which a datacenter's state stands in etcd.</summary>
/// <remarks>
/// <c>leader</c> who writes; <c>beat</c> changed by the leader while it has nothing to write; <c>log/N</c> the batches,
/// each written once; <c>base</c> which snapshot they continue, and <c>part/N/P</c> its parts. Those that are watched
/// stand next to each other in order.
/// </remarks>
internal sealed class LogKeys(string datacenter)
{
    private readonly string _root = $"praetor/{datacenter}/";

    public byte[] Leader => Key("leader");

    public byte[] Beat => Key("beat");

    public byte[] Base => Key("base");

    /// <summary>A key that is never there; removing it is a write that takes no space.</summary>
    public byte[] Nothing => Key("nothing");

    /// <summary>The first of all that is watched: base, beat, leader, log.</summary>
    public byte[] WatchFrom => Base;

    /// <summary>The first key beyond the log, and beyond all that is watched.</summary>
    public byte[] LogEnd => Key("log0");

    public byte[] PartsFrom => Key("part/");

    public byte[] PartsEnd => Key("part0");

    public byte[] Log(ulong sequence) => Key($"log/{Hex(sequence)}");

    public byte[] Part(ulong snapshot, int part) =>
        Key($"part/{Hex(snapshot)}/{part.ToString("x8", CultureInfo.InvariantCulture)}");

    /// <summary>The first key of a snapshot's parts.</summary>
    public byte[] PartsOf(ulong snapshot) => Key($"part/{Hex(snapshot)}/");

    /// <summary>The first key beyond a snapshot's parts.</summary>
    public byte[] PartsBeyond(ulong snapshot) => Key($"part/{Hex(snapshot)}0");

    /// <summary>The place in the log that a key names; null: it is no key of the log.</summary>
    public ulong? SequenceOf(ReadOnlySpan<byte> key)
    {
        var name = Encoding.UTF8.GetString(key);
        var prefix = _root + "log/";
        return name.StartsWith(prefix, StringComparison.Ordinal)
            && ulong.TryParse(
                name.AsSpan(prefix.Length), NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out var at)
            ? at : null;
    }

    private static string Hex(ulong number) => number.ToString("x16", CultureInfo.InvariantCulture);

    private byte[] Key(string name) => Encoding.UTF8.GetBytes(_root + name);
}
