using System.Globalization;
using System.Text;
using System.Text.Json;
using Microsoft.AspNetCore.Http;
using Praetor.Agent.Telemetry;

namespace Praetor.Agent.Http.Endpoints;

/// <summary>/v1/agent/metrics and /v1/agent/metrics/stream.</summary>
/// <param name="metrics">What is measured.</param>
/// <param name="prefix">First part of every name (<c>telemetry.metrics_prefix</c>).</param>
/// <param name="time">The clock of the stream.</param>
internal sealed class AgentMetricsEndpoints(Metrics metrics, string prefix, TimeProvider time)
{
    private const string PrometheusType = "text/plain; version=0.0.4; charset=utf-8";

    public void AddTo(RouteTable routes)
    {
        routes.Handle("GET", "/v1/agent/metrics", RouteRows.AgentRead, Get,
            "Metrics of this agent, also for Prometheus (format=prometheus).");
        routes.Stream("GET", "/v1/agent/metrics/stream", RouteRows.AgentRead, StreamAsync,
            "The metrics of each interval, as they come.");
    }

    private ValueTask<Reply> Get(ApiRequest request) => ValueTask.FromResult(request.Query["format"] == "prometheus"
        ? new Reply(200, PrometheusType, Encoding.UTF8.GetBytes(Prometheus()))
        : Reply.Json(request.Pretty, Write));

    private async Task StreamAsync(HttpContext context, ApiRequest request)
    {
        context.Response.ContentType = Reply.JsonType;
        var stop = request.Aborted;
        try
        {
            while (true)
            {
                await context.Response.Body.WriteAsync(Reply.Bytes(pretty: true, Write), stop);
                await context.Response.Body.FlushAsync(stop);
                await Task.Delay(Metrics.Interval, time, stop);
            }
        }
        catch (Exception e) when (e is OperationCanceledException or IOException)
        {
            // The reader left.
        }
    }

    private void Write(Utf8JsonWriter json)
    {
        json.WriteStartObject();
        json.WriteString(
            "Timestamp",
            metrics.Shown.UtcDateTime.ToString("yyyy-MM-dd HH:mm:ss '+0000 UTC'", CultureInfo.InvariantCulture));
        json.WriteStartArray("Gauges");
        foreach (var gauge in metrics.AllGauges)
        {
            json.WriteStartObject();
            json.WriteString("Name", $"{prefix}.{gauge.Name}");
            json.WriteNumber("Value", gauge.Value);
            WriteLabels(json, gauge.Labels);
            json.WriteEndObject();
        }

        json.WriteEndArray();
        json.WriteStartArray("Points");
        json.WriteEndArray();
        WriteSeries(json, "Counters", metrics.Counters);
        WriteSeries(json, "Samples", metrics.Samples);
        json.WriteEndObject();
    }

    private void WriteSeries(Utf8JsonWriter json, string kind, IReadOnlyList<MetricSeries> all)
    {
        json.WriteStartArray(kind);
        foreach (var series in all.Where(static s => s.Interval.Count > 0))
        {
            var values = series.Interval;
            json.WriteStartObject();
            json.WriteString("Name", $"{prefix}.{series.Name}");
            json.WriteNumber("Count", values.Count);
            json.WriteNumber("Rate", values.Sum / Metrics.Interval.TotalSeconds);
            json.WriteNumber("Sum", values.Sum);
            json.WriteNumber("Min", values.Min);
            json.WriteNumber("Max", values.Max);
            json.WriteNumber("Mean", values.Mean);
            json.WriteNumber("Stddev", values.Deviation);
            WriteLabels(json, series.Labels);
            json.WriteEndObject();
        }

        json.WriteEndArray();
    }

    private static void WriteLabels(Utf8JsonWriter json, IReadOnlyList<MetricLabel> labels)
    {
        json.WriteStartObject("Labels");
        foreach (var label in labels)
        {
            json.WriteString(label.Name, label.Value);
        }

        json.WriteEndObject();
    }

    private string Prometheus()
    {
        var text = new StringBuilder(4096);
        foreach (var group in metrics.AllGauges.GroupBy(static g => g.Name, StringComparer.Ordinal))
        {
            var full = NameOf(group.Key);
            text.Append(CultureInfo.InvariantCulture, $"# HELP {full} {full}\n# TYPE {full} gauge\n");
            foreach (var gauge in group)
            {
                text.Append(CultureInfo.InvariantCulture, $"{full}{Labels(gauge.Labels)} {gauge.Value}\n");
            }
        }

        foreach (var group in metrics.Counters.GroupBy(static s => s.Name, StringComparer.Ordinal))
        {
            var full = NameOf(group.Key);
            text.Append(CultureInfo.InvariantCulture, $"# HELP {full} {full}\n# TYPE {full} counter\n");
            foreach (var series in group)
            {
                text.Append(CultureInfo.InvariantCulture, $"{full}{Labels(series.Labels)} {series.Total.Sum}\n");
            }
        }

        foreach (var group in metrics.Samples.GroupBy(static s => s.Name, StringComparer.Ordinal))
        {
            var full = NameOf(group.Key);
            text.Append(CultureInfo.InvariantCulture, $"# HELP {full} {full}\n# TYPE {full} summary\n");
            foreach (var series in group)
            {
                var labels = Labels(series.Labels);
                text.Append(CultureInfo.InvariantCulture, $"{full}_sum{labels} {series.Total.Sum}\n");
                text.Append(CultureInfo.InvariantCulture, $"{full}_count{labels} {series.Total.Count}\n");
            }
        }

        return text.ToString();
    }

    private string NameOf(string name) => string.Create(
        prefix.Length + 1 + name.Length,
        $"{prefix}_{name}",
        static (span, full) =>
        {
            for (var i = 0; i < span.Length; i++)
            {
                span[i] = char.IsAsciiLetterOrDigit(full[i]) || full[i] is '_' or ':' ? full[i] : '_';
            }
        });

    private static string Labels(IReadOnlyList<MetricLabel> labels) => labels.Count == 0
        ? ""
        : "{" + string.Join(',', labels.Select(static l => $"{l.Name}=\"{Escape(l.Value)}\"")) + "}";

    private static string Escape(string value) =>
        value.Replace("\\", "\\\\").Replace("\"", "\\\"").Replace("\n", "\\n");
}
