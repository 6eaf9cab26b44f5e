using System.Text.Json;

namespace Praetor.Commands.Demo;

/// <summary>Asks counting through the mesh, a few times a second, and knows how that went.</summary>
internal sealed class DemoTraffic(Uri upstream, TimeProvider time) : IDisposable
{
    private const int Kept = 40;
    private static readonly TimeSpan Interval = TimeSpan.FromMilliseconds(250);
    private static readonly TimeSpan AnswerLimit = TimeSpan.FromSeconds(2);
    private static readonly TimeSpan RateWindow = TimeSpan.FromSeconds(5);

    private readonly HttpClient _http = new(new SocketsHttpHandler { UseProxy = false }) { Timeout = AnswerLimit };
    private readonly Queue<Request> _requests = new(Kept);
    private long _errors;

    private sealed record Request(long At, TimeSpan Took, bool IsAnswered);

    /// <summary>The figures of the last requests.</summary>
    /// <param name="PerSecond">Answers a second, over the last five.</param>
    /// <param name="Errors">Requests that got no answer, since the start.</param>
    /// <param name="Last">What the last one brought, in words.</param>
    /// <param name="Median">Of the answered ones among the last forty. Null: none was answered.</param>
    /// <param name="IsAnswered">Whether the last one was answered.</param>
    public sealed record Figures(double PerSecond, long Errors, string Last, TimeSpan? Median, bool IsAnswered);

    /// <summary>Asks once.</summary>
    public async Task<Figures> AskAsync(CancellationToken stop)
    {
        var start = time.GetTimestamp();
        var (isAnswered, last) = await TryAsync(stop);
        if (_requests.Count == Kept)
        {
            _requests.Dequeue();
        }

        _requests.Enqueue(new Request(start, time.GetElapsedTime(start), isAnswered));
        _errors += isAnswered ? 0 : 1;
        var answered = _requests.Where(request => request.IsAnswered).ToList();
        var recent = answered.Count(request => time.GetElapsedTime(request.At) <= RateWindow);
        var window = _requests.Select(request => time.GetElapsedTime(request.At)).Max();
        var seconds = Math.Clamp(window.TotalSeconds, Interval.TotalSeconds, RateWindow.TotalSeconds);
        return new Figures(recent / seconds, _errors, last, MedianOf(answered), isAnswered);
    }

    /// <summary>Forgets what was asked so far, while the mesh was not ready yet.</summary>
    public void StartCounting()
    {
        _requests.Clear();
        _errors = 0;
    }

    /// <summary>Waits until the next request is due.</summary>
    public Task PauseAsync(CancellationToken stop) => Task.Delay(Interval, time, stop);

    /// <summary>Closes the connection.</summary>
    public void Dispose() => _http.Dispose();

    private static TimeSpan? MedianOf(List<Request> answered) => answered.Count == 0
        ? null : answered.Select(request => request.Took).Order().ElementAt(answered.Count / 2);

    private async Task<(bool IsAnswered, string Last)> TryAsync(CancellationToken stop)
    {
        try
        {
            await using var body = await _http.GetStreamAsync(upstream, stop);
            using var json = await JsonDocument.ParseAsync(body, default, stop);
            return json.RootElement.TryGetProperty("count", out var count)
                ? (true, $"count {count}") : (false, "an answer without a count");
        }
        // A connection that is reset at once shows as a bare SocketException.
        catch (Exception failure) when (failure is HttpRequestException or IOException or JsonException
            or System.Net.Sockets.SocketException)
        {
            return (false, "closed on the way, as a denied one is");
        }
        catch (OperationCanceledException) when (!stop.IsCancellationRequested)
        {
            return (false, $"no answer within {AnswerLimit.TotalSeconds:0} s");
        }
    }
}
