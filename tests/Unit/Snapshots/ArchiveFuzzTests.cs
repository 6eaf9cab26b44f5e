using Codecs.Snapshots;
using Shouldly;
using Xunit;

namespace Unit.Snapshots;

/// <summary>Bytes from outside never throw anything but the one exception that says what is wrong.</summary>
public sealed class ArchiveFuzzTests
{
    private const int Seed = 20261121;

    private static readonly byte[] Heads = [0xc0, 0xdf, 0xdd, 0xdb, 0xcf, 0xd3, 0x80, 0x90];

    [Fact]
    public void Records_with_any_bytes_in_them_are_read_or_refused()
    {
        const int Inputs = 90_000;
        var random = new Random(Seed);
        var records = Archives.Records(Archives.OfConsul);
        var refused = 0;
        for (var i = 0; i < Inputs; i++)
        {
            var (type, value) = records[random.Next(records.Count)];
            var state = Archives.State((type, Mutated(value, random)));
            refused += Reads(new MemoryStream(Stored(state))) ? 0 : 1;
        }

        refused.ShouldBeGreaterThan(Inputs / 10);
    }

    [Fact]
    public void Archives_with_any_bytes_in_them_are_read_or_refused()
    {
        const int Inputs = 10_000;
        var random = new Random(Seed);
        var archive = Archives.OfConsul;
        var refused = 0;
        for (var i = 0; i < Inputs; i++)
        {
            refused += Reads(new MemoryStream(Mutated(archive, random))) ? 0 : 1;
        }

        refused.ShouldBeGreaterThan(Inputs / 2);
    }

    private static bool Reads(Stream archive)
    {
        try
        {
            Praetor.Server.Snapshots.StateRestorer.Read(archive);
            return true;
        }
        catch (SnapshotException)
        {
            return false;
        }
    }

    private static byte[] Stored(byte[] state) => Archives.Around(state);

    private static byte[] Mutated(byte[] from, Random random)
    {
        var bytes = from.ToList();
        for (var i = random.Next(1, 4); i > 0 && bytes.Count > 0; i--)
        {
            var at = random.Next(bytes.Count);
            switch (random.Next(5))
            {
                case 0:
                    bytes[at] = (byte)random.Next(256);
                    break;
                case 1:
                    bytes[at] ^= (byte)(1 << random.Next(8));
                    break;
                case 2:
                    bytes.RemoveRange(at, Math.Min(random.Next(1, 9), bytes.Count - at));
                    break;
                case 3:
                    bytes.Insert(at, (byte)random.Next(256));
                    break;
                default:
                    bytes[at] = Heads[random.Next(Heads.Length)];
                    break;
            }
        }

        return [.. bytes];
    }
}
