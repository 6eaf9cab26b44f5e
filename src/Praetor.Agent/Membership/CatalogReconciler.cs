using Gossip.Serf;
using Microsoft.Extensions.Logging;
using Praetor.Agent.Local;
using Praetor.Server.Catalog;
using Praetor.Server.Model;
using Praetor.Server.State;

namespace Praetor.Agent.Membership;

/// <summary>The leader's duty to keep the catalog true to membership: nodes come, turn critical, and go.</summary>
/// <remarks>
/// Each change is applied as it is heard; now and then everything is compared, which also finds nodes that went while
/// nobody led. Only nodes with the check <c>serfHealth</c> are ever removed: others were registered from outside.
/// </remarks>
internal sealed partial class CatalogReconciler : IAsyncDisposable
{
    private const string Alive = "Agent alive and reachable";
    private const string NotAlive = "Agent not live or unreachable";

    /// <summary>As Consul's leader.</summary>
    private static readonly TimeSpan CompareEvery = TimeSpan.FromSeconds(60);

    private readonly StateStore _store;
    private readonly GossipMembership _membership;
    private readonly NodeIdentity _self;
    private readonly TimeProvider _time;
    private readonly ILogger _log;
    private readonly CancellationTokenSource _stop = new();
    private readonly SemaphoreSlim _wake = new(0, 1);
    private Task _loop = Task.CompletedTask;

    // When the state was restored from a snapshot; 0: never.
    private long _restoredAt;

    public CatalogReconciler(
        StateStore store, GossipMembership membership, NodeIdentity self, TimeProvider time, ILogger log) =>
        (_store, _membership, _self, _time, _log) = (store, membership, self, time, log);

    public void Start()
    {
        _membership.Changed += Heard;
        _store.Replaced += Restored;
        _membership.TellOfLeader();
        _loop = RunAsync();
    }

    public async ValueTask DisposeAsync()
    {
        _membership.Changed -= Heard;
        _store.Replaced -= Restored;
        await _stop.CancelAsync();
        try
        {
            await _loop;
        }
        catch (OperationCanceledException)
        {
            // It was told to stop.
        }

        _stop.Dispose();
    }

    private void Heard(MemberChange change, AgentMember member, bool isWan)
    {
        if (!isWan)
        {
            Wake();
        }
    }

    // Who is missing is put there at once. Who is too much may be on the way still, as after a disaster, and with its
    // node would go its sessions and keys.
    private void Restored()
    {
        Volatile.Write(ref _restoredAt, Math.Max(1, _time.GetTimestamp()));
        Wake();
    }

    private void Wake()
    {
        try
        {
            _wake.Release();
        }
        catch (SemaphoreFullException)
        {
            // The comparison to come sees this change too.
        }
    }

    private async Task RunAsync()
    {
        while (!_stop.IsCancellationRequested)
        {
            await _wake.WaitAsync(CompareEvery, _stop.Token);
            try
            {
                await CompareAsync();
            }
            catch (Exception e) when (e is not OperationCanceledException) // supervisor: the next comparison mends it
            {
                Log.Failed(_log, e);
            }
        }
    }

    private async Task CompareAsync()
    {
        // Names that differ by case only are one node in the catalog: the one that lives is meant.
        var members = _membership.Members(wan: false).Where(IsOurs)
            .GroupBy(static m => m.Name, StringComparer.OrdinalIgnoreCase)
            .ToDictionary(
                static same => same.Key, static same => same.MinBy(static m => m.Status)!,
                StringComparer.OrdinalIgnoreCase);
        var view = new ReadView(_store.Current, tracks: false);
        var writes = new List<(string Node, string What, Task<Outcome<bool>> Done)>();
        foreach (var member in members.Values.Where(member => member.Name != _self.Name))
        {
            if (Wanted(view, member) is { } command)
            {
                writes.Add((member.Name, member.Status.ToString(), _store.SubmitAsync(command)));
            }
        }

        var forgets = Volatile.Read(ref _restoredAt) is var at && (at == 0 || _time.GetElapsedTime(at) >= CompareEvery);
        foreach (var node in forgets ? CatalogQueries.Nodes(view).ToList() : [])
        {
            if (node.Name != _self.Name && !members.ContainsKey(node.Name) && HealthOf(view, node.Name) is not null)
            {
                writes.Add((node.Name, "forgotten", _store.SubmitAsync(new Deregister(node.Name, "", ""))));
            }
        }

        foreach (var (node, what, done) in writes)
        {
            if ((await done).Refusal is { } refusal)
            {
                Log.Refused(_log, node, refusal.Text);
            }
            else
            {
                Log.Reconciled(_log, node, what);
            }
        }
    }

    // Anybody with the key can be a member; only agents of this datacenter stand in its catalog.
    private bool IsOurs(AgentMember member) => member.Tags.GetValueOrDefault("role") is "consul" or "node"
        && _self.Datacenter.Equals(member.Tags.GetValueOrDefault("dc"), StringComparison.OrdinalIgnoreCase);

    // What the catalog lacks of a member; null: nothing.
    private Command<bool>? Wanted(ReadView view, AgentMember member)
    {
        var health = HealthOf(view, member.Name);
        switch (member.Status)
        {
            case MemberStatus.Alive:
                return IsTrue(view, member, health)
                    ? null
                    : new Register(Registered(member, Check(member, isAlive: true)));
            case MemberStatus.Failed when health is { Status: CheckStatuses.Critical }:
                return null;
            case MemberStatus.Failed:
                return new Register(Registered(member, Check(member, isAlive: false)) with { SkipNodeUpdate = true });
            case MemberStatus.Left:
                return CatalogQueries.Node(view, member.Name) is null ? null : new Deregister(member.Name, "", "");
            default:
                return null;
        }
    }

    private static CheckRecord? HealthOf(ReadView view, string node) =>
        CatalogQueries.ChecksOn(view, node).FirstOrDefault(static check => check.Id == NodeIdentity.AliveCheckId);

    private static bool IsTrue(ReadView view, AgentMember member, CheckRecord? health) =>
        health is { Status: CheckStatuses.Passing }
        && CatalogQueries.Node(view, member.Name) is { } node
        && node.Address == member.Address && node.Id == IdOf(member);

    private static string IdOf(AgentMember member) => member.Tags.GetValueOrDefault("id", "");

    private static CheckRecord Check(AgentMember member, bool isAlive) => new()
    {
        Node = member.Name,
        Id = NodeIdentity.AliveCheckId,
        Name = "Serf Health Status",
        Status = isAlive ? CheckStatuses.Passing : CheckStatuses.Critical,
        Output = isAlive ? Alive : NotAlive,
    };

    private Registration Registered(AgentMember member, CheckRecord check)
    {
        var view = new ReadView(_store.Current, tracks: false);

        // The agent itself says more of its node (its metadata, its addresses); that is kept.
        var known = CatalogQueries.Node(view, member.Name);
        var node = (known ?? new NodeRecord { Name = member.Name, Datacenter = _self.Datacenter }) with
        {
            Id = IdOf(member),
            Address = member.Address,
        };
        return new Registration { Node = node, Checks = [check], Service = ServerOf(member) };
    }

    private static ServiceRecord? ServerOf(AgentMember member)
    {
        if (member.Tags.GetValueOrDefault("role") != "consul"
            || !ushort.TryParse(member.Tags.GetValueOrDefault("port"), out var port))
        {
            return null;
        }

        return new ServiceRecord
        {
            Node = member.Name,
            Id = NodeIdentity.ServerServiceId,
            Name = NodeIdentity.ServerServiceId,
            Port = port,
        };
    }

    private static partial class Log
    {
        [LoggerMessage(1, LogLevel.Information, "the catalog follows membership: node={Node} now={What}")]
        public static partial void Reconciled(ILogger log, string node, string what);

        [LoggerMessage(3, LogLevel.Error, "comparing the catalog with the members failed, trying again")]
        public static partial void Failed(ILogger log, Exception error);

        [LoggerMessage(2, LogLevel.Warning, "the catalog does not take a member: node={Node} {Why}")]
        public static partial void Refused(ILogger log, string node, string why);
    }
}
