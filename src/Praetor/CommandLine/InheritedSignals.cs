using System.Runtime.InteropServices;

namespace Praetor.CommandLine;

/// <summary>Makes signals heard that whoever started the process had ignored.</summary>
/// <remarks>
/// A shell script's background commands inherit SIGINT as ignored, those under nohup SIGHUP, and .NET leaves an ignored
/// signal ignored, even where a handler is registered.
/// </remarks>
internal static partial class InheritedSignals
{
    /// <summary>The number of SIGHUP; these three are the same on every Unix.</summary>
    public const int HangUp = 1;

    /// <summary>The number of SIGINT.</summary>
    public const int Interrupt = 2;

    /// <summary>The number of SIGTERM.</summary>
    public const int Terminate = 15;

    private const nint Default = 0;
    private const nint Ignored = 1;

    // The handler stands first in every system's structure, and 512 bytes are more than any of them has.
    private const int ActionWords = 64;

    /// <summary>Gives an ignored signal its usual effect again, so that a handler registered after it is called. Any
    /// other signal is left alone, as .NET may have its own handler there.</summary>
    public static unsafe void Hear(int signal)
    {
        if (OperatingSystem.IsWindows())
        {
            return;
        }

        var action = stackalloc nint[ActionWords];
        if (SigAction(signal, null, action) == 0 && action[0] == Ignored)
        {
            _ = SetHandler(signal, Default);
        }
    }

    [LibraryImport("libc", EntryPoint = "sigaction")]
    private static unsafe partial int SigAction(int signal, nint* next, nint* current);

    [LibraryImport("libc", EntryPoint = "signal")]
    private static partial nint SetHandler(int signal, nint handler);
}
