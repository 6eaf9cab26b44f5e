using Praetor.Proxy.Metrics;
using Praetor.Proxy.Net;

namespace Praetor.Proxy.Plane;

/// <summary>A connection through a proxy: the wire that came in, the wire that goes on, and what is between
/// them.</summary>
/// <remarks>
/// Everything happens on one loop's thread. Before bytes flow, the derived class takes its steps (handshake, policy,
/// reaching the other side) in <see cref="Advance"/>, always under a deadline; then <see cref="StartRelay"/>.
/// </remarks>
internal abstract class Link : IWireOwner, IResumable, ITimed, IBreakable
{
    private Flow? _forward;
    private Flow? _backward;
    private bool _isResuming;
    private bool _isHalfClosedWatched;
    private long _movedBefore;
    private long _movedSum;

    /// <summary>Starts a link on an accepted descriptor.</summary>
    protected Link(EventLoop loop, int fd)
    {
        Loop = loop;
        Front = new Wire(loop, fd, this);
    }

    /// <inheritdoc/>
    public long Deadline { get; set; }

    /// <inheritdoc/>
    public int DeadlineSlot { get; set; } = -1;

    /// <summary>The loop it lives in.</summary>
    protected EventLoop Loop { get; }

    /// <summary>The wire that came in.</summary>
    protected Wire Front { get; }

    /// <summary>The wire that goes on; null while there is none.</summary>
    protected Wire? Back { get; set; }

    /// <summary>The edge it is counted at; null while it is not known.</summary>
    protected EdgeCounters? Counters { get; set; }

    /// <summary>Whether bytes flow.</summary>
    protected bool IsRelaying { get; private set; }

    /// <summary>Whether everything is over.</summary>
    protected bool IsClosed { get; private set; }

    /// <inheritdoc/>
    public void OnWire(Wire wire)
    {
        if (IsClosed || _isResuming)
        {
            return;
        }

        Go();
    }

    /// <inheritdoc/>
    public void Resume()
    {
        _isResuming = false;
        if (!IsClosed)
        {
            Go();
        }
    }

    /// <inheritdoc/>
    public void OnDeadline()
    {
        if (!IsRelaying)
        {
            OnTooLate();
            return;
        }

        // Half-closed: the side that still may send has been silent for the whole time, or it gets another turn.
        if (_movedSum == _movedBefore)
        {
            Abort();
            return;
        }

        _movedBefore = _movedSum;
        Loop.Due(this, Limits.HalfClosedIdle);
    }

    /// <summary>Breaks both wires, so that both sides see a failure.</summary>
    public void Abort()
    {
        if (IsClosed)
        {
            return;
        }

        StopRelay();
        Front.Abort();
        Back?.Abort();
        End();
    }

    /// <inheritdoc/>
    public void Break()
    {
        try
        {
            Abort();
        }
        finally
        {
            // Nothing is left open, even if the mistake was in the order of ending.
            Front.Abort();
            Back?.Abort();
            if (!IsClosed)
            {
                End();
            }
        }
    }

    /// <summary>Takes the next step before bytes flow.</summary>
    protected abstract void Advance();

    /// <summary>A step took too long.</summary>
    protected abstract void OnTooLate();

    /// <summary>Both directions have ended properly.</summary>
    /// <param name="rest">What came on the front wire after its end, if that is framed.</param>
    protected abstract void OnRelayed(ReadOnlySpan<byte> rest);

    /// <summary>The link is over: forget it.</summary>
    protected abstract void OnClosed();

    /// <summary>Lets the bytes flow.</summary>
    protected void StartRelay(
        bool isFrontFramed, bool isBackFramed, ReadOnlySpan<byte> forward, ReadOnlySpan<byte> back)
    {
        Loop.NotDue(this);
        _forward = new Flow(Front, Back!, isFrontFramed, isBackFramed);
        _backward = new Flow(Back!, Front, isBackFramed, isFrontFramed);
        if (!forward.IsEmpty)
        {
            _forward.Preload(forward);
        }

        if (!back.IsEmpty)
        {
            _backward.Preload(back);
        }

        IsRelaying = true;
        _isHalfClosedWatched = false;
        Counters!.Open();
        Relay();
    }

    /// <summary>Closes both wires in good order.</summary>
    protected void Close()
    {
        if (IsClosed)
        {
            return;
        }

        StopRelay();
        Front.Close();
        Back?.Close();
        End();
    }

    /// <summary>Ends the link without touching its wires.</summary>
    protected void End()
    {
        IsClosed = true;
        Loop.NotDue(this);
        OnClosed();
    }

    /// <summary>Stops the flow of bytes, if there is one.</summary>
    protected void StopRelay()
    {
        if (!IsRelaying)
        {
            return;
        }

        CountMoved();
        IsRelaying = false;
        _forward!.Dispose();
        _backward!.Dispose();
        _forward = null;
        _backward = null;
        Counters!.Close();
    }

    private void Go()
    {
        if (IsRelaying)
        {
            Relay();
        }
        else
        {
            Advance();
        }
    }

    private unsafe void Relay()
    {
        var forward = _forward!.Pump(Loop.Scratch);
        var backward = _backward!.Pump(Loop.Scratch);
        CountMoved();
        if (forward == FlowState.Broken || backward == FlowState.Broken)
        {
            Abort();
            return;
        }

        if (forward == FlowState.Ended || backward == FlowState.Ended)
        {
            AfterEnd(forward == FlowState.Ended && backward == FlowState.Ended);
            if (IsClosed || !IsRelaying)
            {
                return;
            }
        }

        if ((forward == FlowState.Unfinished || backward == FlowState.Unfinished) && !_isResuming)
        {
            _isResuming = true;
            Loop.Again(this);
        }
    }

    private void AfterEnd(bool isBoth)
    {
        if (isBoth)
        {
            var rest = _forward!.Rest.ToArray();
            StopRelay();
            Loop.NotDue(this);
            OnRelayed(rest);
            return;
        }

        // One side is gone for good and the other has nothing to hear from it any more.
        if (_forward!.IsDiscarding || _backward!.IsDiscarding)
        {
            Abort();
            return;
        }

        if (!_isHalfClosedWatched)
        {
            _isHalfClosedWatched = true;
            _movedBefore = _movedSum;
            Loop.Due(this, Limits.HalfClosedIdle);
        }
    }

    private void CountMoved()
    {
        var forward = _forward!.TakeMoved();
        var backward = _backward!.TakeMoved();
        if (forward != 0 || backward != 0)
        {
            _movedSum += forward + backward;
            Counters!.Move(forward, backward);
        }
    }
}
