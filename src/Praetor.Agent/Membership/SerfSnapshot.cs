using System.Net;

namespace Praetor.Agent.Membership;

/// <summary>Reads who was there from the file in which a Consul agent keeps it (<c>serf/local.snapshot</c>), so that an
/// agent which takes over Consul's data directory finds its way back.</summary>
/// <remarks>
/// Lines are appended to it as things happen: <c>alive: NAME ADDRESS</c>, <c>not-alive: NAME</c>, <c>leave</c>, and
/// clocks, which any member tells at the first exchange. The last word on a name counts.
/// </remarks>
internal static class SerfSnapshot
{
    /// <summary>Lines that are read; Consul shortens the file long before it has so many.</summary>
    private const int LinesMax = 1_000_000;

    private const string AliveMark = "alive: ";
    private const string GoneMark = "not-alive: ";
    private const string LeftMark = "leave";

    /// <summary>The addresses of those who were there last, whatever their order.</summary>
    /// <param name="lines">The file.</param>
    /// <param name="evenIfLeft">Also when the agent left of its own will.</param>
    public static IReadOnlyList<IPEndPoint> Read(IEnumerable<string> lines, bool evenIfLeft)
    {
        var alive = new Dictionary<string, IPEndPoint>(StringComparer.Ordinal);
        foreach (var line in lines.Take(LinesMax))
        {
            if (line.StartsWith(AliveMark, StringComparison.Ordinal))
            {
                var space = line.LastIndexOf(' ');
                if (space > AliveMark.Length && IPEndPoint.TryParse(line[(space + 1)..], out var at))
                {
                    alive[line[AliveMark.Length..space]] = at;
                }
            }
            else if (line.StartsWith(GoneMark, StringComparison.Ordinal))
            {
                alive.Remove(line[GoneMark.Length..]);
            }
            else if (line == LeftMark && !evenIfLeft)
            {
                alive.Clear();
            }
        }

        return [.. alive.Values];
    }
}
