using System.Runtime.InteropServices;

namespace Praetor.CommandLine;

/// <summary>What the process is told from outside: to end (SIGINT, SIGTERM) and to read its files again
/// (SIGHUP).</summary>
internal sealed class ProcessSignals : IDisposable
{
    private readonly CancellationTokenSource _stop = new();
    private readonly List<PosixSignalRegistration> _registrations = [];

    /// <summary>Listens from here on.</summary>
    /// <param name="onEnd">Called with the first signal to end; a second one ends the process as usual. Null:
    /// nothing.</param>
    /// <param name="onReload">Called with every SIGHUP. Null: it ends the process, as is usual.</param>
    /// <param name="endsOnHangUp">SIGHUP, which a terminal sends when it is closed, tells to end too, unless the
    /// process was started to ignore it.</param>
    public ProcessSignals(
        Action<PosixSignal>? onEnd = null, Action? onReload = null, bool endsOnHangUp = false)
    {
        Listen(PosixSignal.SIGINT, InheritedSignals.Interrupt, context => End(context, onEnd));
        Listen(PosixSignal.SIGTERM, InheritedSignals.Terminate, context => End(context, onEnd));
        if (onReload is not null)
        {
            Listen(PosixSignal.SIGHUP, InheritedSignals.HangUp, context =>
            {
                context.Cancel = true;
                onReload();
            });
        }
        else if (endsOnHangUp)
        {
            _registrations.Add(PosixSignalRegistration.Create(PosixSignal.SIGHUP, context => End(context, onEnd)));
        }
    }

    /// <summary>Cancelled by the first signal to end.</summary>
    public CancellationToken Stop => _stop.Token;

    /// <summary>The first signal to end that came. Null: none yet.</summary>
    public PosixSignal? Ended { get; private set; }

    public void Dispose()
    {
        foreach (var registration in _registrations)
        {
            registration.Dispose();
        }

        _stop.Dispose();
    }

    private void Listen(PosixSignal signal, int number, Action<PosixSignalContext> handler)
    {
        InheritedSignals.Hear(number);
        _registrations.Add(PosixSignalRegistration.Create(signal, handler));
    }

    private void End(PosixSignalContext context, Action<PosixSignal>? onEnd)
    {
        if (Ended is not null)
        {
            return;
        }

        context.Cancel = true;
        Ended = context.Signal;
        onEnd?.Invoke(context.Signal);
        _stop.Cancel();
    }
}
