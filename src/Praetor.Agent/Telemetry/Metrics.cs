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

    public Aggregate With(Aggregate other) => (Count, other.Count) switch
    {
        (_, 0) => this,
        (0, _) => other,
        _ => new Aggregate(
            Count + other.Count, Sum + other.Sum, SumOfSquares + other.SumOfSquares,
            Math.Min(Min, other.Min), Math.Max(Max, other.Max)),
    };
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
    private volatile MetricFilter _filter = MetricFilter.None;

    /// <summary>Which of them are shown from now on.</summary>
    internal MetricFilter Filter
    {
        get => _filter;
        set => _filter = value;
    }

    /// <summary>Counts something that happened.</summary>
    public void Count(string name, params ReadOnlySpan<MetricLabel> labels) => Add(_counters, name, 1, labels);

    /// <summary>Notes how long something took, or how much it was; times in milliseconds.</summary>
    public void Sample(string name, double value, params ReadOnlySpan<MetricLabel> labels) =>
        Add(_samples, name, value, labels);

    /// <summary>Notes how long something took since a timestamp of the clock.</summary>
    public void SampleSince(string name, long timestamp, params ReadOnlySpan<MetricLabel> labels) =>
        Add(_samples, name, time.GetElapsedTime(timestamp).TotalMilliseconds, labels);

    /// <summary>Samples of one thing, shown under each of these names.</summary>
    /// <remarks>The same for the same first name, however often it is asked for.</remarks>
    internal Sampler Sampler(params ReadOnlySpan<SeriesName> names)
    {
        var sampler = new Sampler(time);
        foreach (var name in names)
        {
            var labels = name.Labels.ToArray();
            if (SeriesOf(_samples, name.Name, labels, sampler) is not { } series)
            {
                break;
            }

            sampler = series.Sampler;
        }

        return sampler;
    }

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
            .Where(g => _filter.Shows(g.Name))
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
        var series = SeriesOf(all, name, labels, null);
        series?.Sampler.Tally.Add(value, time.GetUtcNow().Ticks / Interval.Ticks);
    }

    /// <summary>The series of that name, begun if it is new. Null: there are too many.</summary>
    private Series? SeriesOf(
        ConcurrentDictionary<string, Series> all, string name, ReadOnlySpan<MetricLabel> labels, Sampler? fresh)
    {
        var key = KeyOf(name, labels);
        if (all.TryGetValue(key, out var series))
        {
            return series;
        }

        return all.Count >= SeriesMax
            ? null
            : all.GetOrAdd(key, new Series(name, labels.ToArray(), fresh ?? new Sampler(time)));
    }

    private List<MetricSeries> Read(ConcurrentDictionary<string, Series> all)
    {
        var shown = (time.GetUtcNow().Ticks / Interval.Ticks) - 1;
        return [.. all.Where(s => _filter.Shows(s.Value.Name))
            .OrderBy(static s => s.Key, StringComparer.Ordinal).Select(s => s.Value.Read(shown))];
    }

    private sealed record Series(string Name, MetricLabel[] Labels, Sampler Sampler)
    {
        public MetricSeries Read(long interval)
        {
            var (last, total) = Sampler.Tally.Read(interval);
            return new MetricSeries(Name, Labels, last, total);
        }
    }
}
