using System.Diagnostics;
using System.Globalization;
using Praetor.Agent.Checks;

namespace Praetor.Agent.Cluster;

/// <summary>The command line of a member, and how it is started so that it never outlives us.</summary>
/// <remarks>
/// <c>setsid</c> keeps Ctrl-C at the agent's terminal from ending it before the agent has left. <c>setpriv</c> asks
/// the kernel to kill it when the thread that made it ends, which it does at the latest when the agent is killed.
/// Should the agent have died before that was asked, the shell sees that its parent is another and goes no further.
/// </remarks>
internal static class EtcdCommand
{
    private const string Shell = "/bin/sh";

    // How much garbage may gather, in percent of what is in use. Go's own 100 cost 30 to 40 MB more
    // under load; who sets GOGC for the agent is obeyed.
    private const string GarbagePercent = "50";
    private const string OnlyWithParent = "umask 077; [ \"$PPID\" = \"$0\" ] && exec \"$@\"";

    /// <summary>What has to be started.</summary>
    /// <exception cref="EtcdStartException">The machine lacks what it takes.</exception>
    public static ProcessStartInfo StartInfo(
        EtcdProgram program, EtcdChildOptions options, EtcdFolder folder, EtcdSocket socket)
    {
        if (!OperatingSystem.IsLinux())
        {
            throw new EtcdStartException("an etcd of the agent's own needs Linux: run etcd yourself, and name it");
        }

        var info = new ProcessStartInfo(Tool("setsid"))
        {
            WorkingDirectory = socket.Folder,
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
            UseShellExecute = false,
        };
        var self = Environment.ProcessId.ToString(CultureInfo.InvariantCulture);
        string[] before =
            [Tool("setpriv"), "--pdeathsig", "KILL", "--", Shell, "-c", OnlyWithParent, self, program.Path];
        foreach (var argument in before.Concat(Arguments(options, folder)))
        {
            info.ArgumentList.Add(argument);
        }

        KeepOfEnvironment(info.Environment);
        return info;
    }

    /// <summary>etcd's own arguments.</summary>
    internal static IEnumerable<string> Arguments(EtcdChildOptions options, EtcdFolder folder)
    {
        var members = options.InitialCluster.Select(static member => $"{member.Name}={member.PeerUrl}");
        List<string> arguments =
        [
            "--name", options.Name,
            "--data-dir", folder.Data,
            "--listen-peer-urls", options.PeerListenUrl,
            "--initial-advertise-peer-urls", options.PeerUrl,
            "--listen-client-urls", EtcdSocket.Url,
            "--advertise-client-urls", EtcdSocket.Url,
            "--initial-cluster", string.Join(',', members),
            "--initial-cluster-state", options.IsNewCluster ? "new" : "existing",
            "--initial-cluster-token", options.ClusterToken,
            "--heartbeat-interval", Milliseconds(options.HeartbeatInterval),
            "--election-timeout", Milliseconds(options.ElectionTimeout),
            "--pre-vote=true",

            // It would refuse every change while one member is away, and no replacement could come; Autopilot
            // checks.
            "--strict-reconfig-check=false",
            "--max-txn-ops", Number(options.TxnOpsMax),
            "--max-request-bytes", Number(options.RequestBytesMax),
            "--quota-backend-bytes", Number(options.SpaceBytesMax),
            "--snapshot-count", Number(options.SnapshotCount),
            "--auto-compaction-retention", "0",
            "--enable-grpc-gateway=false",
            "--logger", "zap",
            "--log-level", "info",
            "--log-outputs", "stderr",
        ];
        if (options.PeerTls is { } tls)
        {
            arguments.AddRange(
            [
                "--peer-cert-file", tls.CertificateFile,
                "--peer-key-file", tls.KeyFile,
                "--peer-trusted-ca-file", tls.CaFile,
                "--peer-client-cert-auth=true",
            ]);
            if (tls.AllowedHost is { } host)
            {
                arguments.AddRange(["--peer-cert-allowed-hostname", host]);
            }
        }

        return arguments;
    }

    // etcd takes settings from ETCD_… and lets its members talk through HTTP_PROXY; and the agent's environment may
    // hold secrets that are none of its business.
    private static void KeepOfEnvironment(IDictionary<string, string?> environment)
    {
        foreach (var name in environment.Keys.Where(static name => !IsKept(name)).ToList())
        {
            environment.Remove(name);
        }

        environment.TryAdd("GOGC", GarbagePercent);
    }

    private static bool IsKept(string name) => name is "PATH" or "HOME" or "TMPDIR" or "TZ"
        || name.StartsWith("GO", StringComparison.Ordinal);

    private static string Tool(string name) => CheckProcess.Find(name)
        ?? throw new EtcdStartException($"etcd is started by '{name}', which is not on the PATH: install util-linux");

    private static string Milliseconds(TimeSpan span) => Number((long)span.TotalMilliseconds);

    private static string Number(long value) => value.ToString(CultureInfo.InvariantCulture);
}
