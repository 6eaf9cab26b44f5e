using System.Security.Cryptography;
using System.Text;
using Microsoft.Extensions.Logging;
using Praetor.Agent.Config;
using Praetor.Server.Replication;
using Praetor.Server.Storage.Etcd;

namespace Praetor.Agent.Cluster;

/// <summary>An etcd that somebody else runs: reached and judged before anything is built on it.</summary>
/// <remarks>What may mend itself, or be mended there, is tried again for ever, and told in one line, again when it
/// changes; what cannot is thrown.</remarks>
internal static partial class OutsideEtcd
{
    private const int PermissionDenied = 7;
    private const int Unauthenticated = 16;

    // What an etcd with users answers one without a certificate ("user name is empty"), and one whose name it does not
    // know ("user name not found").
    private const int InvalidArgument = 3;
    private const int FailedPrecondition = 9;

    private static readonly TimeSpan Pause = TimeSpan.FromMilliseconds(500);
    private static readonly TimeSpan SaidAgainAfter = TimeSpan.FromMinutes(1);

    /// <summary>Times and sizes for one whose limits are etcd's own defaults: 1.5 MiB in a request.</summary>
    /// <remarks>Others may use it, too, so its history is kept for a while; five minutes, as other programs that live
    /// in an etcd and compact it do.</remarks>
    public static ReplicationOptions Replication { get; } = new()
    {
        EntryBytes = 512 * 1024,
        PartBytes = 512 * 1024,
        HistoryKept = TimeSpan.FromMinutes(5),
    };

    /// <summary>Ends when it answers, is new enough, and lets us read and write.</summary>
    /// <exception cref="EtcdStartException">It can never work; the message says what to do.</exception>
    public static async Task<EtcdClient> OpenAsync(
        StoreConfig store, string datacenter, TimeProvider time, ILogger log, CancellationToken stop)
    {
        var client = Client(store, time);
        try
        {
            await ReachAsync(client, store, datacenter, time, log, stop);
            return client;
        }
        catch
        {
            client.Dispose();
            throw;
        }
    }

    private static EtcdClient Client(StoreConfig store, TimeProvider time)
    {
        var options = new EtcdClientOptions
        {
            Endpoints = store.Endpoints,
            CaFile = OrNull(store.CaFile),
            CertificateFile = OrNull(store.CertFile),
            KeyFile = OrNull(store.KeyFile),
            RequestBytesMax = store.RequestBytesMax,
        };
        if (options.Problems().ToList() is { Count: > 0 } problems)
        {
            throw new EtcdStartException(string.Join("; ", problems));
        }

        try
        {
            return new EtcdClient(options, time);
        }
        catch (Exception e) when (e is CryptographicException or IOException or UnauthorizedAccessException)
        {
            throw new EtcdStartException(
                $"etcd_ca_file, etcd_cert_file or etcd_key_file cannot be read ({e.Message}): use PEM files that the "
                + "agent's user may read", e);
        }
    }

    private static async Task ReachAsync(
        EtcdClient client, StoreConfig store, string datacenter, TimeProvider time, ILogger log,
        CancellationToken stop)
    {
        var (said, at) = ("", time.GetTimestamp());
        while (true)
        {
            string problem;
            try
            {
                await TryAsync(client, datacenter, stop);
                var version = await VersionAsync(client, stop);
                if (version is not null)
                {
                    Judge(version, store, log);
                }

                Log.Reached(log, store.Name, version ?? "unknown");
                return;
            }
            catch (Exception e) when (e is EtcdUnknownException or EtcdRefusedException)
            {
                problem = $"{e.Message}; {Remedy(e as EtcdRefusedException ?? e.InnerException, datacenter)}";
            }

            if (problem != said || time.GetElapsedTime(at) > SaidAgainAfter)
            {
                (said, at) = (problem, time.GetTimestamp());
                Log.NotReached(log, problem);
            }

            await Task.Delay(Pause, time, stop);
        }
    }

    private static string Remedy(Exception? problem, string datacenter) => problem switch
    {
        EtcdRefusedException { IsNoSpace: true } =>
            "make room there: compact and defragment it, then 'etcdctl alarm disarm'",
        EtcdRefusedException { Code: PermissionDenied or Unauthenticated or InvalidArgument or FailedPrecondition } =>
            "show it a certificate (etcd_cert_file) whose common name is a user of etcd that may read and write keys "
            + $"that begin with praetor/{datacenter}/",
        _ => "does it run, and do store, etcd_ca_file and etcd_cert_file say which?",
    };

    // Newer ones tell their version to administrators only. Null: it is not for us.
    private static async Task<string?> VersionAsync(EtcdClient client, CancellationToken stop)
    {
        try
        {
            return (await client.StatusAsync(stop)).Version;
        }
        catch (EtcdUnknownException e) when (e.InnerException is EtcdRefusedException { Code: PermissionDenied })
        {
            return null;
        }
    }

    private static void Judge(string version, StoreConfig store, ILogger log)
    {
        var known = EtcdProgram.VersionIn(version)
            ?? throw new EtcdStartException($"{store.Name}: its version '{version}' is none; is this an etcd?");
        var program = new EtcdProgram(store.Name, known);
        if (!program.IsNewEnough)
        {
            throw new EtcdStartException(
                $"{store.Name}: etcd {known} is too old, {EtcdProgram.Oldest} is the oldest that will do: update it");
        }

        if (program.Warning is { } warning)
        {
            Log.Old(log, warning);
        }
    }

    // Removing a key that nobody has asks for the right to write, and writes nothing.
    private static Task TryAsync(EtcdClient client, string datacenter, CancellationToken stop)
    {
        var key = Encoding.UTF8.GetBytes($"praetor/{datacenter}/try");
        return client.CommitAsync(new EtcdTxn([], [new EtcdDelete(key, null), new EtcdRange(key, null)], []), stop);
    }

    private static string? OrNull(string text) => text.Length > 0 ? text : null;

    private static partial class Log
    {
        [LoggerMessage(1, LogLevel.Warning, "the store cannot be used yet, trying on: {Problem}")]
        public static partial void NotReached(ILogger log, string problem);

        [LoggerMessage(2, LogLevel.Information, "the store is reached: store={Store} version={Version}")]
        public static partial void Reached(ILogger log, string store, string version);

        [LoggerMessage(3, LogLevel.Warning, "{Warning}")]
        public static partial void Old(ILogger log, string warning);
    }
}
