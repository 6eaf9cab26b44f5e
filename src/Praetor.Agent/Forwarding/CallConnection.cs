using System.Buffers;
using System.Buffers.Binary;
using Codecs.Http2;

namespace Praetor.Agent.Forwarding;

/// <summary>Either end of a connection of HTTP/2 with one request on it, whose body and whose answer go on as long as
/// both like.</summary>
/// <remarks>
/// The problem: through .NET's client, and through Kestrel, each piece that is sent or comes is handed to another
/// thread, or to several, and waking those costs more than all the rest.
/// The idea: what comes is read, taken apart and given out on the thread that the socket woke, and what is sent is sent
/// by who has it. What this needs of HTTP/2 is little: one stream, no table of headers, both windows, pings.
/// One reads and one sends at a time. What the protocol itself has to say (confirmations, windows) gathers beside and
/// goes out with the next bytes, or at once when nobody sends: whoever reads waits for no sending.
/// </remarks>
/// <param name="input">What comes from the other end; owned by this.</param>
/// <param name="output">What goes there; owned by this, and may be the same.</param>
/// <param name="time">Measures silence.</param>
internal abstract class CallConnection(Stream input, Stream output, TimeProvider time) : IDisposable
{
    /// <summary>The setting by which the server knows, before anything else, that a connection carries calls; of those
    /// that RFC 9113 keeps for trying things out.</summary>
    public const Http2Setting CallsSetting = (Http2Setting)0xFCA1;

    /// <summary>How many bytes of header fields either end takes.</summary>
    protected const int HeaderBlockBytesMax = 16 * 1024;

    /// <summary>The only stream.</summary>
    protected const int StreamId = 1;

    /// <summary>How much may be on its way here.</summary>
    private const int WindowBytes = 8 * 1024 * 1024;

    private const int InBytes = 2 * (Http2Frame.HeaderBytes + Http2Frame.PayloadBytesDefault);
    private const int OutBytes = 3 * (Http2Frame.HeaderBytes + Http2Frame.PayloadBytesDefault);
    private const int FirstBodyBytes = 4 * 1024;

    // A buffer that a large frame made larger than this is not kept.
    private const int KeptBodyBytesMax = 64 * 1024;
    private const int NumberBytes = 4;
    private const int PingBytes = 8;

    // Beyond this the other end asks for more confirmations than it reads: one reading may ask for as many bytes as it
    // has. Little else is said besides, so that all of it goes out at once.
    private const int ConfirmationBytesMax = InBytes;

    private readonly Lock _gate = new();
    private readonly SemaphoreSlim _sending = new(1, 1);
    private readonly byte[] _in = new byte[InBytes];
    private readonly byte[] _out = new byte[OutBytes];
    private readonly ArrayBufferWriter<byte> _control = new();
    private byte[] _body = new byte[FirstBodyBytes];
    private ArrayBufferWriter<byte>? _block;
    private TaskCompletionSource? _room;
    private long _window = Http2Frame.WindowDefault;
    private long _streamWindow = Http2Frame.WindowDefault;
    private int _windowOfStreams = Http2Frame.WindowDefault;
    private int _inStart;
    private int _inEnd;
    private int _bodyStart;
    private int _bodyEnd;
    private int _open = WindowBytes;
    private int _announced;
    private long _sendingFrom;
    private long _heardAt = time.GetTimestamp();
    private long _pingedAt;
    private bool _hasCome;
    private bool _isOver;
    private volatile bool _hasFields;
    private volatile bool _isBroken;

    /// <summary>Whether the header fields of the other end have come, before which there is no body.</summary>
    public bool HasBegun => _hasFields;

    /// <summary>For how long the bytes that are being sent have waited for the other end; zero: none are.</summary>
    public TimeSpan SendTime => Volatile.Read(ref _sendingFrom) is > 0 and var from
        ? time.GetElapsedTime(from) : TimeSpan.Zero;

    /// <summary>How long nothing has come.</summary>
    public TimeSpan Silence => time.GetElapsedTime(Volatile.Read(ref _heardAt));

    /// <summary>What came and was not taken yet; valid until the next reading.</summary>
    public ReadOnlyMemory<byte> Body => _body.AsMemory(_bodyStart, _bodyEnd - _bodyStart);

    /// <summary>Sends bytes of the body; one at a time.</summary>
    /// <exception cref="IOException">The connection broke.</exception>
    public async ValueTask SendAsync(ReadOnlyMemory<byte> bytes, CancellationToken stop)
    {
        Volatile.Write(ref _sendingFrom, time.GetTimestamp());
        while (!bytes.IsEmpty)
        {
            await UntilRoomAsync(stop);
            await _sending.WaitAsync(stop);
            try
            {
                bytes = bytes[Pack(bytes.Span, out var packed)..];
                await output.WriteAsync(_out.AsMemory(0, packed), stop);
            }
            finally
            {
                _sending.Release();
                SendControl();
            }
        }

        Volatile.Write(ref _sendingFrom, 0);
    }

    /// <summary>Waits until more has come; false: it is over.</summary>
    /// <exception cref="IOException">The connection, or the request, broke.</exception>
    /// <exception cref="InvalidDataException">It is no HTTP/2, or not as was asked for.</exception>
    public async ValueTask<bool> ReadAsync()
    {
        while (true)
        {
            _hasCome = false;
            while (TryTakeFrame())
            {
                // Another one.
            }

            SendControl();
            if (_hasCome || _isOver)
            {
                return _hasCome;
            }

            _in.AsSpan(_inStart.._inEnd).CopyTo(_in);
            (_inStart, _inEnd) = (0, _inEnd - _inStart);
            var read = await input.ReadAsync(_in.AsMemory(_inEnd), CancellationToken.None);
            Volatile.Write(ref _heardAt, time.GetTimestamp());
            _inEnd += read > 0 ? read : throw new IOException("the other end closed the connection");
        }
    }

    /// <summary>So many bytes of <see cref="Body"/> were taken.</summary>
    public void Advance(int bytes)
    {
        _bodyStart += bytes;
        if (_bodyStart == _bodyEnd)
        {
            (_bodyStart, _bodyEnd) = (0, 0);
            _body = _body.Length > KeptBodyBytesMax ? new byte[FirstBodyBytes] : _body;
        }
    }

    /// <summary>Asks for a sign of life when nothing was heard for a while; false: none came.</summary>
    /// <param name="after">The silence after which it asks, and how long it then waits.</param>
    public bool IsAlive(TimeSpan after)
    {
        var heard = Volatile.Read(ref _heardAt);
        if (heard > _pingedAt)
        {
            _pingedAt = 0;
        }

        if (_pingedAt != 0)
        {
            return time.GetElapsedTime(_pingedAt) < after;
        }

        if (time.GetElapsedTime(heard) >= after)
        {
            _pingedAt = time.GetTimestamp();
            lock (_gate)
            {
                Write(_control, Http2FrameType.Ping, 0, 0, new byte[PingBytes]);
            }

            SendControl();
        }

        return true;
    }

    /// <summary>Closes it; reading and sending end with an error.</summary>
    public void Dispose()
    {
        output.Dispose();
        input.Dispose();
    }

    /// <summary>The settings and the window that either end begins with.</summary>
    protected static void WriteBeginning(ArrayBufferWriter<byte> into)
    {
        Span<byte> settings = stackalloc byte[4 * Http2Settings.Bytes];
        Http2Settings.Write(settings, CallsSetting, 1);
        Http2Settings.Write(settings[Http2Settings.Bytes..], Http2Setting.HeaderTableSize, 0);
        Http2Settings.Write(settings[(2 * Http2Settings.Bytes)..], Http2Setting.EnablePush, 0);
        Http2Settings.Write(settings[(3 * Http2Settings.Bytes)..], Http2Setting.InitialWindow, WindowBytes);
        Write(into, Http2FrameType.Settings, 0, 0, settings);
        WriteWindow(into, 0, WindowBytes - Http2Frame.WindowDefault);
    }

    /// <summary>Writes a frame.</summary>
    protected static void Write(
        ArrayBufferWriter<byte> into, Http2FrameType type, byte flags, int streamId, ReadOnlySpan<byte> payload)
    {
        new Http2Frame(payload.Length, type, flags, streamId).Write(into.GetSpan(Http2Frame.HeaderBytes));
        into.Advance(Http2Frame.HeaderBytes);
        into.Write(payload);
    }

    /// <summary>Takes the header fields of the request, or of its answer.</summary>
    /// <exception cref="IOException">The other end refuses.</exception>
    /// <exception cref="InvalidDataException">They are not what belongs here.</exception>
    protected abstract void TakeFields(ref HpackReader fields);

    /// <summary>Takes the number of the last stream that the other end still serves.</summary>
    /// <exception cref="IOException">It does not serve this one.</exception>
    protected abstract void TakeGoAway(int lastStream);

    /// <summary>Has something of the protocol go out with the next bytes, or by <see cref="SendControl"/>.</summary>
    protected void AddControl(Action<ArrayBufferWriter<byte>> write)
    {
        lock (_gate)
        {
            write(_control);
        }
    }

    /// <summary>Sends what the protocol has to say, unless somebody sends, who does it then.</summary>
    protected void SendControl()
    {
        // Whoever sends now looks for it afterwards.
        if (HasControl() && _sending.Wait(0, CancellationToken.None))
        {
            _ = SendControlAsync();
        }
    }

    private static void WriteWindow(ArrayBufferWriter<byte> into, int streamId, int bytes)
    {
        Span<byte> number = stackalloc byte[NumberBytes];
        BinaryPrimitives.WriteInt32BigEndian(number, bytes);
        Write(into, Http2FrameType.WindowUpdate, 0, streamId, number);
    }

    private Task UntilRoomAsync(CancellationToken stop)
    {
        lock (_gate)
        {
            if (Math.Min(_window, _streamWindow) > 0)
            {
                return Task.CompletedTask;
            }

            _room ??= new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
            return _room.Task.WaitAsync(stop);
        }
    }

    // As much as fits, after what the protocol has to say; gives how much of the bytes it is.
    private int Pack(ReadOnlySpan<byte> bytes, out int packed)
    {
        lock (_gate)
        {
            packed = PackControl();
            var taken = 0;
            while (taken < bytes.Length)
            {
                var open = Math.Min(Math.Min(_window, _streamWindow), Http2Frame.PayloadBytesDefault);
                var room = (int)Math.Min(open, _out.Length - packed - Http2Frame.HeaderBytes);
                if (room <= 0)
                {
                    break;
                }

                var part = bytes.Slice(taken, Math.Min(room, bytes.Length - taken));
                new Http2Frame(part.Length, Http2FrameType.Data, 0, StreamId).Write(_out.AsSpan(packed));
                part.CopyTo(_out.AsSpan(packed + Http2Frame.HeaderBytes));
                packed += Http2Frame.HeaderBytes + part.Length;
                taken += part.Length;
                (_window, _streamWindow) = (_window - part.Length, _streamWindow - part.Length);
            }

            return taken;
        }
    }

    private bool HasControl()
    {
        lock (_gate)
        {
            return !_isBroken && (_control.WrittenCount > 0 || _announced > 0);
        }
    }

    private int PackControl()
    {
        if (_announced > 0)
        {
            WriteWindow(_control, 0, _announced);
            WriteWindow(_control, StreamId, _announced);
            _announced = 0;
        }

        var bytes = _control.WrittenSpan;
        bytes.CopyTo(_out);
        var packed = bytes.Length;
        _control.ResetWrittenCount();
        return packed;
    }

    // For whoever may send, which it gives back. A loop: the other end may ask on and on while each answer goes at
    // once.
    private async Task SendControlAsync()
    {
        do
        {
            try
            {
                int packed;
                lock (_gate)
                {
                    packed = PackControl();
                }

                await output.WriteAsync(_out.AsMemory(0, packed), CancellationToken.None);
            }
            catch (Exception) // supervisor: whoever reads hears of it, and nothing more is sent
            {
                _isBroken = true;
            }
            finally
            {
                _sending.Release();
            }
        }
        while (HasControl() && _sending.Wait(0, CancellationToken.None));
    }

    private bool TryTakeFrame()
    {
        var came = _in.AsSpan(_inStart.._inEnd);
        if (came.Length < Http2Frame.HeaderBytes)
        {
            return false;
        }

        var frame = Http2Frame.Read(came);
        if (frame.Length > Http2Frame.PayloadBytesDefault)
        {
            throw new InvalidDataException("the other end speaks no HTTP/2, or sends longer frames than were allowed");
        }

        if (came.Length < Http2Frame.HeaderBytes + frame.Length)
        {
            return false;
        }

        _inStart += Http2Frame.HeaderBytes + frame.Length;
        Take(frame, came.Slice(Http2Frame.HeaderBytes, frame.Length));
        return true;
    }

    private void Take(Http2Frame frame, ReadOnlySpan<byte> payload)
    {
        switch (frame.Type)
        {
            case Http2FrameType.Data when frame.Stream == StreamId:
                TakeData(frame, payload);
                break;
            case Http2FrameType.Headers or Http2FrameType.Continuation when frame.Stream == StreamId:
                TakeHeaders(frame, payload);
                break;
            case Http2FrameType.Headers or Http2FrameType.Data or Http2FrameType.Continuation:
                throw new InvalidDataException("the other end has a second request on a connection for calls");
            case Http2FrameType.ResetStream when frame.Stream == StreamId:
                throw new IOException("the other end broke the request off");
            case Http2FrameType.Settings when (frame.Flags & Http2Frame.Ack) == 0:
                TakeSettings(payload);
                break;
            case Http2FrameType.Ping when (frame.Flags & Http2Frame.Ack) == 0 && payload.Length == PingBytes:
                Confirm(Http2FrameType.Ping, payload);
                break;
            case Http2FrameType.GoAway:
                TakeGoAway(payload.Length < NumberBytes ? 0
                    : BinaryPrimitives.ReadInt32BigEndian(payload) & int.MaxValue);
                break;
            case Http2FrameType.WindowUpdate when payload.Length == NumberBytes:
                TakeWindow(frame.Stream, BinaryPrimitives.ReadInt32BigEndian(payload) & int.MaxValue);
                break;
            case Http2FrameType.PushPromise:
                throw new InvalidDataException("the other end promises what nobody asked for");
        }
    }

    private void TakeData(Http2Frame frame, ReadOnlySpan<byte> payload)
    {
        _open -= payload.Length;
        if (!_hasFields || _open < 0 || !frame.TryStrip(payload, out var data))
        {
            throw new InvalidDataException("a malformed frame of the other end, or one too many");
        }

        if (_open < WindowBytes / 2)
        {
            lock (_gate)
            {
                _announced += WindowBytes - _open;

                // Of what was not told yet nobody can make use.
                if (_announced > WindowBytes)
                {
                    throw new InvalidDataException("the other end sends more than it was told to");
                }
            }

            _open = WindowBytes;
        }

        if (_body.Length - _bodyEnd < data.Length)
        {
            MakeRoom(data.Length);
        }

        data.CopyTo(_body.AsSpan(_bodyEnd));
        _bodyEnd += data.Length;
        _hasCome |= data.Length > 0;
        _isOver |= (frame.Flags & Http2Frame.EndStream) != 0;
    }

    // What is not taken is a part of one frame of a call, whose length is bounded by who takes it.
    private void MakeRoom(int bytes)
    {
        var rest = _bodyEnd - _bodyStart;
        var into = _body.Length - rest >= bytes ? _body : new byte[Math.Max(2 * _body.Length, rest + bytes)];
        _body.AsSpan(_bodyStart, rest).CopyTo(into);
        (_body, _bodyStart, _bodyEnd) = (into, 0, rest);
    }

    private void TakeHeaders(Http2Frame frame, ReadOnlySpan<byte> payload)
    {
        // One block and no more: neither end has anything to say after the body.
        var begins = frame.Type == Http2FrameType.Headers;
        if (_hasFields || begins == _block is not null || !frame.TryStrip(payload, out var part)
            || (part.IsEmpty && !begins) || (_block?.WrittenCount ?? 0) + part.Length > HeaderBlockBytesMax)
        {
            throw new InvalidDataException("headers of the other end that are malformed, too long, or too many");
        }

        _isOver |= begins && (frame.Flags & Http2Frame.EndStream) != 0;
        _block ??= new ArrayBufferWriter<byte>(Math.Max(1, part.Length));
        _block.Write(part);
        if ((frame.Flags & Http2Frame.EndHeaders) == 0)
        {
            return;
        }

        var fields = new HpackReader(_block.WrittenSpan, new byte[HeaderBlockBytesMax]);
        TakeFields(ref fields);
        if (fields.IsMalformed)
        {
            throw new InvalidDataException("headers of the other end that are malformed");
        }

        (_hasFields, _block) = (true, null);
    }

    private void TakeSettings(ReadOnlySpan<byte> payload)
    {
        lock (_gate)
        {
            if (Http2Settings.Find(payload, Http2Setting.InitialWindow) is { } window)
            {
                _streamWindow += window - _windowOfStreams;
                _windowOfStreams = window;
            }
        }

        Confirm(Http2FrameType.Settings, []);
        TellRoom();
    }

    private void Confirm(Http2FrameType type, ReadOnlySpan<byte> payload)
    {
        lock (_gate)
        {
            if (_control.WrittenCount > ConfirmationBytesMax)
            {
                throw new IOException("the other end wants more confirmed than it reads");
            }

            Write(_control, type, Http2Frame.Ack, 0, payload);
        }
    }

    private void TakeWindow(int streamId, int bytes)
    {
        lock (_gate)
        {
            _window += streamId == 0 ? bytes : 0;
            _streamWindow += streamId == StreamId ? bytes : 0;
        }

        TellRoom();
    }

    private void TellRoom()
    {
        TaskCompletionSource? told;
        lock (_gate)
        {
            if (Math.Min(_window, _streamWindow) <= 0)
            {
                return;
            }

            (told, _room) = (_room, null);
        }

        told?.TrySetResult();
    }
}
