using System.Collections.Concurrent;

namespace Praetor.Agent.Telemetry;

/// <summary>Names and values that tell series of one metric apart.</summary>
public readonly record struct MetricLabel(string Name, string Value);

/// <summary>Counts of one interval, or of all time.</summary>
/// <param name="Count">How many observations.</param>
/// <param name="Sum">Their sum.</param>
/// <param name="SumOfSquares">The sum of their squares, for the deviation.</param>
/// <param name="Min">The smallest.</param>
/// <param name="Max">The largest.</param>
public readonly record struct Aggregate(long Count, double Sum, double SumOfSquares, double Min, double Max)
{
    public double Mean => Count == 0 ? 0 : Sum / Count;

    public double Deviation => Count < 2
        ? 0
        : Math.Sqrt(Math.Max(0, (SumOfSquares - (Sum * Sum / Count)) / (Count - 1)));

    public Aggregate With(double value) => Count == 0
        ? new Aggregate(1, value, value * value, value, value)
        : new Aggregate(
            Count + 1, Sum + value, SumOfSquares + (value * value), Math.Min(Min, value), Math.Max(Max, value));
}

/// <summary>One series as it is read.</summary>
public sealed record MetricSeries(string Name, IReadOnlyList<MetricLabel> Labels, Aggregate Interval, Aggregate Total);

/// <summary>A value as it is now, with what tells it apart from others of its name.</summary>
public sealed record LabelledGauge(string Name, double Value, IReadOnlyList<MetricLabel> Labels);

/// <summary>All that is measured: counters, samples and gauges, under Consul's names where it has them.</summary>
/// <remarks>
/// Readers of the JSON form want the last interval of ten seconds, Prometheus wants totals; both are kept. Names
/// carry no prefix here.
/// </remarks>
public sealed class Metrics(TimeProvider time)
{
    /// <summary>How long an interval of the JSON form is, as in Consul.</summary>
    public static readonly TimeSpan Interval = TimeSpan.FromSeconds(10);

    /// <summary>How many series there may be; beyond it none begins: labels from outside must not be a leak.</summary>
    public const int SeriesMax = 4096;

    private readonly ConcurrentDictionary<string, Series> _counters = new(StringComparer.Ordinal);
    private readonly ConcurrentDictionary<string, Series> _samples = new(StringComparer.Ordinal);
    private readonly ConcurrentDictionary<string, Func<double>> _gauges = new(StringComparer.Ordinal);
    private readonly ConcurrentBag<Func<IEnumerable<LabelledGauge>>> _labelled = [];

    /// <summary>Counts something that happened.</summary>
    public void Count(string name, params ReadOnlySpan<MetricLabel> labels) => Add(_counters, name, 1, labels);

    /// <summary>Notes how long something took, or how much it was; times in milliseconds.</summary>
    public void Sample(string name, double value, params ReadOnlySpan<MetricLabel> labels) =>
        Add(_samples, name, value, labels);

    /// <summary>Notes how long something took since a timestamp of the clock.</summary>
    public void SampleSince(string name, long timestamp, params ReadOnlySpan<MetricLabel> labels) =>
        Add(_samples, name, time.GetElapsedTime(timestamp).TotalMilliseconds, labels);

    /// <summary>Something that has a value at any time; asked when it is read.</summary>
    public void Gauge(string name, Func<double> read) => _gauges[name] = read;

    /// <summary>Things that have values at any time, each with labels; asked when they are read.</summary>
    public void Gauges(Func<IEnumerable<LabelledGauge>> read) => _labelled.Add(read);

    /// <summary>The clock's timestamp, for <see cref="SampleSince"/>.</summary>
    public long Now() => time.GetTimestamp();

    /// <summary>The interval that is shown: the last one that is over.</summary>
    public DateTimeOffset Shown
    {
        get
        {
            var now = time.GetUtcNow();
            return new DateTimeOffset(now.Ticks - (now.Ticks % Interval.Ticks) - Interval.Ticks, TimeSpan.Zero);
        }
    }

    public IReadOnlyList<MetricSeries> Counters => Read(_counters);

    public IReadOnlyList<MetricSeries> Samples => Read(_samples);

    public IReadOnlyList<LabelledGauge> AllGauges =>
        [.. _gauges.Select(static g => new LabelledGauge(g.Key, g.Value(), []))
            .Concat(_labelled.SelectMany(static read => read()))
            .OrderBy(static g => g.Name, StringComparer.Ordinal)];

    private static string KeyOf(string name, ReadOnlySpan<MetricLabel> labels)
    {
        if (labels.IsEmpty)
        {
            return name;
        }

        var key = new System.Text.StringBuilder(name);
        foreach (var label in labels)
        {
            key.Append('\0').Append(label.Name).Append('\u0001').Append(label.Value);
        }

        return key.ToString();
    }

    private void Add(
        ConcurrentDictionary<string, Series> all, string name, double value, ReadOnlySpan<MetricLabel> labels)
    {
        var key = KeyOf(name, labels);
        if (!all.TryGetValue(key, out var series))
        {
            if (all.Count >= SeriesMax)
            {
                return;
            }

            series = all.GetOrAdd(key, new Series(name, labels.ToArray()));
        }

        series.Add(value, time.GetUtcNow().Ticks / Interval.Ticks);
    }

    private List<MetricSeries> Read(ConcurrentDictionary<string, Series> all)
    {
        var shown = (time.GetUtcNow().Ticks / Interval.Ticks) - 1;
        return [.. all.OrderBy(static s => s.Key, StringComparer.Ordinal).Select(s => s.Value.Read(shown))];
    }

    private sealed class Series(string name, MetricLabel[] labels)
    {
        private readonly Lock _gate = new();
        private Aggregate _total;
        private Aggregate _current;
        private Aggregate _last;
        private long _interval;

        public void Add(double value, long interval)
        {
            lock (_gate)
            {
                Roll(interval);
                _current = _current.With(value);
                _total = _total.With(value);
            }
        }

        public MetricSeries Read(long interval)
        {
            lock (_gate)
            {
                Roll(interval + 1);
                return new MetricSeries(name, labels, _last, _total);
            }
        }

        private void Roll(long interval)
        {
            if (interval <= _interval)
            {
                return;
            }

            _last = interval == _interval + 1 ? _current : default;
            _current = default;
            _interval = interval;
        }
    }
}
