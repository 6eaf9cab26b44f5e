namespace Praetor.Server.State;

/// <summary>A thread that builds trees of the state or edits them.</summary>
internal static class StateThread
{
    // Keys that nest byte by byte make the trees as deep as a key may be long, and editing them recurses.
    private const int StackBytes = 16 * 1024 * 1024;

    /// <summary>Starts one that does not keep the process alive.</summary>
    /// <param name="name">What tools show.</param>
    /// <param name="run">What it does; it must not throw.</param>
    public static Thread Start(string name, Action run)
    {
        var thread = new Thread(() => run(), StackBytes) { Name = name, IsBackground = true };
        thread.Start();
        return thread;
    }
}
