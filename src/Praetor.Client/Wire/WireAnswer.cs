using System.Net;
using System.Text;
using System.Text.Json;
using System.Text.Json.Serialization.Metadata;

namespace Praetor.Client.Wire;

/// <summary>An answer: its body is there whole, or is read from the connection.</summary>
internal sealed class WireAnswer(int status, IReadOnlyList<KeyValuePair<string, string>> headers) : IAsyncDisposable
{
    public HttpStatusCode Status { get; } = (HttpStatusCode)status;

    public IReadOnlyList<KeyValuePair<string, string>> Headers => headers;

    /// <summary>The body. Null: it is in <see cref="Stream"/>.</summary>
    public byte[]? Whole { get; init; }

    /// <summary>The body as it comes. Null: it is in <see cref="Whole"/>.</summary>
    public Stream? Stream { get; init; }

    /// <summary>The first value of a header; null: there is none.</summary>
    public string? Header(string name)
    {
        foreach (var (key, value) in headers)
        {
            if (key.Equals(name, StringComparison.OrdinalIgnoreCase))
            {
                return value;
            }
        }

        return null;
    }

    public Stream Open() => Stream ?? new MemoryStream(Whole!, writable: false);

    public ValueTask<T?> ReadJsonAsync<T>(JsonTypeInfo<T> type, CancellationToken stop) => Whole is { } bytes
        ? new(JsonSerializer.Deserialize(bytes.AsSpan(), type))
        : JsonSerializer.DeserializeAsync(Stream!, type, stop);

    public async ValueTask<string> ReadTextAsync(CancellationToken stop)
    {
        if (Whole is { } bytes)
        {
            return Encoding.UTF8.GetString(bytes);
        }

        using var reader = new StreamReader(Stream!, Encoding.UTF8, leaveOpen: true);
        return await reader.ReadToEndAsync(stop);
    }

    public ValueTask DisposeAsync() => Stream?.DisposeAsync() ?? default;
}
