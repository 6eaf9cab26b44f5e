namespace Praetor.Proxy.Net;

/// <summary>Something with a file descriptor that an <see cref="EventLoop"/> watches.</summary>
internal abstract class Pollable
{
    /// <summary>The file descriptor; -1 once closed.</summary>
    public int Fd { get; protected set; } = -1;

    /// <summary>Tells this use of the descriptor's number from a later one; set by the loop.</summary>
    public uint Generation { get; set; }

    /// <summary>Called on the loop's thread when the descriptor's state changed.</summary>
    public abstract void OnReady(uint events);

    /// <summary>Called after an exception escaped <see cref="OnReady"/>.</summary>
    public virtual void OnBug()
    {
    }
}

/// <summary>Something that a mistake in its own code ends.</summary>
internal interface IBreakable
{
    /// <summary>Closes all descriptors and releases all counts, whatever state it is in.</summary>
    void Break();
}

/// <summary>Something with more to do at once, after the others had their turn.</summary>
internal interface IResumable
{
    /// <summary>Called on the loop's thread.</summary>
    void Resume();
}

/// <summary>Something that must happen before a point in time, or be given up.</summary>
internal interface ITimed
{
    /// <summary>When <see cref="OnDeadline"/> is due, as the loop's time stamp.</summary>
    long Deadline { get; set; }

    /// <summary>Where the loop keeps it; -1 when it does not.</summary>
    int DeadlineSlot { get; set; }

    /// <summary>Called on the loop's thread when the time is over; the loop has forgotten it by then.</summary>
    void OnDeadline();
}
