using System.Buffers.Text;

namespace Praetor.Proxy.Native;

/// <summary>Gives back the pages of files that a proxy does not use any more.</summary>
/// <remarks>
/// The problem: to start, a proxy runs through code for HTTP, JSON, certificates and compiling, and then it moves bytes
/// for weeks with a small part of that. What was touched once stays in its resident memory: 40 of 50 MB.
/// The idea: some seconds after the start, whenever much has come back, and else ever more rarely, all pages of files
/// are taken out of the process. What is still used comes back by itself, sixteen pages with one minor fault, without
/// reading the disk.
/// Why nothing is lost: only mappings are touched that cannot be written and of which the kernel says that they have no
/// page of their own; so every page is the file's. A file that is just being loaded is writable for a moment,
/// therefore a mapping must have been found so twice, an <see cref="Interval"/> or more apart.
/// What it does not do: it makes the files no smaller in the system's page cache, where the processes share them.
/// </remarks>
internal sealed class WorkingSet(TimeProvider time)
{
    /// <summary>How often it is looked whether there is something to give back.</summary>
    public static readonly TimeSpan Interval = TimeSpan.FromSeconds(2);

    /// <summary>Not for less than this is anything done after the first time.</summary>
    private const long GrowthMin = 2 * 1024 * 1024;

    /// <summary>After the first time it is done again after this, and then after twice as long each time.</summary>
    private static readonly TimeSpan PauseMin = TimeSpan.FromSeconds(4);

    /// <summary>The longest pause: some two milliseconds of faults are nothing in ten minutes.</summary>
    private static readonly TimeSpan PauseMax = TimeSpan.FromMinutes(10);

    private const int StatBytesMax = 128;

    private IReadOnlySet<Mapping>? _seen;

    // What was in use an interval after pages were given back; null: not known yet.
    private long? _settled;
    private bool _hasGivenBack;
    private long _givenBackAt;
    private TimeSpan _pause = PauseMin;

    /// <summary>Looks again and again until stopped.</summary>
    public async Task RunAsync(CancellationToken stop)
    {
        while (!stop.IsCancellationRequested)
        {
            await Task.Delay(Interval, time, stop).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            Look();
        }
    }

    private void Look()
    {
        if (_seen is null)
        {
            _seen = CleanMappings.OfThisProcess()?.Found;
            return;
        }

        var now = FileBytes();
        if (_hasGivenBack && _settled is null)
        {
            _settled = now;
        }

        var isTime = time.GetElapsedTime(_givenBackAt) >= _pause;
        if (_hasGivenBack && !isTime && now - _settled < GrowthMin)
        {
            return;
        }

        if (CleanMappings.OfThisProcess()?.Found is not { } mappings)
        {
            return;
        }

        GiveBack(mappings.Where(_seen.Contains));
        if (_hasGivenBack && isTime)
        {
            _pause = _pause < PauseMax / 2 ? _pause * 2 : PauseMax;
        }

        (_seen, _settled, _hasGivenBack, _givenBackAt) = (mappings, null, true, time.GetTimestamp());
    }

    private static void GiveBack(IEnumerable<Mapping> mappings)
    {
        foreach (var mapping in mappings)
        {
            // Refused for a mapping that is locked or has gone: then it stays as it is.
            _ = LibC.Advise((nint)mapping.Start, (nuint)(mapping.End - mapping.Start), LibC.AdviceDontNeed);
        }
    }

    // In pages: size, resident, and of these the files'.
    private static long FileBytes()
    {
        Span<byte> text = stackalloc byte[StatBytesMax];
        try
        {
            using var file = File.OpenHandle("/proc/self/statm");
            ReadOnlySpan<byte> rest = text[..RandomAccess.Read(file, text, 0)];
            rest = rest[(rest.IndexOf((byte)' ') + 1)..];
            rest = rest[(rest.IndexOf((byte)' ') + 1)..];
            return Utf8Parser.TryParse(rest, out long pages, out _) ? pages * Environment.SystemPageSize : 0;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return 0;
        }
    }
}
