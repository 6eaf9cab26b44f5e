using System.Text.Json;

namespace Praetor.Client.Locks;

/// <summary>What stands in a semaphore's key, as Consul's clients write it.</summary>
internal sealed record SemaphoreState
{
    public int Limit { get; init; }

    public Dictionary<string, bool> Holders { get; init; } = new(StringComparer.Ordinal);

    public static SemaphoreState Read(byte[]? value)
    {
        try
        {
            var state = JsonSerializer.Deserialize(value ?? [], ClientJson.Default.SemaphoreState);
            return state is { Holders: not null } ? state : new SemaphoreState { Limit = state?.Limit ?? 0 };
        }
        catch (JsonException broken)
        {
            throw new LockConflictException($"lock decode failed: {broken.Message}");
        }
    }

    public byte[] Write() => JsonSerializer.SerializeToUtf8Bytes(this, ClientJson.Default.SemaphoreState);
}
