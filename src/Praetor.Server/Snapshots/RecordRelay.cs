using System.Collections.Concurrent;
using System.Runtime.ExceptionServices;
using Codecs.Snapshots;
using Praetor.Server.State;

namespace Praetor.Server.Snapshots;

/// <summary>Hands records to a thread of its own, in order, while the next ones are read.</summary>
/// <remarks>A few blocks go back and forth, so whoever is faster waits for the other, and nothing is made anew. What
/// the thread throws is thrown by the next call here.</remarks>
internal sealed class RecordRelay : IDisposable
{
    private const int Blocks = 4;
    private const int BlockBytesMin = 4 * 1024;
    private const int BlockBytesMax = 256 * 1024;

    private readonly BlockingCollection<Block> _free = new(Blocks);
    private readonly BlockingCollection<Block> _full = new(Blocks);
    private readonly TakeRecord _take;
    private volatile ExceptionDispatchInfo? _failure;
    private Thread? _thread;
    private Block _block = new();
    private int _blocks = 1;

    public RecordRelay(TakeRecord take) => _take = take;

    /// <summary>Takes a record; its bytes are copied.</summary>
    public void Add(byte type, ReadOnlySpan<byte> value)
    {
        if (!_block.TryAdd(type, value))
        {
            Send();
            _block.TryAdd(type, value);
        }
    }

    /// <summary>Waits until all records were taken; only once.</summary>
    public void End()
    {
        if (_thread is null)
        {
            // Little is not worth another thread.
            _block.TakeAll(_take);
            return;
        }

        Send();
        _full.CompleteAdding();
        _thread.Join();
        _failure?.Throw();
    }

    public void Dispose()
    {
        _full.CompleteAdding();
        _thread?.Join();
        _full.Dispose();
        _free.Dispose();
    }

    private void Send()
    {
        _failure?.Throw();
        _full.Add(_block);
        _thread ??= StateThread.Start("snapshot records", Run);

        if (!_free.TryTake(out var block))
        {
            block = _blocks++ < Blocks ? new Block() : _free.Take();
        }

        _block = block;
    }

    // Blocks come back also after a failure, so that nobody waits for one in vain.
    private void Run()
    {
        foreach (var block in _full.GetConsumingEnumerable())
        {
            try
            {
                if (_failure is null)
                {
                    block.TakeAll(_take);
                }
            }
            catch (Exception e) // supervisor: whatever it is, who reads the archive hears of it
            {
                _failure = ExceptionDispatchInfo.Capture(e);
            }

            block.Clear();
            _free.Add(block);
        }
    }

    /// <summary>Records one behind the other.</summary>
    private sealed class Block
    {
        private readonly List<(byte Type, int End)> _records = [];
        private byte[] _bytes = new byte[BlockBytesMin];
        private int _length;

        /// <summary>Adds a record unless there is no room; a block that is empty has room for any.</summary>
        public bool TryAdd(byte type, ReadOnlySpan<byte> value)
        {
            var length = _length + value.Length;
            if (length > BlockBytesMax && _length > 0)
            {
                return false;
            }

            if (length > _bytes.Length)
            {
                Array.Resize(ref _bytes, Math.Max(length, Math.Min(BlockBytesMax, _bytes.Length * 2)));
            }

            value.CopyTo(_bytes.AsSpan(_length));
            _length += value.Length;
            _records.Add((type, _length));
            return true;
        }

        public void TakeAll(TakeRecord take)
        {
            var start = 0;
            foreach (var (type, end) in _records)
            {
                take(type, _bytes.AsSpan(start, end - start));
                start = end;
            }
        }

        public void Clear()
        {
            _records.Clear();
            _length = 0;
            _bytes = _bytes.Length > BlockBytesMax ? new byte[BlockBytesMax] : _bytes;
        }
    }
}
