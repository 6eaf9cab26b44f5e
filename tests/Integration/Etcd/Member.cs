using System.Text;
using Microsoft.Extensions.Logging.Abstractions;
using Praetor.Agent.Cluster;
using Praetor.Server.Storage.Etcd;
using Support;
using Xunit;

namespace Integration.Etcd;

/// <summary>A supervised etcd for tests, with a client that talks to it; its data goes when it goes.</summary>
internal sealed class Member : IAsyncDisposable
{
    /// <summary>Longer than any machine needs.</summary>
    public static readonly TimeSpan Limit = TimeSpan.FromSeconds(60);

    private readonly TempFolder _temp = new("etcd");

    private Member(string name)
    {
        Url = $"http://127.0.0.1:{FreePorts.Take()}";
        Options = new EtcdChildOptions
        {
            Program = RealEtcd.Executable,
            Folder = _temp.File("etcd"),
            NodeId = $"node-{name}",
            ClusterToken = "test",
            Name = name,
            PeerListenUrl = Url,
            PeerUrl = Url,
            InitialCluster = [new(name, Url)],
            IsNewCluster = true,
        };
    }

    /// <summary>Where other members reach it.</summary>
    public string Url { get; private set; }

    /// <summary>How it is run; for a change before it starts.</summary>
    public EtcdChildOptions Options { get; set; }

    /// <summary>The child.</summary>
    public EtcdChild Child { get; private set; } = null!;

    /// <summary>Talks to it.</summary>
    public EtcdClient Etcd { get; private set; } = null!;

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    /// <summary>One that is a cluster by itself, and ready.</summary>
    public static async Task<Member> StartAsync(Func<EtcdChildOptions, EtcdChildOptions>? change = null)
    {
        var member = New("a");
        member.Options = change?.Invoke(member.Options) ?? member.Options;
        await member.StartAgainAsync();
        return member;
    }

    /// <summary>One that does not run yet.</summary>
    public static Member New(string name)
    {
        Assert.SkipUnless(RealEtcd.IsThere, RealEtcd.Missing);
        return new Member(name);
    }

    /// <summary>Members that begin a cluster together; all are ready.</summary>
    public static async Task<Member[]> StartClusterAsync(EtcdPeerTls? tls, params string[] names)
    {
        var members = names.Select(New).ToArray();
        foreach (var member in members.Where(_ => tls is not null))
        {
            member.Url = member.Url.Replace("http:", "https:", StringComparison.Ordinal);
        }

        EtcdInitialMember[] all = [.. members.Select(static m => new EtcdInitialMember(m.Options.Name, m.Url))];
        foreach (var member in members)
        {
            member.Options = Calm(member.Options) with
            {
                InitialCluster = all, PeerTls = tls, PeerUrl = member.Url, PeerListenUrl = member.Url,
            };
        }

        await Task.WhenAll(members.Select(static member => member.StartAgainAsync()));
        return members;
    }

    /// <summary>With times so long that nobody is elected just because the machine is busy.</summary>
    public static EtcdChildOptions Calm(EtcdChildOptions options) => options with
    {
        HeartbeatInterval = TimeSpan.FromMilliseconds(100), ElectionTimeout = TimeSpan.FromSeconds(2),
    };

    /// <summary>Starts it and waits until it is ready.</summary>
    public async Task StartAgainAsync()
    {
        await StopAsync();
        Child = await EtcdChild.StartAsync(Options, TimeProvider.System, NullLogger.Instance, Stop);
        Etcd = new EtcdClient(Child.ClientOptions, TimeProvider.System);
        await Child.WaitReadyAsync(Limit, Stop);
    }

    /// <summary>Ends it; its data stays.</summary>
    public async Task StopAsync()
    {
        Etcd?.Dispose();
        if (Child is not null)
        {
            await Child.DisposeAsync();
        }
    }

    /// <summary>A client with another limit.</summary>
    public EtcdClient Client(TimeSpan callLimit) =>
        new(Child.ClientOptions with { CallLimit = callLimit }, TimeProvider.System);

    /// <summary>Sets a key, whatever is there; again and again while nobody knows whether it was done.</summary>
    public Task<EtcdTxnAnswer> PutAsync(string key, string value) =>
        SureAsync(new EtcdTxn([], [new EtcdPut(Of(key), Of(value))], []));

    /// <summary>The value of a key; null when there is none.</summary>
    public async Task<string?> ReadAsync(string key)
    {
        var answer = await SureAsync(new EtcdTxn([], [new EtcdRange(Of(key), null)], []));
        return answer.Answers[0].Rows is [var row] ? Encoding.UTF8.GetString(row.Value) : null;
    }

    /// <summary>A text's bytes.</summary>
    public static byte[] Of(string text) => Encoding.UTF8.GetBytes(text);

    public async ValueTask DisposeAsync()
    {
        await StopAsync();
        _temp.Dispose();
    }

    private Task<EtcdTxnAnswer> SureAsync(EtcdTxn txn) => Eventually.GivesAsync(
        "the transaction is done",
        Limit,
        async () =>
        {
            try
            {
                return await Etcd.CommitAsync(txn, Stop);
            }
            catch (EtcdUnknownException)
            {
                return null;
            }
        },
        Stop);
}
