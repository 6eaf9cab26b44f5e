using System.Globalization;
using System.IO.Compression;
using System.Text;
using System.Text.Json;
using System.Text.RegularExpressions;
using Support;

namespace Integration.Conformance;

/// <summary>Plays a recording against an agent and says what it answered otherwise.</summary>
internal sealed class Replay(Recording recording, HttpClient http, Allowances allowances)
{
    private static readonly TimeSpan UntilLimit = TimeSpan.FromSeconds(5);
    private static readonly TimeSpan MatchLimit = TimeSpan.FromSeconds(1);
    private readonly Dictionary<string, string> _values = new(StringComparer.Ordinal);

    private sealed record Given(int Status, Dictionary<string, string> Headers, string Body);

    /// <summary>Gives the exchanges that differ, each as a few lines.</summary>
    public async Task<IReadOnlyList<string>> DifferencesAsync(CancellationToken stop)
    {
        var report = new List<string>();
        foreach (var exchange in recording.Exchanges)
        {
            var differences = await PlayAsync(exchange, stop);
            if (differences.Count > 0)
            {
                var request = $"{exchange.Request.Method} {exchange.Request.Path}";
                var title = $"{recording.Scenario}/{exchange.Name}: {request}";
                report.Add(string.Join("\n    ", [title, .. differences]));
            }
        }

        return report;
    }

    private async Task<List<string>> PlayAsync(RecordedExchange exchange, CancellationToken stop)
    {
        var given = await SendAsync(exchange.Request, stop);
        if (exchange.Until is { } text)
        {
            try
            {
                given = await Eventually.GivesAsync(text, UntilLimit, () => HoldsAsync(exchange, text, stop), stop);
            }
            catch (TimeoutException)
            {
                // Compared as it is: the difference says more than that the time is over.
            }
        }

        var differences = Compare(exchange, given);
        foreach (var (name, path) in exchange.Capture ?? new Dictionary<string, string>(StringComparer.Ordinal))
        {
            _values[name] = Reach(given, path) ?? "0";
        }

        return differences;
    }

    private async Task<Given?> HoldsAsync(RecordedExchange exchange, string text, CancellationToken stop)
    {
        var given = await SendAsync(exchange.Request, stop);
        // Blanks depend on pretty printing, which is not what is waited for.
        var isThere = given.Body.Replace(" ", "", StringComparison.Ordinal)
            .Contains(text.Replace(" ", "", StringComparison.Ordinal), StringComparison.Ordinal);
        return isThere ? given : null;
    }

    private async Task<Given> SendAsync(RecordedRequest request, CancellationToken stop)
    {
        // The path goes out as written: the double slash and the escapes are what is tested.
        var asWritten = new UriCreationOptions { DangerousDisablePathAndQueryCanonicalization = true };
        var target = new Uri($"http://{http.BaseAddress!.Authority}{Fill(request.Path)}", asWritten);
        using var message = new HttpRequestMessage(new HttpMethod(request.Method), target);
        if (BodyOf(request) is { } body)
        {
            message.Content = new ByteArrayContent(Encoding.UTF8.GetBytes(body));
        }

        foreach (var (name, value) in request.Headers ?? new Dictionary<string, string>(StringComparer.Ordinal))
        {
            message.Headers.TryAddWithoutValidation(name, Fill(value));
        }

        using var answer = await http.SendAsync(message, stop);
        var headers = answer.Headers.Concat(answer.Content.Headers)
            .ToDictionary(h => h.Key, h => string.Join(',', h.Value), StringComparer.OrdinalIgnoreCase);
        var bytes = await answer.Content.ReadAsByteArrayAsync(stop);
        var isPacked = headers.TryGetValue("Content-Encoding", out var coding) && coding == "gzip";
        return new Given((int)answer.StatusCode, headers, Encoding.UTF8.GetString(isPacked ? Unpack(bytes) : bytes));
    }

    private string? BodyOf(RecordedRequest request) => request.Repeat is { } repeat
        ? new StringBuilder().Insert(0, repeat[0].GetString()!, repeat[1].GetInt32()).ToString()
        : request.Body is { } body ? Fill(body) : null;

    private static byte[] Unpack(byte[] bytes)
    {
        using var packed = new GZipStream(new MemoryStream(bytes), CompressionMode.Decompress);
        using var plain = new MemoryStream();
        packed.CopyTo(plain);
        return plain.ToArray();
    }

    private List<string> Compare(RecordedExchange exchange, Given given)
    {
        Allowance? At(string at) => allowances.Find(recording.Scenario, exchange.Name, at);
        var differences = new List<string>();
        var status = At("status") is { } allowed ? allowed.Is?.GetInt32() ?? given.Status : exchange.Status;
        if (status != given.Status)
        {
            differences.Add($"status is {given.Status}, recorded {status}: {Comparison.Show(given.Body)}");
        }

        foreach (var (name, value) in exchange.Headers)
        {
            var expected = At($"header:{name}") is { } other ? other.Is?.GetString() ?? "<any>" : value;
            var actual = given.Headers.GetValueOrDefault(name);
            if (!Masks.Takes(expected, actual ?? ""))
            {
                differences.Add($"header {name} is {actual ?? "missing"}, recorded {expected}");
            }
        }

        differences.AddRange(CompareBodies(exchange, given, At));
        return differences;
    }

    private static IReadOnlyList<string> CompareBodies(
        RecordedExchange exchange, Given given, Func<string, Allowance?> at)
    {
        if (exchange.Json.ValueKind == JsonValueKind.Undefined || at("text") is not null)
        {
            var text = at("text") is { } allowed ? allowed.Is?.GetString() ?? "<any>" : exchange.Text ?? "";
            return Masks.Takes(text, given.Body) || (at("text") is not null && Masks.Takes(text, given.Body.Trim()))
                ? [] : [$"body is «{Comparison.Show(given.Body)}», recorded «{Comparison.Show(text)}»"];
        }

        try
        {
            using var document = JsonDocument.Parse(given.Body);
            return Comparison.Of(exchange.Json, document.RootElement, exchange.Unordered, at);
        }
        catch (JsonException)
        {
            var recorded = Comparison.Show(exchange.Json.GetRawText());
            return [$"body is no JSON: «{Comparison.Show(given.Body)}», recorded {recorded}"];
        }
    }

    private string Fill(string text) => Regex.Replace(
        text, @"\{\{(?<name>\w+)\}\}",
        name => _values.GetValueOrDefault(name.Groups["name"].Value, "0"),
        RegexOptions.None, MatchLimit);

    private static string? Reach(Given given, string path)
    {
        const string header = "header:";
        if (path.StartsWith(header, StringComparison.Ordinal))
        {
            return given.Headers.GetValueOrDefault(path[header.Length..]);
        }

        try
        {
            using var document = JsonDocument.Parse(given.Body);
            var value = document.RootElement;
            foreach (var part in path.Trim('.').Split('.'))
            {
                value = value.ValueKind == JsonValueKind.Array
                    ? value[int.Parse(part, CultureInfo.InvariantCulture)] : value.GetProperty(part);
            }

            return value.ToString();
        }
        catch (Exception missing) when (missing is JsonException or KeyNotFoundException or InvalidOperationException
            or IndexOutOfRangeException)
        {
            return null;
        }
    }
}
