using Praetor.Agent.Telemetry;

namespace Praetor.Agent.Http;

/// <summary>How long the requests of one path of the route table take, by method, under Consul's names.</summary>
/// <remarks>
/// Consul names what is registered with its router, a variable rest as <c>_</c>, and today's versions tell paths and
/// methods apart by labels; both are shown, from one sum. Names are made at the first request of a method, so that
/// paths nobody asks for do not show and the others cost no allocation.
/// </remarks>
internal sealed class RequestTimes
{
    private readonly string _dotted;
    private readonly string _label;
    private readonly Sampler?[] _byMethod = new Sampler?[8];

    /// <param name="pattern">The row's path; all from its first variable part on counts as one.</param>
    public RequestTimes(string pattern)
    {
        var variable = pattern.IndexOf('{');
        var fixedPart = (variable < 0 ? pattern : pattern[..variable]).TrimStart('/');
        _dotted = fixedPart.Replace('/', '.') + (variable < 0 ? "" : "_");
        _label = fixedPart.Replace('/', '_');
    }

    /// <summary>Notes a request that has ended, by when it began (<see cref="Metrics.Now"/>).</summary>
    public void Add(Metrics metrics, string method, long began)
    {
        // Other methods are the invention of who asks: a name for each would never end.
        var slot = SlotOf(method);
        if (slot >= 0)
        {
            (_byMethod[slot] ??= Named(metrics, method)).AddSince(began);
        }
    }

    private static int SlotOf(string method) => method switch
    {
        "GET" => 0,
        "PUT" => 1,
        "POST" => 2,
        "DELETE" => 3,
        "HEAD" => 4,
        "OPTIONS" => 5,
        "PATCH" => 6,
        _ => -1,
    };

    private Sampler Named(Metrics metrics, string method) => metrics.Sampler(
        new SeriesName($"http.{method}.{_dotted}"),
        new SeriesName("api.http", new MetricLabel("method", method), new MetricLabel("path", _label)));
}
