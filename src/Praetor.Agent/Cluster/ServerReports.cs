using System.Text.Json;
using System.Text.Json.Serialization.Metadata;
using Praetor.Agent.Forwarding;
using Praetor.Agent.Http;

namespace Praetor.Agent.Cluster;

/// <summary>Asks other servers how far they are, and whether this one's etcd may stand still.</summary>
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

    /// <summary>Asks one of them whether this server's etcd may stand still, or says that it is over. Null: it does not
    /// answer.</summary>
    public async Task<UpkeepAnswer?> AskTurnAsync(string server, UpkeepAsk asked, CancellationToken stop)
    {
        if (servers.In(datacenter).FirstOrDefault(s => s.Id == server) is not { } peer)
        {
            return null;
        }

        using var limit = CancellationTokenSource.CreateLinkedTokenSource(stop);
        limit.CancelAfter(Limit);
        var call = new ServerCall
        {
            Method = "PUT", Target = RpcRoutes.ClusterTurn, Datacenter = datacenter, IsOwn = true, IsRepeatable = true,
            Body = JsonSerializer.SerializeToUtf8Bytes(asked, ClusterJson.Default.UpkeepAsk),
        };
        return await AskAsync(call, peer, ClusterJson.Default.UpkeepAnswer, limit.Token, stop);
    }

    public static Reply Answer(ServerReport report) => new(
        200, Reply.JsonType, JsonSerializer.SerializeToUtf8Bytes(report, ClusterJson.Default.ServerReport));

    private Task<ServerReport?> AskAsync(ServerPeer server, CancellationToken limit, CancellationToken stop)
    {
        var call = new ServerCall
        {
            Method = "GET", Target = RpcRoutes.ClusterReport, Datacenter = datacenter, IsOwn = true,
            IsRepeatable = true,
        };
        return AskAsync(call, server, ClusterJson.Default.ServerReport, limit, stop);
    }

    // Null: no answer in time, or none that can be read.
    private async Task<T?> AskAsync<T>(
        ServerCall call, ServerPeer server, JsonTypeInfo<T> type, CancellationToken limit, CancellationToken stop)
        where T : class
    {
        try
        {
            var outcome = await forwarder.AskServerAsync(call, server, limit);
            return outcome is { Refusal: null, Value.Status: 200 } ? RpcJson.Read(outcome.Value.Body, type) : null;
        }
        catch (Exception e) when (e is JsonException or OperationCanceledException)
        {
            stop.ThrowIfCancellationRequested();
            return null;
        }
    }
}
