using System.Text.Json;
using Microsoft.Extensions.Logging;
using Praetor.Agent.Forwarding;
using Praetor.Agent.Http;
using Praetor.Agent.Http.Endpoints;
using Praetor.Agent.Membership;
using Praetor.Server.State;

namespace Praetor.Agent.Cluster;

/// <summary>How a server that belongs to no cluster yet comes to one: it founds it with others, or joins
/// theirs.</summary>
/// <remarks>
/// The problem: several servers start at the same moment, each knows some of the others, and they must agree on one set
/// of founders; two overlapping sets would be two clusters.
/// The idea, in two steps: the one with the smallest id of those that are there proposes the smallest ids as founders.
/// Each server promises itself to one set only, and writes the promise down. When all have promised, the proposer tells
/// them to begin. Who promised a set that never begins is free again as soon as it hears of a cluster that has.
/// </remarks>
internal sealed partial class Founding(
    ClusterMember self, int expect, string datacenter, string path, IMembership membership,
    ServerDirectory servers, Forwarder forwarder, TimeProvider time, Random random, ILogger log)
{
    /// <summary>A member's tag with how many servers it waits for, as in Consul.</summary>
    public const string ExpectTag = "expect";

    /// <summary>A member's tag with the port of its etcd for other members.</summary>
    public const string PeerPortTag = "store_port";

    /// <summary>A member's tag that its etcd speaks TLS with others.</summary>
    public const string PeerTlsTag = "store_tls";

    /// <summary>The value of a tag that says yes.</summary>
    public const string Yes = "1";

    /// <summary>How long a server that is not let in waits at most before it asks again: each time it asks, its leader
    /// asks etcd who takes part.</summary>
    /// <remarks>etcd takes nobody in for the first 5 s, which is the usual reason, so little is lost.</remarks>
    public static readonly TimeSpan JoinPauseMax = TimeSpan.FromSeconds(2);

    private static readonly TimeSpan Pause = TimeSpan.FromMilliseconds(100);

    private readonly Backoff _joins = new(Pause, JoinPauseMax, random);
    private readonly Lock _gate = new();
    private volatile TaskCompletionSource _begun = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private ClusterPlan? _plan = ClusterPlan.Load(path);
    private string _refused = "";

    /// <summary>What this server belongs to, or has promised. Null: nothing.</summary>
    public ClusterPlan? Plan
    {
        get { lock (_gate) { return _plan; } }
    }

    /// <summary>Ends when this server belongs to a cluster.</summary>
    public async Task<ClusterPlan> RunAsync(CancellationToken stop)
    {
        var waiting = false;
        while (true)
        {
            if (Plan is { HasBegun: true } plan)
            {
                return plan;
            }

            var (joined, isRefused) = await JoinAsync(stop);
            if (joined is not null)
            {
                _joins.Reset();
                return joined;
            }

            if (Plan is { IsOut: true })
            {
                if (!waiting)
                {
                    waiting = true;
                    Log.IsOut(log, path);
                }

                await Task.Delay(_joins.Next(), time, stop);
                continue;
            }

            var present = Present();
            if (present.Count >= expect && expect > 0 && present[0].Member.Id == self.Id)
            {
                await ProposeAsync([.. present.Take(expect)], stop);
            }
            else if (!waiting)
            {
                waiting = true;
                Log.Waits(log, expect, present.Count);
            }

            await Task.WhenAny(_begun.Task, Task.Delay(isRefused ? _joins.Next() : Pause, time, stop));
            stop.ThrowIfCancellationRequested();
        }
    }

    /// <summary>Answers what others ask.</summary>
    public void AddTo(RouteTable routes)
    {
        Add(routes, "GET", RpcRoutes.ClusterPlan,
            _ => new ClusterReply(Plan, IsAgreed: false), "What the server is in.");
        Add(routes, "PUT", RpcRoutes.ClusterPromise, Promise, "Promises to found a cluster.");
        Add(routes, "PUT", RpcRoutes.ClusterBegin, Begin, "Begins what was promised.");
    }

    /// <summary>Remembers that this server is in a cluster, or is in it no more.</summary>
    public void Keep(ClusterPlan plan)
    {
        lock (_gate)
        {
            plan.Save(path);
            _plan = plan;
            if (!plan.HasBegun && _begun.Task.IsCompleted)
            {
                _begun = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
            }
        }

        if (plan is { HasBegun: true })
        {
            _begun.TrySetResult();
        }
    }

    /// <summary>Reads what a server answered.</summary>
    public static ClusterReply? ReplyOf(ServerReply reply)
    {
        try
        {
            var read = reply.Status == 200 ? RpcJson.Read(reply.Body, ClusterJson.Default.ClusterReply) : null;
            return read is null or { Plan: null } || read.Plan.IsSound ? read : null;
        }
        catch (JsonException)
        {
            return null;
        }
    }

    public static Reply Answer(ClusterReply reply) => new(
        200, Reply.JsonType, JsonSerializer.SerializeToUtf8Bytes(reply, ClusterJson.Default.ClusterReply));

    private static void Add(
        RouteTable routes, string method, string path, Func<ApiRequest, ClusterReply> answer, string description) =>
        routes.Add(new Route
        {
            Method = method,
            Pattern = path,
            Acl = RouteRows.NodeWrite,
            Scope = RouteScope.Agent,
            TakesBytes = method == "PUT",
            Handle = request => ValueTask.FromResult(Answer(answer(request))),
            Description = description,
        });

    // The servers of this datacenter that wait for as many as this one does and speak as it does, smallest id first.
    private List<(ClusterMember Member, ServerPeer? Peer)> Present()
    {
        var present = new List<(ClusterMember, ServerPeer?)> { (self, null) };
        foreach (var member in membership.Members(wan: false))
        {
            var tags = member.Tags;
            var id = tags.GetValueOrDefault("id", "");
            if (member.Status == MemberStatus.Alive && id != self.Id
                && datacenter.Equals(tags.GetValueOrDefault("dc"), StringComparison.OrdinalIgnoreCase)
                && tags.GetValueOrDefault(ExpectTag) == Text(expect)
                && (tags.GetValueOrDefault(PeerTlsTag) == Yes) == self.HasTls
                && ushort.TryParse(tags.GetValueOrDefault(PeerPortTag), out var port)
                && servers.In(datacenter).FirstOrDefault(s => s.Id == id) is { } peer)
            {
                present.Add((new ClusterMember(id, member.Name, UrlOf(member.Address, port, self.HasTls)), peer));
            }
        }

        present.Sort(static (a, b) => string.CompareOrdinal(a.Item1.Id, b.Item1.Id));
        return present;
    }

    /// <summary>Where an etcd listens for other members.</summary>
    public static string UrlOf(string address, int port, bool hasTls) =>
        $"{(hasTls ? "https" : "http")}://{new System.Net.IPEndPoint(System.Net.IPAddress.Parse(address), port)}";

    private static string Text(int number) => number.ToString(System.Globalization.CultureInfo.InvariantCulture);

    private async Task ProposeAsync(List<(ClusterMember Member, ServerPeer? Peer)> founders, CancellationToken stop)
    {
        // A promise of before, if it is for these very servers, is proposed again.
        var members = founders.ConvertAll(static f => f.Member);
        var plan = Plan is { } promised && promised.Members.SequenceEqual(members) ? promised
            : new ClusterPlan(Guid.NewGuid().ToString("N"), members, IsNew: true, HasBegun: false);
        var body = JsonSerializer.SerializeToUtf8Bytes(plan, ClusterJson.Default.ClusterPlan);
        foreach (var (_, peer) in founders.Where(static f => f.Peer is not null))
        {
            if (await AskAsync(peer!, "PUT", RpcRoutes.ClusterPromise, body, stop) is not { IsAgreed: true })
            {
                return;
            }
        }

        // Itself last: before, nothing was decided.
        Keep(plan with { HasBegun = true });
        Log.Founded(log, string.Join(", ", members.Select(static m => m.Name)));
        foreach (var (_, peer) in founders.Where(static f => f.Peer is not null))
        {
            await AskAsync(peer!, "PUT", RpcRoutes.ClusterBegin, body, stop);
        }
    }

    // A cluster that exists is joined; what was promised for another one does not count any more. Refused: there is
    // one, and it does not let this server in now.
    private async Task<(ClusterPlan? Plan, bool IsRefused)> JoinAsync(CancellationToken stop)
    {
        var isRefused = false;
        foreach (var peer in servers.In(datacenter).Where(s => s.Id != self.Id).ToList())
        {
            if (await AskAsync(peer, "GET", RpcRoutes.ClusterPlan, [], stop) is not { Plan: { HasBegun: true } theirs })
            {
                continue;
            }

            // Who promised has it on its disk: without, this server's data is gone, and it comes as a new one.
            if (theirs.IsNew && Plan is { IsOut: false } promised && promised.Token == theirs.Token)
            {
                Keep(theirs with { HasRun = false, IsOut = false });
                return (Plan, IsRefused: false);
            }

            var body = JsonSerializer.SerializeToUtf8Bytes(self, ClusterJson.Default.ClusterMember);
            var outcome = await SendAsync(peer, "PUT", RpcRoutes.ClusterJoin, body, stop);
            if (outcome is { Refusal: null, Value.Status: not 200 })
            {
                TellRefused(peer.Name, outcome.Value.Refused().Text);
            }
            else if (outcome.Refusal is null && ReplyOf(outcome.Value) is { IsAgreed: true, Plan: { } plan })
            {
                Keep(plan with { IsNew = false, HasBegun = true, HasRun = false, IsOut = false });
                Log.Joined(log, peer.Name);
                return (Plan, IsRefused: false);
            }

            isRefused = true;
        }

        return (null, isRefused);
    }

    private void TellRefused(string server, string why)
    {
        if (why != _refused)
        {
            _refused = why;
            Log.NotLetIn(log, server, why);
        }
    }

    /// <summary>Asks the leader, by way of any server, whether this one still takes part. Null: nobody says
    /// so.</summary>
    public async Task<ClusterStanding?> StandingAsync(CancellationToken stop)
    {
        var body = JsonSerializer.SerializeToUtf8Bytes(self, ClusterJson.Default.ClusterMember);
        foreach (var peer in servers.In(datacenter).Where(s => s.Id != self.Id).ToList())
        {
            var outcome = await SendAsync(peer, "PUT", RpcRoutes.ClusterStanding, body, stop);
            if (outcome is { Refusal: null, Value.Status: 200 }
                && StandingOf(outcome.Value) is { } standing && standing.Token == Plan?.Token)
            {
                return standing;
            }
        }

        return null;
    }

    private static ClusterStanding? StandingOf(ServerReply reply)
    {
        try
        {
            return RpcJson.Read(reply.Body, ClusterJson.Default.ClusterStanding);
        }
        catch (JsonException)
        {
            return null;
        }
    }

    private async Task<ClusterReply?> AskAsync(
        ServerPeer peer, string method, string target, byte[] body, CancellationToken stop)
    {
        var outcome = await SendAsync(peer, method, target, body, stop);
        return outcome.Refusal is null ? ReplyOf(outcome.Value) : null;
    }

    private Task<Outcome<ServerReply>> SendAsync(
        ServerPeer peer, string method, string target, byte[] body, CancellationToken stop) =>
        forwarder.AskServerAsync(
            new ServerCall
            {
                Method = method, Target = target, Datacenter = datacenter, Body = body, IsOwn = true,
                IsRepeatable = true,
            },
            peer, stop);

    private ClusterReply Promise(ApiRequest request)
    {
        if (PlanIn(request) is not { } asked || !asked.Members.Contains(self))
        {
            return new ClusterReply(Plan, IsAgreed: false);
        }

        lock (_gate)
        {
            if (_plan is { IsOut: true } || (_plan is not null && _plan.Token != asked.Token))
            {
                return new ClusterReply(_plan, IsAgreed: false);
            }

            if (_plan is null)
            {
                asked = asked with { HasBegun = false, HasRun = false, IsOut = false };
                asked.Save(path);
                _plan = asked;
            }

            return new ClusterReply(_plan, IsAgreed: true);
        }
    }

    private ClusterReply Begin(ApiRequest request)
    {
        if (PlanIn(request) is not { } asked || Plan is not { IsOut: false } plan || plan.Token != asked.Token)
        {
            return new ClusterReply(Plan, IsAgreed: false);
        }

        if (!plan.HasBegun)
        {
            Keep(plan with { HasBegun = true });
        }

        return new ClusterReply(Plan, IsAgreed: true);
    }

    private static ClusterPlan? PlanIn(ApiRequest request)
    {
        try
        {
            var plan = JsonSerializer.Deserialize(request.Body.Span, ClusterJson.Default.ClusterPlan);
            return plan is { IsSound: true } ? plan : null;
        }
        catch (JsonException)
        {
            return null;
        }
    }

    private static partial class Log
    {
        [LoggerMessage(1, LogLevel.Information, "waiting for servers: expect={Expect} present={Present}")]
        public static partial void Waits(ILogger log, int expect, int present);

        [LoggerMessage(5, LogLevel.Warning, "the servers do not let this one in yet: asked={Server} why={Why}")]
        public static partial void NotLetIn(ILogger log, string server, string why);

        [LoggerMessage(6, LogLevel.Warning,
            "this server belonged to a cluster and waits to be let in again; if there is none any more, remove {Path} "
            + "and the folder etcd beside it, so that it may found one, and restore a snapshot")]
        public static partial void IsOut(ILogger log, string path);

        [LoggerMessage(2, LogLevel.Information, "a cluster is founded: servers={Servers}")]
        public static partial void Founded(ILogger log, string servers);

        [LoggerMessage(3, LogLevel.Information, "joined the cluster of the other servers: by={By}")]
        public static partial void Joined(ILogger log, string by);
    }
}
