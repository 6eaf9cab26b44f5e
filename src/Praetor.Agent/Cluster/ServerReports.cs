using System.Text.Json;
using Praetor.Agent.Forwarding;
using Praetor.Agent.Http;

namespace Praetor.Agent.Cluster;

/// <summary>Asks other servers how far they are.</summary>
internal sealed class ServerReports(ServerDirectory servers, Forwarder forwarder, string datacenter)
{
    // A server that takes longer is as good as not there; the next round asks again.
    private static readonly TimeSpan Limit = TimeSpan.FromMilliseconds(700);

    /// <summary>Asks all others at the same time; who does not answer is not in it.</summary>
    /// <param name="self">Who is not asked.</param>
    /// <param name="stop">Ends the wait.</param>
    public async Task<IReadOnlyDictionary<string, ServerReport>> AskAsync(string self, CancellationToken stop)
    {
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(stop);
        limit.CancelAfter(Limit);
        var asked = servers.In(datacenter).Where(s => s.Id.Length > 0 && s.Id != self)
            .Select(async s => (s.Id, Report: await AskAsync(s, limit.Token, stop))).ToList();
        var reports = new Dictionary<string, ServerReport>(StringComparer.Ordinal);
        foreach (var (id, report) in await Task.WhenAll(asked))
        {
            if (report is not null)
            {
                reports[id] = report;
            }
        }

        return reports;
    }

    public static Reply Answer(ServerReport report) => new(
        200, Reply.JsonType, JsonSerializer.SerializeToUtf8Bytes(report, ClusterJson.Default.ServerReport));

    private async Task<ServerReport?> AskAsync(ServerPeer server, CancellationToken limit, CancellationToken stop)
    {
        try
        {
            var outcome = await forwarder.AskServerAsync(
                new ServerCall
                {
                    Method = "GET", Target = RpcRoutes.ClusterReport, Datacenter = datacenter, IsOwn = true,
                    IsRepeatable = true,
                },
                server, limit);
            return outcome is { Refusal: null, Value.Status: 200 }
                ? RpcJson.Read(outcome.Value.Body, ClusterJson.Default.ServerReport) : null;
        }
        catch (Exception e) when (e is JsonException or OperationCanceledException)
        {
            stop.ThrowIfCancellationRequested();
            return null;
        }
    }
}
