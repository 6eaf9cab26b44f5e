using System.Globalization;
using System.Text;
using Codecs.Snapshots;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;
using Praetor.Server.Snapshots;
using Praetor.Server.State;

namespace Praetor.Agent.Http.Endpoints;

/// <summary>/v1/snapshot: the whole state out and in, as an archive in Consul's format.</summary>
internal sealed partial class SnapshotEndpoints(StateStore store, TimeProvider time, ILogger log)
{
    public const string Pattern = "/v1/snapshot";

    /// <summary>Says what of a snapshot has no effect here, with how often: <c>ACLToken=3, ACLPolicy=1</c>.</summary>
    public const string WithoutEffectHeader = "X-Praetor-Snapshot-Without-Effect";

    private const string ArchiveType = "application/x-gzip";

    // Each packs on all processors, so more at a time would only make all of them late.
    private const int SavesMax = 2;

    private readonly SemaphoreSlim _saves = new(SavesMax, SavesMax);
    private readonly SemaphoreSlim _restores = new(1, 1);

    public void AddTo(RouteTable routes)
    {
        routes.Stream("GET", Pattern, RouteRows.Management, SaveAsync,
            "The whole state as an archive that Consul reads as well (dc, stale).");
        routes.Stream("PUT", Pattern, RouteRows.Management, RestoreAsync,
            "Puts the state of an archive, ours or Consul's, in place of the one there is (dc).");
    }

    private async Task SaveAsync(HttpContext context, ApiRequest request)
    {
        await _saves.WaitAsync(request.Aborted);
        try
        {
            var state = store.Current;
            var response = context.Response;
            response.ContentType = ArchiveType;
            response.Headers["X-Consul-Index"] = Math.Max(1, state.Index).ToString(CultureInfo.InvariantCulture);
            response.Headers["X-Consul-KnownLeader"] = "true";
            response.Headers["X-Consul-LastContact"] = "0";
            if (HttpMethods.IsHead(request.Method))
            {
                return;
            }

            // Off the thread that reads the sockets.
            var meta = await Task.Run(
                () => StateArchive.WriteAsync(state, response.Body, time, request.Aborted), request.Aborted);
            Log.Saved(log, meta.Index, meta.Size);
        }
        catch (Exception e) when (e is OperationCanceledException or IOException)
        {
            // Whoever wanted it left, or what was sent is not whole: only the end of the connection says so.
            context.Abort();
        }
        finally
        {
            _saves.Release();
        }
    }

    private async Task RestoreAsync(HttpContext context, ApiRequest request)
    {
        if (!_restores.Wait(0, CancellationToken.None))
        {
            await AnswerAsync(context, StatusCodes.Status503ServiceUnavailable, "another snapshot is being restored");
            return;
        }

        try
        {
            var begin = time.GetTimestamp();
            var restored = await StateRestorer.ReadAsync(
                new WaitingStream(context.Request.Body, request.Aborted));
            var outcome = await store.SubmitAsync(new RestoreSnapshot(restored));
            if (outcome.Refusal is { } refusal)
            {
                await AnswerAsync(context, refusal.Status, refusal.Text);
                return;
            }

            Tell(context, restored, outcome.Value, time.GetElapsedTime(begin));
            await AnswerAsync(context, StatusCodes.Status200OK, "");
        }
        catch (SnapshotException e)
        {
            Log.Refused(log, e.Message);
            await AnswerAsync(context, StatusCodes.Status500InternalServerError, e.Message);
        }
        finally
        {
            _restores.Release();
        }
    }

    private void Tell(HttpContext context, RestoredState restored, ulong index, TimeSpan elapsed)
    {
        Log.Restored(log, restored.Meta.Id, restored.Image.Count, index, elapsed);
        var without = new List<string>();
        foreach (var (what, count) in restored.Kept)
        {
            Log.Kept(log, what, count);
            without.Add(string.Create(CultureInfo.InvariantCulture, $"{what}={count}"));
        }

        foreach (var (what, count) in restored.Skipped)
        {
            Log.Skipped(log, what, count);
            without.Add(string.Create(CultureInfo.InvariantCulture, $"{what}={count}"));
        }

        foreach (var (what, count) in restored.Warnings)
        {
            Log.Warned(log, what, count);
            without.Add(string.Create(CultureInfo.InvariantCulture, $"{what}={count}"));
        }

        if (without.Count > 0)
        {
            context.Response.Headers[WithoutEffectHeader] = string.Join(", ", without);
        }
    }

    private static async Task AnswerAsync(HttpContext context, int status, string text)
    {
        context.Response.StatusCode = status;
        var body = Encoding.UTF8.GetBytes(text);
        if (body.Length > 0)
        {
            context.Response.ContentType = Reply.TextType;
        }

        context.Response.ContentLength = body.Length;
        await context.Response.BodyWriter.WriteAsync(body);
    }

    private static partial class Log
    {
        [LoggerMessage(6401, LogLevel.Information, "a snapshot was saved: index={Index} bytes={Bytes}")]
        public static partial void Saved(ILogger log, ulong index, long bytes);

        [LoggerMessage(
            6402, LogLevel.Information,
            "a snapshot was restored: id={Id} records={Records} index={Index} took={Elapsed}")]
        public static partial void Restored(ILogger log, string id, int records, ulong index, TimeSpan elapsed);

        [LoggerMessage(6403, LogLevel.Error, "a snapshot was not restored, nothing was changed: {Why}")]
        public static partial void Refused(ILogger log, string why);

        [LoggerMessage(
            6404, LogLevel.Warning,
            "restored records have no effect yet; they are kept for later versions: type={Type} count={Count}")]
        public static partial void Kept(ILogger log, string type, int count);

        [LoggerMessage(6405, LogLevel.Warning, "records of the snapshot were left out: type={Type} count={Count}")]
        public static partial void Skipped(ILogger log, string type, int count);

        [LoggerMessage(6406, LogLevel.Warning, "the snapshot holds {What}: count={Count}")]
        public static partial void Warned(ILogger log, string what, int count);
    }
}
