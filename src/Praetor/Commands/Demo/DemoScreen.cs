namespace Praetor.Commands.Demo;

/// <summary>What the demo shows. On a terminal the last line is live; elsewhere it is printed now and then.</summary>
internal sealed class DemoScreen(TextWriter output, bool isTerminal, TimeProvider time)
{
    private static readonly TimeSpan PlainInterval = TimeSpan.FromSeconds(5);
    private readonly long _start = time.GetTimestamp();
    private long _lastPlain;
    private bool _wasAnswered = true;

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
                 {command} intention create{at} -deny dashboard counting    cut it, and watch the line below
                 {command} intention delete{at} dashboard counting          let it through again
                 {command} catalog services{at}                             look around
                 dig @127.0.0.1 -p {ports.Dns} counting.service.consul SRV

               {(isTerminal ? "q or Ctrl-C" : "Ctrl-C")} ends it; nothing is left behind.

            """);
        output.Flush();
    }

    /// <summary>The live line.</summary>
    public void Show(DemoTraffic.Figures figures)
    {
        var median = figures.Median is { } took ? $"{took.TotalMilliseconds:0.0} ms" : "–";
        var rate = $"{figures.PerSecond:0.0}/s  errors {figures.Errors}  p50 {median}";
        var line = $"dashboard → counting  {rate}  {figures.Last}";
        if (isTerminal)
        {
            output.Write($"\r\x1b[K   {(figures.IsAnswered ? Green("●") : Red("●"))} {line}");
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
        output.WriteLine(isTerminal ? $"\r\x1b[K   {text}" : $"   {text}");
        output.Flush();
    }

    private string Green(string text) => isTerminal ? $"\x1b[32m{text}\x1b[0m" : text;

    private string Red(string text) => isTerminal ? $"\x1b[31m{text}\x1b[0m" : text;
}
