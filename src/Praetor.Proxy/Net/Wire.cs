using Praetor.Proxy.Native;

namespace Praetor.Proxy.Net;

/// <summary>What an attempt to move bytes came to.</summary>
internal enum Io
{
    /// <summary>Some bytes moved.</summary>
    Done,

    /// <summary>Nothing can move now; an event will tell.</summary>
    Blocked,

    /// <summary>The other end has finished sending, properly.</summary>
    Ended,

    /// <summary>The connection is broken.</summary>
    Failed,
}

/// <summary>Who is told about a wire's events.</summary>
internal interface IWireOwner
{
    /// <summary>The wire's state changed.</summary>
    void OnWire(Wire wire);
}

/// <summary>One end of a TCP connection, plain or under TLS, in one loop.</summary>
/// <remarks>
/// Edge-triggered events come once for each change, so a wire remembers what it may still do: <see cref="IsReadable"/>
/// and <see cref="IsWritable"/> stay true until the kernel says otherwise. On a plain wire a read that fills less than
/// its buffer has emptied the socket, and a later arrival makes a new event; so the usual extra read that only says
/// "nothing" is left out, unless the end of the stream was announced. Under TLS that cannot be told: OpenSSL reads the
/// rest of a record that came in two pieces by its exact length, whatever waits behind it.
/// </remarks>
internal sealed unsafe class Wire : Pollable
{
    private readonly EventLoop _loop;
    private nint _ssl;
    private bool _isPeerDone;
    private bool _isReadWaitingForWrite;
    private bool _isWriteWaitingForRead;

    /// <summary>Takes over a descriptor and watches it.</summary>
    public Wire(EventLoop loop, int fd, IWireOwner owner)
    {
        _loop = loop;
        Fd = fd;
        Owner = owner;
        IsReadable = true;
        IsWritable = true;
        IsWatched = loop.Add(this);
    }

    /// <summary>Who hears of events.</summary>
    public IWireOwner Owner { get; set; }

    /// <summary>False when epoll refused the descriptor; the wire is useless then.</summary>
    public bool IsWatched { get; }

    /// <summary>Whether a read may give something.</summary>
    public bool IsReadable { get; private set; }

    /// <summary>Whether a write may take something.</summary>
    public bool IsWritable { get; private set; }

    /// <summary>Whether <see cref="Close"/> was called.</summary>
    public bool IsClosed => Fd < 0;

    /// <summary>Whether the other end has closed or broken the connection, as far as events have told.</summary>
    public bool IsPeerDone => _isPeerDone;

    /// <summary>Whether the connection is broken in both directions.</summary>
    public bool IsBroken { get; private set; }

    /// <summary>Whether any event came; a connecting socket's first one tells how that went.</summary>
    public bool HasHadEvent { get; private set; }

    /// <summary>Whether the end that <see cref="EndWrite"/> tells still waits for room; it goes out by
    /// itself.</summary>
    public bool IsEndUnsent { get; private set; }

    /// <summary>The TLS session; 0 for a plain wire.</summary>
    public nint Ssl => _ssl;

    /// <summary>Puts TLS on the wire, before the first byte.</summary>
    public bool StartTls(TlsContext context, bool isServer, bool isOfferingFrames = true)
    {
        _ssl = context.NewSession(Fd, isServer, isOfferingFrames);
        return _ssl != 0;
    }

    /// <summary>Takes the handshake as far as it goes now. <see cref="Io.Done"/>: it is complete.</summary>
    public Io Handshake()
    {
        OpenSsl.ClearErrors();
        var result = OpenSsl.Handshake(_ssl);
        if (result == 1)
        {
            IsReadable = true;
            IsWritable = true;
            return Io.Done;
        }

        var error = OpenSsl.GetError(_ssl, result);
        return error is OpenSsl.ErrorWantRead or OpenSsl.ErrorWantWrite ? Io.Blocked : Io.Failed;
    }

    /// <summary>Whether the other end has not sent a single byte: whoever only looks whether the port is
    /// open.</summary>
    public bool HasHeardNothing => _ssl != 0 && OpenSsl.BytesRead(OpenSsl.ReadBio(_ssl)) == 0;

    /// <summary>Reads what is there.</summary>
    public Io Read(byte* to, int max, out int count)
    {
        if (_ssl != 0)
        {
            return ReadTls(to, max, out count);
        }

        count = (int)LibC.Receive(Fd, to, (nuint)max, 0);
        if (count > 0)
        {
            IsReadable = count == max || _isPeerDone;
            return Io.Done;
        }

        IsReadable = false;
        if (count == 0)
        {
            return Io.Ended;
        }

        return LibC.Errno is LibC.ErrnoAgain or LibC.ErrnoInterrupted ? Io.Blocked : Io.Failed;
    }

    /// <summary>Writes as much as is taken.</summary>
    public Io Write(byte* from, int length, out int count)
    {
        if (_ssl != 0)
        {
            return WriteTls(from, length, out count);
        }

        count = (int)LibC.Send(Fd, from, (nuint)length, LibC.NoSignal);
        if (count > 0)
        {
            IsWritable = count == length;
            return Io.Done;
        }

        IsWritable = false;
        return LibC.Errno is LibC.ErrnoAgain or LibC.ErrnoInterrupted ? Io.Blocked : Io.Failed;
    }

    /// <summary>Tells the other end that no more comes; it may still send.</summary>
    public void EndWrite()
    {
        if (IsClosed)
        {
            return;
        }

        if (_ssl != 0)
        {
            OpenSsl.ClearErrors();
            var result = OpenSsl.Shutdown(_ssl);
            IsEndUnsent = result < 0 && OpenSsl.GetError(_ssl, result) == OpenSsl.ErrorWantWrite;
            OpenSsl.ClearErrors();
            if (IsEndUnsent)
            {
                IsWritable = false;
                return;
            }
        }

        _ = LibC.Shutdown(Fd, LibC.ShutdownWrite);
    }

    /// <summary>Closes the wire and forgets its session.</summary>
    public void Close()
    {
        if (IsClosed)
        {
            return;
        }

        _loop.Remove(this);
        _ = LibC.Close(Fd);
        Fd = -1;
        IsReadable = false;
        IsWritable = false;
        IsEndUnsent = false;
        if (_ssl != 0)
        {
            OpenSsl.Free(_ssl);
            _ssl = 0;
        }
    }

    /// <summary>Closes the wire so that the other end sees a failure, not an end.</summary>
    public void Abort()
    {
        if (!IsClosed)
        {
            Sockets.LingerNot(Fd);
            Close();
        }
    }

    /// <inheritdoc/>
    public override void OnBug()
    {
        try
        {
            (Owner as IBreakable)?.Break();
        }
        finally
        {
            Abort();
        }
    }

    /// <inheritdoc/>
    public override void OnReady(uint events)
    {
        if ((events & (LibC.EventHangUp | LibC.EventError | LibC.EventPeerEnded)) != 0)
        {
            _isPeerDone = true;
        }

        const uint broken = LibC.EventHangUp | LibC.EventError;
        HasHadEvent = true;
        IsBroken |= (events & broken) != 0;
        if ((events & (LibC.EventIn | LibC.EventPeerEnded | broken)) != 0)
        {
            IsReadable = true;
            IsWritable |= _isWriteWaitingForRead;
        }

        if ((events & (LibC.EventOut | broken)) != 0)
        {
            IsWritable = true;
            IsReadable |= _isReadWaitingForWrite;
            if (IsEndUnsent)
            {
                EndWrite();
            }
        }

        Owner.OnWire(this);
    }

    private Io ReadTls(byte* to, int max, out int count)
    {
        count = OpenSsl.Read(_ssl, to, max);
        if (count > 0)
        {
            return Io.Done;
        }

        var error = OpenSsl.GetError(_ssl, count);
        count = 0;
        IsReadable = false;
        _isReadWaitingForWrite = error == OpenSsl.ErrorWantWrite;
        switch (error)
        {
            case OpenSsl.ErrorWantRead:
                return Io.Blocked;
            case OpenSsl.ErrorWantWrite:
                IsWritable = false;
                return Io.Blocked;
            case OpenSsl.ErrorZeroReturn:
                return Io.Ended;
            default:
                OpenSsl.ClearErrors();
                return Io.Failed;
        }
    }

    private Io WriteTls(byte* from, int length, out int count)
    {
        count = OpenSsl.Write(_ssl, from, length);
        if (count > 0)
        {
            return Io.Done;
        }

        var error = OpenSsl.GetError(_ssl, count);
        count = 0;
        IsWritable = false;
        _isWriteWaitingForRead = error == OpenSsl.ErrorWantRead;
        if (error is OpenSsl.ErrorWantRead or OpenSsl.ErrorWantWrite)
        {
            return Io.Blocked;
        }

        OpenSsl.ClearErrors();
        return Io.Failed;
    }
}
