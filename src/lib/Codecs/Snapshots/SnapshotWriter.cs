using System.IO.Compression;
using System.Security.Cryptography;
using System.Text;

namespace Codecs.Snapshots;

/// <summary>Writes an archive that Consul reads, while it is being made.</summary>
/// <remarks>
/// The size of the state stands before it, so it is counted first and then written, by asking for it twice. A packed
/// stream may consist of parts that were packed each for itself; so blocks are packed on several processors at once,
/// and nothing is kept but those under way.
/// </remarks>
/// <param name="to">Where it goes; left open.</param>
/// <param name="time">The clock.</param>
public sealed class SnapshotWriter(Stream to, TimeProvider time)
{
    private const int TarEndBlocks = 2;

    // More would wait for each other at the hash, which needs the blocks in order.
    private const int PackersMax = 4;

    private readonly Queue<Task<byte[]>> _packing = new();

    /// <summary>Writes a whole archive.</summary>
    /// <param name="index">The index of the state's last change.</param>
    /// <param name="state">Adds all records, the header not among them, and gives way after each. Called twice, and
    /// must add the same.</param>
    /// <param name="stop">Gives up.</param>
    public async Task<SnapshotMeta> WriteAsync(
        ulong index, Func<SnapshotBlocks, IEnumerable<bool>> state, CancellationToken stop)
    {
        var now = time.GetUtcNow();
        var size = Count(index, state, stop);
        var meta = SnapshotMeta.Of(index, term: 1, size, now);
        var json = meta.ToJson();
        PackAll([.. TarHeader.Write("meta.json", json.Length, now), .. json, .. Zeros(TarHeader.PaddingOf(json.Length)),
            .. TarHeader.Write("state.bin", size, now)]);
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        await WriteStateAsync(index, state, hash, stop);
        var sums = Encoding.ASCII.GetBytes(
            $"{Hex(SHA256.HashData(json))}  meta.json\n{Hex(hash.GetHashAndReset())}  state.bin\n");
        PackAll([.. Zeros(TarHeader.PaddingOf(size)), .. TarHeader.Write("SHA256SUMS", sums.Length, now), .. sums,
            .. Zeros(TarHeader.PaddingOf(sums.Length)), .. Zeros(TarEndBlocks * TarHeader.BlockBytes)]);
        while (_packing.Count > 0)
        {
            await SendOldestAsync(stop);
        }

        await to.FlushAsync(stop);
        return meta;
    }

    private static long Count(ulong index, Func<SnapshotBlocks, IEnumerable<bool>> state, CancellationToken stop)
    {
        var blocks = new SnapshotBlocks();
        blocks.AddHeader(index);
        foreach (var _ in state(blocks))
        {
            if (blocks.TryTake(out var _))
            {
                stop.ThrowIfCancellationRequested();
            }
        }

        return blocks.Bytes;
    }

    private async Task WriteStateAsync(
        ulong index, Func<SnapshotBlocks, IEnumerable<bool>> state, IncrementalHash hash, CancellationToken stop)
    {
        var blocks = new SnapshotBlocks();
        blocks.AddHeader(index);
        foreach (var _ in state(blocks))
        {
            if (blocks.TryTake(out var full))
            {
                hash.AppendData(full);
                Pack(full);
                if (_packing.Count >= Math.Min(PackersMax, Environment.ProcessorCount))
                {
                    await SendOldestAsync(stop);
                }
            }
        }

        var rest = blocks.TakeRest();
        hash.AppendData(rest);
        Pack(rest);
    }

    private void PackAll(byte[] bytes) => Pack(new ArraySegment<byte>(bytes));

    private void Pack(ArraySegment<byte> block) => _packing.Enqueue(Task.Run(() =>
    {
        using var packed = new MemoryStream(block.Count / 4);
        using (var gzip = new GZipStream(packed, CompressionLevel.Fastest))
        {
            gzip.Write(block);
        }

        return packed.ToArray();
    }));

    private async Task SendOldestAsync(CancellationToken stop)
    {
        var packed = await _packing.Dequeue();
        await to.WriteAsync(packed, stop);
    }

    private static byte[] Zeros(int count) => new byte[count];

    private static string Hex(byte[] bytes) => Convert.ToHexStringLower(bytes);
}
