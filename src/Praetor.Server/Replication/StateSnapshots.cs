using System.Buffers;
using System.IO.Compression;
using Praetor.Server.State;
using Praetor.Server.Storage.Etcd;

namespace Praetor.Server.Replication;

/// <summary>Writes whole states beside the log, and reads them: so the log can be cut, and who begins need not read it
/// from its beginning.</summary>
internal sealed class StateSnapshots(ReplicatedLog log, ReplicationOptions options) : IDisposable
{
    // A part is far smaller than the largest answer; what claims to be larger is broken.
    private const int PartBytesMax = 256 * 1024 * 1024;

    // One after the other: each removes the parts of all others.
    private readonly SemaphoreSlim _turn = new(1);

    /// <summary>Writes a state and cuts the log behind it.</summary>
    public Task<(long Revision, long Bytes)?> WriteAsync(
        Term term, StateSnapshot state, ulong sequence, CancellationToken stop) =>
        WriteAsync(term, state.Records(), state.Index, sequence, stop);

    /// <summary>Writes a state and cuts the log behind it.</summary>
    /// <param name="term">The leadership that does it.</param>
    /// <param name="records">The state.</param>
    /// <param name="lastIndex">The index of its last command.</param>
    /// <param name="sequence">The last place in the log that it contains. One that has no entry: the state is another
    /// one than the log makes, and takes its place.</param>
    /// <param name="stop">Ends it; what was written counts for nothing then.</param>
    /// <returns>etcd's revision afterwards; null: the leadership is over, or another snapshot was faster.</returns>
    public async Task<(long Revision, long Bytes)?> WriteAsync(
        Term term, IEnumerable<RecordChange> records, ulong lastIndex, ulong sequence, CancellationToken stop)
    {
        await _turn.WaitAsync(stop);
        try
        {
            return await log.ReadBaseAsync(term, stop) is { } counts && counts.Sequence <= sequence
                ? await WriteAfterAsync(counts, term, records, lastIndex, sequence, stop) : null;
        }
        finally
        {
            _turn.Release();
        }
    }

    private async Task<(long Revision, long Bytes)?> WriteAfterAsync(
        (ulong Sequence, long Revision) counts, Term term, IEnumerable<RecordChange> records, ulong lastIndex,
        ulong sequence, CancellationToken stop)
    {
        try
        {
            return await WritePartsAsync(term, records, lastIndex, sequence, counts.Revision, stop);
        }
        catch (EtcdRefusedException e) when (e.IsNoSpace && counts.Sequence < sequence)
        {
            // Its parts would keep the room that is missing.
            await log.DropPartsAsync(term, sequence, stop);
            throw;
        }
    }

    /// <summary>Reads a snapshot's records; null: another one has taken its place meanwhile.</summary>
    /// <exception cref="Storage.StorageFailedException">It is broken.</exception>
    public async Task<IReadOnlyList<RecordChange>?> ReadAsync(SnapshotPointer pointer, CancellationToken stop)
    {
        var records = new List<RecordChange>();
        for (var part = 0; part < pointer.Parts; part++)
        {
            if (await log.ReadPartAsync(pointer.Sequence, part, stop) is not { } bytes)
            {
                return null;
            }

            records.AddRange(ChangeCodec.ReadChanges(Decompress(bytes)));
        }

        return records;
    }

    /// <inheritdoc/>
    public void Dispose() => _turn.Dispose();

    private async Task<(long Revision, long Bytes)?> WritePartsAsync(
        Term term, IEnumerable<RecordChange> records, ulong lastIndex, ulong sequence, long replaced,
        CancellationToken stop)
    {
        var buffer = new ArrayBufferWriter<byte>();
        var (parts, total) = (0, 0L);
        foreach (var change in records)
        {
            // A part and one more record might be more than a request takes.
            if (buffer.WrittenCount > 0
                && buffer.WrittenCount + ChangeCodec.SizeOf(change, keeps: true) > options.PartBytes)
            {
                var bytes = Compress(buffer);
                total += bytes.Length;
                if (!await log.PutPartAsync(term, sequence, parts++, bytes, stop))
                {
                    return null;
                }
            }

            ChangeCodec.Write(buffer, change);
            change.Forget();
        }

        var last = Compress(buffer);
        if (!await log.PutPartAsync(term, sequence, parts++, last, stop))
        {
            return null;
        }

        var pointer = new SnapshotPointer(sequence, lastIndex, parts);
        return await log.FinishSnapshotAsync(term, pointer, replaced, stop) is { } revision
            ? (revision, total + last.Length) : null;
    }

    private static byte[] Compress(ArrayBufferWriter<byte> buffer)
    {
        using var to = new MemoryStream();
        using (var zip = new DeflateStream(to, CompressionLevel.Fastest, leaveOpen: true))
        {
            zip.Write(buffer.WrittenSpan);
        }

        buffer.ResetWrittenCount();
        return to.ToArray();
    }

    private static byte[] Decompress(byte[] bytes)
    {
        try
        {
            using var zip = new DeflateStream(new MemoryStream(bytes), CompressionMode.Decompress);
            using var to = new MemoryStream();
            var buffer = new byte[64 * 1024];
            while (zip.Read(buffer) is var read and > 0)
            {
                to.Write(buffer, 0, read);
                if (to.Length > PartBytesMax)
                {
                    throw new InvalidDataException("it is too large");
                }
            }

            return to.ToArray();
        }
        catch (InvalidDataException e)
        {
            throw new Storage.StorageFailedException($"a part of the replicated snapshot is broken: {e.Message}", e);
        }
    }
}
