namespace Praetor.Agent.Telemetry;

/// <summary>The name of a series, with what tells it apart from others of that name.</summary>
internal sealed record SeriesName(string Name, params IReadOnlyList<MetricLabel> Labels);

/// <summary>Samples of one thing, whose names were looked up once: for what is measured often.</summary>
internal sealed class Sampler(TimeProvider time)
{
    internal Tally Tally { get; } = new();

    /// <summary>Notes how long something took since a timestamp of the clock (<see cref="Metrics.Now"/>).</summary>
    public void AddSince(long timestamp) =>
        Tally.Add(time.GetElapsedTime(timestamp).TotalMilliseconds, time.GetUtcNow().Ticks / Metrics.Interval.Ticks);
}
