using System.Buffers;
using System.Net;
using System.Runtime.CompilerServices;
using System.Text.Encodings.Web;
using System.Text.Json;

namespace Praetor.Client.Watches;

/// <summary>What a watch saw.</summary>
/// <param name="Index">The index of the answer; 0 for type agent_service, which has a hash instead.</param>
/// <param name="Data">The answer, in the shape that Consul's own client gives it to handlers.</param>
public sealed record WatchNews(ulong Index, JsonElement Data);

/// <summary>How a watch goes about it.</summary>
public sealed record WatchOptions
{
    /// <summary>The pause after the first failure; each further one doubles it. Default 1 s.</summary>
    public TimeSpan RetryMin { get; init; } = TimeSpan.FromSeconds(1);

    /// <summary>The longest pause. Default 1 min.</summary>
    public TimeSpan RetryMax { get; init; } = TimeSpan.FromMinutes(1);

    /// <summary>How long one question waits for a change. Default 5 min.</summary>
    public TimeSpan Wait { get; init; } = TimeSpan.FromMinutes(5);

    /// <summary>Told of each failure, and how long the pause after it is. Null: nobody is.</summary>
    public Action<Exception, TimeSpan>? OnFailure { get; init; }

    /// <summary>The clock. Default: the system's.</summary>
    public TimeProvider Time { get; init; } = TimeProvider.System;

    /// <summary>Spreads the pauses by up to an eighth, so that many watches do not return together. Null: they are
    /// not spread.</summary>
    public Random? Random { get; init; }
}

/// <summary>Asks an agent for something again and again, and tells when it is another.</summary>
/// <remarks>
/// The next question is put when the caller takes the next news. So a slow caller never gets a queue of old answers:
/// what changed meanwhile comes as one. Failures are waited out; what is the same after them is no news.
/// </remarks>
public sealed class Watch(PraetorClient client, WatchQuery query, WatchOptions? options = null)
{
    private const int JitterFraction = 8;

    // An agent that does not block, for whatever reason, must not be asked in circles.
    private static readonly TimeSpan UnchangedPause = TimeSpan.FromMilliseconds(250);

    private readonly WatchOptions _options = options ?? new WatchOptions();

    /// <summary>The first answer, and each that differs from the one before, until stopped.</summary>
    /// <exception cref="OperationCanceledException">It was stopped.</exception>
    public async IAsyncEnumerable<WatchNews> RunAsync([EnumeratorCancellation] CancellationToken stop = default)
    {
        byte[]? last = null;
        var known = default(Known);
        var failures = 0;
        while (true)
        {
            var began = _options.Time.GetTimestamp();
            var (answer, failure) = await TryAskAsync(known, stop);
            if (answer is null)
            {
                // The agent may be another one by now: what was known of its indexes is void.
                known = default;
                await PauseAsync(failure!, ++failures, stop);
                continue;
            }

            failures = 0;
            var isSame = known.IsKnown && known == answer.Known;
            known = NextOf(known, answer.Known);
            if (!isSame && (last is null || !last.AsSpan().SequenceEqual(answer.Bytes)))
            {
                last = answer.Bytes;
                yield return new WatchNews(answer.Known.Index, JsonElement.Parse(answer.Bytes));
            }
            else if (_options.Time.GetElapsedTime(began) < UnchangedPause)
            {
                await Task.Delay(UnchangedPause, _options.Time, stop);
            }
        }
    }

    // An index that goes back means that the state is another one; those of events have no order.
    private Known NextOf(Known before, Known now) =>
        query.Type != "event" && before.Hash is null && now.Hash is null && now.Index < before.Index ? default : now;

    private async Task<(Answered? Answer, Exception? Failure)> TryAskAsync(Known known, CancellationToken stop)
    {
        try
        {
            return (await AskAsync(known, stop), null);
        }
        catch (Exception failure) when (failure is ApiException or HttpRequestException or TimeoutException
            or IOException or JsonException)
        {
            return (null, failure);
        }
    }

    private async Task<Answered> AskAsync(Known known, CancellationToken stop)
    {
        var (path, read, shape) = query.Request();
        var isHashed = query.Type == "agent_service";
        read = read with
        {
            Index = known.Index,
            Hash = known.Hash,
            Wait = known.IsKnown ? _options.Wait : null,
        };
        var answer = await client.GetAsync(path, read, ClientJson.Default.JsonElement, stop);
        var isMissing = answer.Value.ValueKind == JsonValueKind.Undefined;
        if (isMissing && query.Type is not ("key" or "keyprefix"))
        {
            throw new ApiException(HttpStatusCode.NotFound, $"there is no {path}");
        }

        var value = answer.Value;
        if (query.Type == "key" && !isMissing)
        {
            value = value.EnumerateArray().FirstOrDefault();
        }

        var now = isHashed
            ? new Known(true, 0, answer.Meta.ContentHash ?? "")
            : new Known(true, Math.Max(1, answer.Meta.Index), null);
        return new Answered(now, Shaped(shape, query.Type == "event" ? Newer(value, known) : value));
    }

    private static byte[] Shaped(WatchShape shape, JsonElement value)
    {
        var buffer = new ArrayBufferWriter<byte>();
        var relaxed = new JsonWriterOptions { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };
        using (var json = new Utf8JsonWriter(buffer, relaxed))
        {
            shape.Write(json, value);
        }

        return buffer.WrittenSpan.ToArray();
    }

    private static byte[] Shaped(WatchShape shape, IEnumerable<JsonElement> items)
    {
        var list = new ArrayBufferWriter<byte>();
        using (var json = new Utf8JsonWriter(list))
        {
            json.WriteStartArray();
            foreach (var item in items)
            {
                item.WriteTo(json);
            }

            json.WriteEndArray();
        }

        return Shaped(shape, JsonElement.Parse(list.WrittenSpan));
    }

    // The agent gives all events that it still has; news are those behind the one that was the last.
    private static JsonElement Newer(JsonElement events, Known known)
    {
        if (!known.IsKnown || events.ValueKind != JsonValueKind.Array)
        {
            return events;
        }

        var all = events.EnumerateArray().ToList();
        var seen = all.FindIndex(e => EventIndexOf(e) == known.Index);
        return seen < 0 ? events : Rest(all, seen + 1);
    }

    private static JsonElement Rest(List<JsonElement> all, int from) =>
        JsonElement.Parse(Shaped(WatchShapes.Events, all.Skip(from)));

    private static ulong EventIndexOf(JsonElement one) =>
        one.TryGetProperty("ID", out var id) ? UserEvent.IndexOf(id.GetString() ?? "") : 0;

    private Task PauseAsync(Exception failure, int failures, CancellationToken stop)
    {
        var doublings = Math.Min(failures - 1, 16);
        var pause = _options.RetryMin * Math.Pow(2, doublings);
        pause = pause < _options.RetryMax ? pause : _options.RetryMax;
        pause += pause / JitterFraction * (_options.Random?.NextDouble() ?? 0);
        _options.OnFailure?.Invoke(failure, pause);
        return Task.Delay(pause, _options.Time, stop);
    }

    private readonly record struct Known(bool IsKnown, ulong Index, string? Hash);

    private sealed record Answered(Known Known, byte[] Bytes);
}
