namespace Praetor.Commands.Demo;

/// <summary>What the demo shows. On a terminal the last line is live; elsewhere it is printed now and then.</summary>
/// <param name="output">Where to.</param>
/// <param name="columns">How wide the terminal is now. Null: it is none.</param>
/// <param name="time">The clock.</param>
internal sealed class DemoScreen(TextWriter output, Func<int>? columns, TimeProvider time)
{
    // Nothing shorter says anything; also for terminals that do not tell their width.
    private const int ColumnsMin = 40;
    private const int ColumnsUnknown = 80;
    private static readonly TimeSpan PlainInterval = TimeSpan.FromSeconds(5);
    private readonly long _start = time.GetTimestamp();
    private long _lastPlain;
    private bool _wasAnswered = true;

    private bool IsTerminal => columns is not null;

    private int Columns => columns is null ? int.MaxValue
        : columns() is > 0 and var width ? Math.Max(width, ColumnsMin) : ColumnsUnknown;

    /// <summary>A step that is done, and how long after the start.</summary>
    public void Done(string what, string about)
    {
        var seconds = time.GetElapsedTime(_start).TotalSeconds;
        output.WriteLine(string.Create(null, $" {Green("✓")} {what,-40}{seconds,4:0.0} s    {about}"));
        output.Flush();
    }

    /// <summary>Where everything is, and what to try.</summary>
    public void Guide(DemoPorts ports, string command)
    {
        var at = ports.IsUsualHttp ? "" : $" -http-addr=127.0.0.1:{ports.Http}";
        output.WriteLine($"""

               Dashboard    http://127.0.0.1:{ports.Dashboard}
               Agent        http://127.0.0.1:{ports.Http}/ui/    DNS 127.0.0.1:{ports.Dns}
               The mesh     127.0.0.1:{ports.Upstream} is counting, by way of two sidecars and mutual TLS

               In another terminal:
            """);
        Hints(
            ($"{command} intention create{at} -deny dashboard counting", "cut it, and watch the line below"),
            ($"{command} intention delete{at} dashboard counting", "let it through again"),
            ($"{command} catalog services{at}", "look around"),
            ($"dig @127.0.0.1 -p {ports.Dns} counting.service.consul SRV", "find it by DNS"));
        output.WriteLine($"""

               {(IsTerminal ? "q or Ctrl-C" : "Ctrl-C")} ends it; nothing is left behind.

            """);
        output.Flush();
    }

    /// <summary>The live line. It stays within a row: of a longer one only the last row would be written
    /// over.</summary>
    public void Show(DemoTraffic.Figures figures)
    {
        var median = figures.Median is { } took ? $"{took.TotalMilliseconds:0.0} ms" : "–";
        var what = figures.IsAnswered
            ? $"{figures.PerSecond:0.0}/s  errors {figures.Errors}  p50 {median}  {figures.Last}"
            : $"{figures.Last}  errors {figures.Errors}";
        var line = $"dashboard → counting  {what}";
        if (IsTerminal)
        {
            const int before = 5;
            var dot = figures.IsAnswered ? Green("●") : Red("●");
            output.Write($"\r\x1b[K   {dot} {Cut(line, Columns - before - 1)}");
            output.Flush();
        }
        else if (_lastPlain == 0 || figures.IsAnswered != _wasAnswered
            || time.GetElapsedTime(_lastPlain) >= PlainInterval)
        {
            _lastPlain = time.GetTimestamp();
            output.WriteLine($"   {line}");
            output.Flush();
        }

        _wasAnswered = figures.IsAnswered;
    }

    /// <summary>The last words.</summary>
    public void End(string text)
    {
        output.WriteLine(IsTerminal ? $"\r\x1b[K   {text}" : $"   {text}");
        output.Flush();
    }

    private static string Cut(string line, int length) =>
        line.Length <= length ? line : string.Concat(line.AsSpan(0, length - 1), "…");

    // What a command does stands beside it where there is room, else above it.
    private void Hints(params (string Command, string About)[] hints)
    {
        const int before = 5;
        const int between = 4;
        var width = hints.Max(static hint => hint.Command.Length);
        var fits = before + width + between + hints.Max(static hint => hint.About.Length) <= Columns;
        foreach (var (command, about) in hints)
        {
            output.WriteLine(fits
                ? $"     {command.PadRight(width)}    {about}" : $"     # {about}\n     {command}");
        }
    }

    private string Green(string text) => IsTerminal ? $"\x1b[32m{text}\x1b[0m" : text;

    private string Red(string text) => IsTerminal ? $"\x1b[31m{text}\x1b[0m" : text;
}
