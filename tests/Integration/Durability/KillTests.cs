using System.Collections.Concurrent;
using System.Globalization;
using System.Text;
using System.Text.Json;
using Shouldly;
using Support;
using Xunit;

namespace Integration.Durability;

/// <summary>A server is killed again and again while it takes writes: what it acknowledged must be there.</summary>
public sealed class KillTests
{
    private const int Writers = 64;
    private const int KeysPerWriter = 16;
    private const int Seed = 20240611;
    private static readonly int Rounds = Environment.GetEnvironmentVariable("PRAETOR_LONG") == "1" ? 200 : 15;

    // Key to the last value acknowledged, and to the one sent after it that nobody answered.
    private readonly ConcurrentDictionary<string, string> _acknowledged = new(StringComparer.Ordinal);
    private readonly ConcurrentDictionary<string, string> _unanswered = new(StringComparer.Ordinal);
    private readonly int[] _sequences = new int[Writers];

    [Fact]
    public async Task Nothing_that_was_acknowledged_is_lost_by_kill_9()
    {
        var stop = TestContext.Current.CancellationToken;
        var random = new Random(Seed);
        await using var agent = await AgentProcess.StartAsync(new AgentOptions { IsDev = false }, stop);
        for (var round = 0; round < Rounds; round++)
        {
            using var end = CancellationTokenSource.CreateLinkedTokenSource(stop);
            var writers = Enumerable.Range(0, Writers).Select(w => WriteAsync(agent, w, end.Token)).ToList();
            await Task.Delay(TimeSpan.FromMilliseconds(random.Next(50, 500)), TimeProvider.System, stop);
            await agent.KillAsync();
            await end.CancelAsync();
            await Task.WhenAll(writers);
            await agent.StartAgainAsync(stop);
            await CheckAsync(agent, round, stop);
        }

        _acknowledged.Count.ShouldBeGreaterThan(Writers, "the writers wrote hardly anything");
    }

    private async Task WriteAsync(AgentProcess agent, int writer, CancellationToken stop)
    {
        while (!stop.IsCancellationRequested)
        {
            var sequence = ++_sequences[writer];
            var key = $"kill/{writer}/{sequence % KeysPerWriter}";
            var value = sequence.ToString(CultureInfo.InvariantCulture);
            _unanswered[key] = value;
            try
            {
                using var body = new StringContent(value);
                using var answer = await agent.Http.PutAsync(new Uri($"/v1/kv/{key}", UriKind.Relative), body, stop);
                if ((await answer.Content.ReadAsStringAsync(stop)).Trim() != "true")
                {
                    return;
                }

                _acknowledged[key] = value;
                _unanswered.TryRemove(key, out _);
            }
            catch (Exception gone) when (gone is HttpRequestException or IOException or OperationCanceledException)
            {
                // The server was killed under this write: whether it was taken is open, and both is right.
                return;
            }
        }
    }

    private async Task CheckAsync(AgentProcess agent, int round, CancellationToken stop)
    {
        // Consistent: a server that leads but has not caught up with its own log yet must not answer.
        var json = await agent.Http.GetStringAsync("/v1/kv/kill/?recurse&consistent", stop);
        using var document = JsonDocument.Parse(json);
        var stored = document.RootElement.EnumerateArray().ToDictionary(
            pair => pair.GetProperty("Key").GetString()!,
            pair => Encoding.UTF8.GetString(pair.GetProperty("Value").GetBytesFromBase64()),
            StringComparer.Ordinal);
        var lost = _acknowledged.Where(write => !IsRight(write.Key, write.Value, stored)).Take(10).ToList();
        lost.ShouldBeEmpty($"after kill {round + 1} (seed {Seed})");
        foreach (var (key, value) in stored.Where(pair => _unanswered.GetValueOrDefault(pair.Key) == pair.Value))
        {
            // It turned out to be taken, so from now on it must stay.
            _acknowledged[key] = value;
        }

        _unanswered.Clear();
    }

    private bool IsRight(string key, string acknowledged, Dictionary<string, string> stored) =>
        stored.TryGetValue(key, out var value)
        && (value == acknowledged || (_unanswered.TryGetValue(key, out var open) && value == open));
}
