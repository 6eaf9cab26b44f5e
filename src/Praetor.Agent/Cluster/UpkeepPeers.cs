using System.Text.Json;
using Praetor.Agent.Forwarding;
using Praetor.Agent.Http;
using Praetor.Server.Storage.Etcd;

namespace Praetor.Agent.Cluster;

/// <summary>The other servers, as far as the upkeep of this one's etcd minds them.</summary>
internal sealed class UpkeepPeers(
    ClusterNode node, string self, ServerCare care, ServerReports reports, IEtcd etcd, TimeProvider time)
    : IUpkeepPeers
{
    private readonly UpkeepTurn _turn = new(self, reports.AskTurnAsync, time);

    private List<string> Voters => [.. care.Members.Where(static m => !m.IsLearner).Select(static m => m.Name)];

    public Task<bool> TakeTurnAsync(CancellationToken stop) => _turn.TakeAsync(Voters, stop);

    public Task EndTurnAsync(CancellationToken stop) => _turn.EndAsync(Voters, stop);

    public async Task<bool> StepAsideAsync(EtcdStatus status, CancellationToken stop)
    {
        if (Voters.Count < 2)
        {
            return true;
        }

        if (node.Leads && !await node.HandOverToBestAsync(ClusterNode.SuccessorTime, stop))
        {
            return false;
        }

        if (status.LeaderId == status.MemberId && node.Leader is { } leader && leader.MemberId != status.MemberId)
        {
            await MoveLeadAsync(leader.MemberId, stop);
        }

        return true;
    }

    public async Task<bool> IsAnyFileAboveAsync(long most, CancellationToken stop) =>
        (await reports.AskAsync(self, stop)).Values.Any(report => report.FileBytes > most);

    public IDisposable? ExpectSilence(TimeSpan limit) => node.ExpectSilence(limit);

    /// <summary>Answers another server that asks for its turn.</summary>
    public Reply Answer(ApiRequest request)
    {
        try
        {
            var asked = RpcJson.Read(request.Body.Span, ClusterJson.Default.UpkeepAsk);
            if (asked is not { Id.Length: > 0 })
            {
                return Reply.BadRequest("the request lacks the server's id");
            }

            return _turn.Answer(asked, Voters) is not { } answer
                ? Reply.Text(503, "this server does not know the one that asks as a voter")
                : new Reply(200, Reply.JsonType, JsonSerializer.SerializeToUtf8Bytes(
                    answer, ClusterJson.Default.UpkeepAnswer));
        }
        catch (JsonException e)
        {
            return Reply.BadRequest($"the request cannot be read: {e.Message}");
        }
    }

    private async Task MoveLeadAsync(ulong to, CancellationToken stop)
    {
        try
        {
            await etcd.ChangeMembersAsync(new EtcdMemberChange.MoveLeader(to), stop);
        }
        catch (Exception e) when (e is EtcdUnknownException or EtcdRefusedException)
        {
            // It leads no more, or another is elected when this one stands still for too long.
        }
    }
}
