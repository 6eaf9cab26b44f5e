using System.Runtime.InteropServices;
using Praetor.Proxy.Framing;
using Praetor.Proxy.Net;

namespace Praetor.Proxy.Plane;

/// <summary>Where a direction of a connection stands.</summary>
internal enum FlowState
{
    /// <summary>It waits for an event.</summary>
    Waiting,

    /// <summary>It has had its turn and could go on at once.</summary>
    Unfinished,

    /// <summary>The sender finished, everything was delivered, the receiver was told.</summary>
    Ended,

    /// <summary>It broke.</summary>
    Broken,
}

/// <summary>Moves the bytes of one direction from wire to wire.</summary>
/// <remarks>
/// Nothing is read while the receiver is blocked: the sender feels it through its own TCP window. Only what a write
/// left over of one read is held, at most <see cref="Limits.ScratchBytes"/>, and only until the receiver takes it.
/// A framed wire carries heads around the bytes (see <see cref="FrameCodec"/>): they are put in front of what was
/// read, in the same buffer, so that head and bytes leave in one TLS record.
/// </remarks>
internal sealed unsafe class Flow(Wire from, Wire to, bool isFromFramed, bool isToFramed) : IDisposable
{
    private FrameReader _frames;
    private byte* _held;
    private byte* _heldFirst;
    private int _heldBytes;
    private bool _isSourceDone;
    private bool _isDiscarding;
    private bool _isEndAsked;

    /// <summary>Bytes delivered since <see cref="TakeMoved"/> was called.</summary>
    private long _moved;

    /// <summary>Whether the receiver takes no more, so that bytes are thrown away.</summary>
    public bool IsDiscarding => _isDiscarding;

    /// <summary>Whether the direction is over.</summary>
    public bool IsEnded { get; private set; }

    /// <summary>What came after the end on a framed wire, for the next carried connection.</summary>
    public ReadOnlySpan<byte> Rest => new(_heldFirst, _heldBytes);

    /// <summary>Hands over the count of bytes delivered since the last call.</summary>
    public long TakeMoved()
    {
        var moved = _moved;
        _moved = 0;
        return moved;
    }

    /// <summary>Puts bytes that were read already in front of everything.</summary>
    public void Preload(ReadOnlySpan<byte> bytes)
    {
        fixed (byte* first = bytes)
        {
            Hold(first, bytes.Length);
        }
    }

    /// <summary>Moves what can be moved now.</summary>
    public FlowState Pump(byte* scratch)
    {
        if (IsEnded)
        {
            return FlowState.Ended;
        }

        if (_heldBytes > 0 && !_isSourceDone)
        {
            var state = FlushHeld();
            if (state != FlowState.Unfinished)
            {
                return state;
            }
        }

        for (var turn = 0; turn < Limits.ReadsPerTurn; turn++)
        {
            var state = _isSourceDone ? Finish() : Step(scratch);
            if (state != FlowState.Unfinished)
            {
                return state;
            }
        }

        return FlowState.Unfinished;
    }

    /// <summary>Frees what is held.</summary>
    public void Dispose() => DropHeld();

    private FlowState Step(byte* scratch)
    {
        if (!from.IsReadable || !to.IsWritable)
        {
            return FlowState.Waiting;
        }

        var room = isToFramed ? FrameCodec.HeadBytes : 0;
        switch (from.Read(scratch + room, Limits.ScratchBytes - room, out var count))
        {
            case Io.Blocked:
                return FlowState.Waiting;
            case Io.Failed:
                return FlowState.Broken;
            case Io.Ended:
                // A framed wire ends only between carried connections.
                _isSourceDone = true;
                return isFromFramed ? FlowState.Broken : FlowState.Unfinished;
            default:
                break;
        }

        if (isToFramed)
        {
            FrameCodec.WriteHead(new Span<byte>(scratch, FrameCodec.HeadBytes), FrameType.Data, count);

            // Writing counts the head too, but only the application's bytes are to be counted.
            _moved -= FrameCodec.HeadBytes;
        }

        return Deliver(scratch, count + room);
    }

    private FlowState Deliver(byte* bytes, int length)
    {
        var taken = isFromFramed ? Unframe(bytes, length) : WriteAll(bytes, length);
        if (taken < 0)
        {
            return FlowState.Broken;
        }

        if (taken < length)
        {
            Hold(bytes + taken, length - taken);
            return _isSourceDone ? FlowState.Unfinished : FlowState.Waiting;
        }

        return FlowState.Unfinished;
    }

    private FlowState FlushHeld()
    {
        if (!to.IsWritable)
        {
            return FlowState.Waiting;
        }

        var first = _heldFirst;
        var taken = isFromFramed ? Unframe(first, _heldBytes) : WriteAll(first, _heldBytes);
        if (taken < 0)
        {
            return FlowState.Broken;
        }

        _heldFirst += taken;
        _heldBytes -= taken;
        if (_heldBytes > 0 && !_isSourceDone)
        {
            return FlowState.Waiting;
        }

        if (_heldBytes == 0)
        {
            DropHeld();
        }

        return FlowState.Unfinished;
    }

    // Gives how many bytes are done with; less than all when the receiver is blocked or the carried connection
    // ended before the bytes did; -1 when the frames are not ours.
    private int Unframe(byte* bytes, int length)
    {
        var done = 0;
        while (done < length)
        {
            var left = new ReadOnlySpan<byte>(bytes + done, length - done);
            var step = _frames.Next(left, out var taken, out var content);
            if (step == FrameStep.Malformed || (step == FrameStep.Control && _frames.Type != FrameType.End))
            {
                return -1;
            }

            if (step == FrameStep.Control)
            {
                _isSourceDone = true;
                return done + taken;
            }

            var written = WriteAll(bytes + done + taken - content, content);
            if (written < content)
            {
                _frames.GiveBack(content - written);
                return done + taken - content + written;
            }

            done += taken;
        }

        return done;
    }

    // A receiver that takes no more may still be sending: the rest is thrown away, the other direction goes on.
    private int WriteAll(byte* bytes, int length)
    {
        var done = 0;
        while (done < length && !_isDiscarding)
        {
            switch (to.Write(bytes + done, length - done, out var count))
            {
                case Io.Done:
                    done += count;
                    _moved += count;
                    break;
                case Io.Blocked:
                    return done;
                default:
                    _isDiscarding = true;
                    break;
            }
        }

        return length;
    }

    private FlowState Finish()
    {
        if (isToFramed)
        {
            var head = stackalloc byte[FrameCodec.HeadBytes];
            FrameCodec.WriteHead(new Span<byte>(head, FrameCodec.HeadBytes), FrameType.End, 0);
            if (!to.IsWritable)
            {
                return FlowState.Waiting;
            }

            switch (to.Write(head, FrameCodec.HeadBytes, out var count))
            {
                case Io.Blocked:
                    return FlowState.Waiting;
                case Io.Done when count == FrameCodec.HeadBytes:
                    break;
                default:
                    return FlowState.Broken;
            }
        }
        else if (!_isEndAsked)
        {
            _isEndAsked = true;
            to.EndWrite();
        }

        // Closing earlier would cut off the end, and whatever of the stream the receiver has not taken yet.
        if (to.IsEndUnsent)
        {
            return FlowState.Waiting;
        }

        IsEnded = true;
        return FlowState.Ended;
    }

    private void Hold(byte* bytes, int length)
    {
        var copy = (byte*)NativeMemory.Alloc((nuint)length);
        Buffer.MemoryCopy(bytes, copy, length, length);
        DropHeld();
        _held = copy;
        _heldFirst = copy;
        _heldBytes = length;
    }

    private void DropHeld()
    {
        NativeMemory.Free(_held);
        _held = null;
        _heldFirst = null;
        _heldBytes = 0;
    }
}
