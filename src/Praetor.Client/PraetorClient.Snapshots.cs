using Praetor.Client.Wire;

namespace Praetor.Client;

/// <summary>An archive on its way here. To be disposed.</summary>
public sealed class SnapshotDownload : IAsyncDisposable
{
    private readonly WireAnswer _answer;

    internal SnapshotDownload(WireAnswer answer, AnswerMeta meta) => (_answer, Meta) = (answer, meta);

    /// <summary>What the headers said; the index is that of the state's last change.</summary>
    public AnswerMeta Meta { get; }

    /// <summary>The archive; read it once.</summary>
    public Stream Open() => _answer.Open();

    /// <summary>Breaks off what did not come yet.</summary>
    public ValueTask DisposeAsync() => _answer.DisposeAsync();
}

public sealed partial class PraetorClient
{
    private const string SnapshotPath = "/v1/snapshot";

    /// <summary>Begins to fetch the whole state as an archive; ends when the headers are there.</summary>
    /// <exception cref="ApiException">The agent refused.</exception>
    public async Task<SnapshotDownload> SaveSnapshotAsync(QueryOptions? query = null, CancellationToken stop = default)
    {
        var answer = await AskAsync(HttpMethod.Get, SnapshotPath, query, null, stop);
        try
        {
            await RequireOkAsync(answer, stop);
            return new SnapshotDownload(answer, MetaOf(answer));
        }
        catch
        {
            await answer.DisposeAsync();
            throw;
        }
    }

    /// <summary>Puts the state of an archive in place of the one there is; ends when it is durable.</summary>
    /// <returns>What of it has no effect at this agent, by kind with how often. Empty: nothing.</returns>
    /// <exception cref="ApiException">The agent refused; nothing was changed.</exception>
    public async Task<string> RestoreSnapshotAsync(
        Stream archive, QueryOptions? query = null, CancellationToken stop = default)
    {
        var body = new StreamContent(archive);
        body.Headers.ContentType = new("application/octet-stream");
        await using var answer = await AskAsync(HttpMethod.Put, SnapshotPath, query, body, stop);
        await RequireOkAsync(answer, stop);
        return answer.Header("X-Praetor-Snapshot-Without-Effect") ?? "";
    }
}
