using System.Collections.Concurrent;
using System.Globalization;
using Shouldly;
using Support;
using Support.Consistency;

namespace Integration.Faults;

/// <summary>Writers that never pause for long, and what was acknowledged to them.</summary>
/// <remarks>Each writer counts up in a key of its own, and begins another key when it does not know what became of a
/// write: so what stands in a key is never less than what was acknowledged.</remarks>
internal sealed class AckedWrites(FaultLab lab, string prefix) : IAsyncDisposable
{
    private const int Writers = 12;
    private static readonly TimeSpan Pause = TimeSpan.FromMilliseconds(5);
    private static readonly TimeSpan Soon = TimeSpan.FromSeconds(120);
    private static readonly TimeSpan PauseOfRefused = TimeSpan.FromMilliseconds(50);

    private readonly ConcurrentDictionary<string, long> _acknowledged = new(StringComparer.Ordinal);
    private readonly CancellationTokenSource _stop = new();
    private readonly List<HttpStoreClient> _clients = lab.Clients(Writers, static () => null!);
    private Task _writing = Task.CompletedTask;
    private int _keys;
    private long _count;

    /// <summary>How many writes were acknowledged.</summary>
    public long Count => Volatile.Read(ref _count);

    public void Start() => _writing = Task.WhenAll(_clients.Select(WriteAsync));

    /// <summary>What was acknowledged until now.</summary>
    public IReadOnlyDictionary<string, long> Acknowledged() =>
        new Dictionary<string, long>(_acknowledged, StringComparer.Ordinal);

    /// <summary>Fails when something that was acknowledged is not there.</summary>
    public async Task CheckAsync(IReadOnlyDictionary<string, long> acknowledged, HttpStoreClient by, string when)
    {
        var there = await Eventually.GivesAsync("what was written is read", Soon, () => ListAsync(by));
        acknowledged.Where(write => !there.TryGetValue(write.Key, out var value) || Number(value) < write.Value)
            .Select(write => $"{write.Key}: acknowledged {write.Value}, there {there.GetValueOrDefault(write.Key)}")
            .ShouldBeEmpty($"{when}\n{lab.Logs()}");
    }

    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync();
        await _writing;
        _clients.ForEach(static c => c.Dispose());
        _stop.Dispose();
    }

    // The lead may just go to another server once more. Null: nobody leads.
    private async Task<IReadOnlyDictionary<string, string>?> ListAsync(HttpStoreClient by)
    {
        try
        {
            return await by.ListAsync(prefix);
        }
        catch (NotDoneException)
        {
            return null;
        }
    }

    private static long Number(string value) => long.Parse(value, CultureInfo.InvariantCulture);

    private async Task WriteAsync(HttpStoreClient client)
    {
        var (key, number) = (NewKey(), 0L);
        while (!_stop.IsCancellationRequested)
        {
            var pause = Pause;
            try
            {
                var value = (++number).ToString(CultureInfo.InvariantCulture);
                var answer = await client.KvAsync(
                    new Support.Consistency.KvInput(Support.Consistency.KvVerb.Put, key, value));
                if (answer is { IsDone: true })
                {
                    _acknowledged[key] = number;
                    Interlocked.Increment(ref _count);
                }
                else
                {
                    key = NewKey();
                }
            }
            catch (Support.Consistency.NotDoneException)
            {
                pause = PauseOfRefused;
            }

            await Task.Delay(pause, TimeProvider.System, CancellationToken.None);
        }
    }

    private string NewKey() => $"{prefix}{Interlocked.Increment(ref _keys).ToString(CultureInfo.InvariantCulture)}";
}
