using System.Buffers.Binary;
using System.Diagnostics.CodeAnalysis;
using System.Net;
using System.Net.Security;
using System.Net.Sockets;
using System.Text;
using Codecs.Http2;

namespace Praetor.Server.Storage.Etcd;

/// <summary>One HTTP/2 connection with one stream at a time, used by one thread at a time, which waits.</summary>
internal sealed class EtcdLaneConnection : IDisposable
{
    private const int FirstBodyBytes = 4 * 1024;
    private const int HeaderBlockBytesMax = 64 * 1024;
    private const int InBytes = 2 * (Http2Frame.HeaderBytes + Http2Frame.PayloadBytesDefault);
    private const int OutBytes = 4 * (Http2Frame.HeaderBytes + Http2Frame.PayloadBytesDefault);
    private const int NumberBytes = 4;

    // When so much of the connection's window is used, it is opened again.
    private const int WindowStep = 64 * 1024 * 1024;

    // Linux's TCP_SYNCNT: a connection is given up after one repetition, some three seconds, instead of two minutes.
    private const int TcpLevel = 6;
    private const int TcpSynCount = 7;

    // For what came between two calls.
    private static readonly TimeSpan CatchUpTime = TimeSpan.FromSeconds(1);

    private readonly Socket _socket;
    private readonly Stream _stream;
    private readonly TimeProvider _time;
    private readonly int _answerBytesMax;
    private readonly byte[] _in = new byte[InBytes];
    private readonly byte[] _out = new byte[OutBytes];
    private readonly byte[] _scratch = new byte[HeaderBlockBytesMax];
    private byte[] _body = new byte[FirstBodyBytes];
    private byte[] _headers = [];
    private int _inStart;
    private int _inEnd;
    private int _outEnd;
    private int _bodyEnd;
    private int _streamId = -1;
    private int _unannounced;
    private long _window = Http2Frame.WindowDefault;
    private long _streamWindow;
    private int _windowOfStreams = Http2Frame.WindowDefault;
    private int _limit;
    private long _begin;
    private TimeSpan _within;
    private bool _isLast;
    private Answer _answer = new();

    private EtcdLaneConnection(Socket socket, Stream stream, int answerBytesMax, TimeProvider time) =>
        (_socket, _stream, _answerBytesMax, _time) = (socket, stream, answerBytesMax, time);

    /// <summary>Whether another call can be made: the other end has neither closed it nor said that it will.</summary>
    /// <remarks>What came since the last call is read. With TLS it cannot be told without perhaps waiting, so such a
    /// connection counts as usable until it fails.</remarks>
    public bool IsUsable
    {
        get
        {
            try
            {
                (_begin, _within) = (_time.GetTimestamp(), CatchUpTime);
                while (!_isLast && _stream is NetworkStream && (_inEnd > _inStart
                    || _socket.Poll(0, SelectMode.SelectRead)))
                {
                    ReadFrame();
                }

                return !_isLast && _streamId < int.MaxValue - 2;
            }
            catch (Exception e)
                when (e is IOException or SocketException or InvalidDataException or TimeoutException)
            {
                return false;
            }
        }
    }

    /// <summary>Connects and says how it wants to be spoken to.</summary>
    public static EtcdLaneConnection Open(
        string endpoint, EtcdClientOptions options, TimeSpan within, TimeProvider time)
    {
        var limit = within < options.ConnectLimit ? within : options.ConnectLimit;
        var socket = Connect(endpoint, limit);
        Stream? stream = null;
        try
        {
            SetLimit(socket, (int)limit.TotalMilliseconds);
            stream = new NetworkStream(socket, ownsSocket: true);
            if (endpoint.StartsWith("https:", StringComparison.Ordinal))
            {
                var secure = new SslStream(stream);
                stream = secure;
                var tls = EtcdTransport.Tls(new Uri(endpoint).Host, options);
                tls.ApplicationProtocols = [SslApplicationProtocol.Http2];
                secure.AuthenticateAsClient(tls);
            }

            var connection = new EtcdLaneConnection(socket, stream, options.AnswerBytesMax, time);
            connection.Greet();
            return connection;
        }
        catch
        {
            stream?.Dispose();
            socket.Dispose();
            throw;
        }
    }

    /// <summary>Sends one request and reads until its answer is over.</summary>
    /// <exception cref="TimeoutException">It took longer than it may.</exception>
    /// <exception cref="IOException">The connection broke.</exception>
    /// <exception cref="InvalidDataException">It is no HTTP/2, or not as was asked for.</exception>
    public EtcdLaneAnswer Ask(EtcdLaneRequest request, ReadOnlySpan<byte> message, TimeSpan within)
    {
        (_begin, _within) = (_time.GetTimestamp(), within);
        LimitTo((int)Math.Max(1, within.TotalMilliseconds));
        _streamId += 2;
        (_streamWindow, _bodyEnd, _headers, _answer) = (_windowOfStreams, 0, [], new Answer());
        Put(Http2FrameType.Headers, Http2Frame.EndHeaders, _streamId, request.Headers.Span);
        while (!message.IsEmpty && !_answer.IsOver)
        {
            var open = Math.Min(_window, _streamWindow);
            var room = (int)Math.Min(open, Math.Min(Http2Frame.PayloadBytesDefault, message.Length));
            if (room <= 0)
            {
                ReadFrame();
                continue;
            }

            var isLast = room == message.Length;
            Put(Http2FrameType.Data, isLast ? Http2Frame.EndStream : (byte)0, _streamId, message[..room]);
            (_window, _streamWindow) = (_window - room, _streamWindow - room);
            message = message[room..];
        }

        while (!_answer.IsOver)
        {
            ReadFrame();
        }

        // Who answers before it has heard all leaves a stream that is half open.
        _isLast |= !message.IsEmpty;
        return new EtcdLaneAnswer(
            _answer.HttpStatus, _answer.GrpcStatus, _answer.GrpcMessage, _body.AsMemory(0, _bodyEnd));
    }

    /// <summary>Closes it; a call under way is over for etcd, too.</summary>
    public void Dispose()
    {
        _stream.Dispose();
        _socket.Dispose();
    }

    [SuppressMessage("Reliability", "CA2000", Justification = "The caller owns the socket.")]
    private static Socket Connect(string endpoint, TimeSpan limit)
    {
        if (EtcdClientOptions.SocketOf(endpoint) is { } path)
        {
            var local = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
            return Connected(local, new UnixDomainSocketEndPoint(path), limit);
        }

        var uri = new Uri(endpoint);
        using var late = new CancellationTokenSource(limit);
        var addresses = Dns.GetHostAddressesAsync(uri.IdnHost, late.Token).GetAwaiter().GetResult();
        if (addresses is [])
        {
            throw new IOException($"no address for {uri.Host}");
        }

        for (var i = 0; ; i++)
        {
            try
            {
                return Connected(Tcp(addresses[i]), new IPEndPoint(addresses[i], uri.Port), limit);
            }
            catch (SocketException) when (i < addresses.Length - 1)
            {
                // The name has another one.
            }
        }
    }

    [SuppressMessage("Reliability", "CA2000", Justification = "The caller owns the socket.")]
    private static Socket Tcp(IPAddress address)
    {
        var socket = new Socket(address.AddressFamily, SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
        if (OperatingSystem.IsLinux())
        {
            socket.SetRawSocketOption(TcpLevel, TcpSynCount, BitConverter.GetBytes(1));
        }

        return socket;
    }

    private static Socket Connected(Socket socket, EndPoint to, TimeSpan limit)
    {
        try
        {
            // Waiting in the queue of an etcd that stands still has a limit, too.
            socket.SendTimeout = (int)limit.TotalMilliseconds;
            socket.Connect(to);
            return socket;
        }
        catch
        {
            socket.Dispose();
            throw;
        }
    }

    private static void SetLimit(Socket socket, int milliseconds) =>
        (socket.ReceiveTimeout, socket.SendTimeout) = (milliseconds, milliseconds);

    private void LimitTo(int milliseconds)
    {
        if (milliseconds != _limit)
        {
            SetLimit(_socket, _limit = milliseconds);
        }
    }

    // No table of headers, nothing unasked for, and windows as wide as can be: what comes is bounded elsewhere.
    private void Greet()
    {
        Http2Frame.Preface.CopyTo(_out);
        _outEnd = Http2Frame.Preface.Length;
        Span<byte> settings = stackalloc byte[3 * Http2Settings.Bytes];
        Http2Settings.Write(settings, Http2Setting.HeaderTableSize, 0);
        Http2Settings.Write(settings[Http2Settings.Bytes..], Http2Setting.EnablePush, 0);
        Http2Settings.Write(
            settings[(2 * Http2Settings.Bytes)..], Http2Setting.InitialWindow, Http2Frame.WindowMax);
        Put(Http2FrameType.Settings, 0, 0, settings);
        PutWindow(Http2Frame.WindowMax - Http2Frame.WindowDefault);
    }

    private void PutWindow(int bytes)
    {
        Span<byte> number = stackalloc byte[NumberBytes];
        BinaryPrimitives.WriteInt32BigEndian(number, bytes);
        Put(Http2FrameType.WindowUpdate, 0, 0, number);
    }

    // Gathers what is sent, so that a usual request is one system call.
    private void Put(Http2FrameType type, byte flags, int stream, ReadOnlySpan<byte> payload)
    {
        if (_out.Length - _outEnd < Http2Frame.HeaderBytes + payload.Length)
        {
            Flush();
        }

        new Http2Frame(payload.Length, type, flags, stream).Write(_out.AsSpan(_outEnd));
        payload.CopyTo(_out.AsSpan(_outEnd + Http2Frame.HeaderBytes));
        _outEnd += Http2Frame.HeaderBytes + payload.Length;
    }

    private void Flush()
    {
        var end = _outEnd;
        _outEnd = 0;
        if (end > 0)
        {
            _stream.Write(_out, 0, end);
        }
    }

    private void ReadFrame()
    {
        var header = Http2Frame.Read(Fill(Http2Frame.HeaderBytes));
        if (header.Length > Http2Frame.PayloadBytesDefault)
        {
            throw new InvalidDataException("not HTTP/2, or a frame that is longer than was allowed; is this an etcd?");
        }

        var payload = Fill(Http2Frame.HeaderBytes + header.Length)[Http2Frame.HeaderBytes..];
        _inStart += Http2Frame.HeaderBytes + header.Length;
        Take(header, payload);
    }

    // So many bytes from the first that was not taken yet; what is to be sent goes before anything is waited for.
    private ReadOnlySpan<byte> Fill(int count)
    {
        while (_inEnd - _inStart < count)
        {
            if (_inStart > 0)
            {
                _in.AsSpan(_inStart.._inEnd).CopyTo(_in);
                (_inStart, _inEnd) = (0, _inEnd - _inStart);
            }

            if (_time.GetElapsedTime(_begin) > _within)
            {
                throw new TimeoutException($"no answer within {_within.TotalMilliseconds} ms");
            }

            Flush();
            var read = _stream.Read(_in, _inEnd, _in.Length - _inEnd);
            _inEnd += read > 0 ? read : throw new IOException("etcd closed the connection");
        }

        return _in.AsSpan(_inStart, count);
    }

    private void Take(Http2Frame frame, ReadOnlySpan<byte> payload)
    {
        switch (frame.Type)
        {
            case Http2FrameType.Data:
                TakeData(frame, payload);
                break;
            case Http2FrameType.Headers or Http2FrameType.Continuation:
                TakeHeaders(frame, payload);
                break;
            case Http2FrameType.ResetStream when frame.Stream == _streamId && !_answer.IsOver:
                throw new IOException("etcd broke the call off");
            case Http2FrameType.Settings when (frame.Flags & Http2Frame.Ack) == 0:
                TakeSettings(payload);
                break;
            case Http2FrameType.Ping when (frame.Flags & Http2Frame.Ack) == 0:
                Put(Http2FrameType.Ping, Http2Frame.Ack, 0, payload);
                break;
            case Http2FrameType.GoAway:
                TakeGoAway(payload);
                break;
            case Http2FrameType.WindowUpdate when payload.Length == NumberBytes:
                TakeWindow(frame.Stream, BinaryPrimitives.ReadInt32BigEndian(payload) & int.MaxValue);
                break;
            case Http2FrameType.PushPromise:
                throw new InvalidDataException("a promise that nobody asked for");
        }
    }

    private void TakeData(Http2Frame frame, ReadOnlySpan<byte> payload)
    {
        _unannounced += payload.Length;
        if (_unannounced > WindowStep)
        {
            PutWindow(_unannounced);
            _unannounced = 0;
        }

        if (frame.Stream != _streamId)
        {
            return;
        }

        if (!frame.TryStrip(payload, out var data) || _bodyEnd + data.Length > _answerBytesMax)
        {
            throw new InvalidDataException($"an answer that is malformed, or longer than {_answerBytesMax} bytes");
        }

        if (_body.Length - _bodyEnd < data.Length)
        {
            Array.Resize(ref _body, Math.Max(2 * _body.Length, _bodyEnd + data.Length));
        }

        data.CopyTo(_body.AsSpan(_bodyEnd));
        _bodyEnd += data.Length;
        _answer.IsOver |= (frame.Flags & Http2Frame.EndStream) != 0;
    }

    private void TakeHeaders(Http2Frame frame, ReadOnlySpan<byte> payload)
    {
        if (!frame.TryStrip(payload, out var part) || _headers.Length + part.Length > HeaderBlockBytesMax)
        {
            throw new InvalidDataException("headers that are malformed or too long");
        }

        // Flags of a continuation do not say whether the stream ends; those of the headers before it do.
        var ends = frame.Type == Http2FrameType.Headers && (frame.Flags & Http2Frame.EndStream) != 0;
        _answer.EndsWithHeaders |= ends && frame.Stream == _streamId;
        if ((frame.Flags & Http2Frame.EndHeaders) == 0)
        {
            _headers = [.. _headers, .. part];
            return;
        }

        if (frame.Stream == _streamId)
        {
            _answer.Read(_headers.Length == 0 ? part : [.. _headers, .. part], _scratch);
            _answer.IsOver |= _answer.EndsWithHeaders;
        }

        _headers = [];
    }

    private void TakeSettings(ReadOnlySpan<byte> payload)
    {
        if (Http2Settings.Find(payload, Http2Setting.InitialWindow) is { } window)
        {
            _streamWindow += window - _windowOfStreams;
            _windowOfStreams = window;
        }

        Put(Http2FrameType.Settings, Http2Frame.Ack, 0, []);
    }

    private void TakeGoAway(ReadOnlySpan<byte> payload)
    {
        _isLast = true;
        var last = payload.Length >= NumberBytes ? BinaryPrimitives.ReadInt32BigEndian(payload) & int.MaxValue : 0;
        if (!_answer.IsOver && last < _streamId)
        {
            throw new IOException("etcd goes away");
        }
    }

    private void TakeWindow(int stream, int bytes)
    {
        if (stream == 0)
        {
            _window += bytes;
        }
        else if (stream == _streamId)
        {
            _streamWindow += bytes;
        }
    }

    /// <summary>What has come of an answer beside its body.</summary>
    private struct Answer
    {
        public int HttpStatus;
        public string? GrpcStatus;
        public string? GrpcMessage;
        public bool EndsWithHeaders;
        public bool IsOver;

        public void Read(ReadOnlySpan<byte> block, Span<byte> scratch)
        {
            var reader = new HpackReader(block, scratch);
            while (reader.Next())
            {
                if (reader.Name.SequenceEqual(":status"u8))
                {
                    _ = int.TryParse(reader.Value, out HttpStatus);
                }
                else if (reader.Name.SequenceEqual("grpc-status"u8))
                {
                    GrpcStatus = reader.Value.SequenceEqual("0"u8) ? "0" : Encoding.ASCII.GetString(reader.Value);
                }
                else if (reader.Name.SequenceEqual("grpc-message"u8) && reader.Value.Length > 0)
                {
                    GrpcMessage = Encoding.ASCII.GetString(reader.Value);
                }
            }

            if (reader.IsMalformed)
            {
                throw new InvalidDataException("headers that cannot be read");
            }
        }
    }
}
