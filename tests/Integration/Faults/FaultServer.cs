using System.Diagnostics;
using System.Globalization;
using System.Runtime.InteropServices;
using Integration.Membership;
using Support;

namespace Integration.Faults;

/// <summary>One server of several on a machine of its own, and what can be done to it. Its API is a Unix socket, which
/// is reached from outside of the machine's network.</summary>
/// <param name="machine">Where it runs.</param>
/// <param name="folder">Where its log and its socket are.</param>
/// <param name="data">Where its data is.</param>
/// <param name="setsClock">Whether its clock is to be set wrong; each look at it costs more then.</param>
internal sealed partial class FaultServer(Machine machine, string folder, string data, bool setsClock) : IDisposable
{
    private const int SigKill = 9;
    private const int SigStop = 19;
    private const int SigCont = 18;
    private static readonly TimeSpan GoneLimit = TimeSpan.FromSeconds(60);

    private const string Libraries = "/usr/lib";

    /// <summary>What sets an agent's clock wrong (Debian's faketime); not its etcd's, which asks the kernel itself.
    /// Null: it is not here.</summary>
    public static readonly string? FakeClock = !Directory.Exists(Libraries) ? null
        : Directory.GetDirectories(Libraries, "*-linux-gnu")
            .Select(static d => Path.Combine(d, "faketime", "libfaketimeMT.so.1")).FirstOrDefault(File.Exists);

    private readonly HashSet<int> _stopped = [];
    private Process? _strace;

    public string Name => machine.Name;

    public Machine Machine => machine;

    /// <summary>Where its API listens.</summary>
    public string Socket => Path.Combine(folder, $"{machine.Name}.sock");

    /// <summary>Its data.</summary>
    public string Data => data;

    /// <summary>A file that says by how much the agent's clock is wrong, in the words of libfaketime.</summary>
    public string ClockFile => Path.Combine(folder, $"{machine.Name}.clock");

    private string LogFile => Path.Combine(folder, $"{machine.Name}.log");

    /// <summary>The id of the etcd that the agent runs; 0: none.</summary>
    public int EtcdProcess => ChildrenOf(machine.AgentProcess).FirstOrDefault(static p => NameOf(p) == "etcd");

    /// <summary>Starts it as one of three.</summary>
    /// <param name="others">The machines of all.</param>
    public void Start(IReadOnlyList<Machine> others)
    {
        var joins = others.SelectMany(static m => (string[])["-retry-join", m.Address]);
        File.WriteAllText(ClockFile, "+0");

        // A look at the clock that reads the file each time would leave the processor to nobody else; nor would waits
        // that are over at once: the library takes the monotonic clock's for the wall clock's (its PR 503), so it is
        // told to let each last 5 ms.
        machine.Under = FakeClock is not { } library || !setsClock ? [] :
        [
            "env", $"LD_PRELOAD={library}", $"FAKETIME_TIMESTAMP_FILE={ClockFile}", "FAKETIME_CACHE_DURATION=1",
            "FAKETIME_DONT_FAKE_MONOTONIC=1", "FAKETIME_WAIT_MS=5",
        ];
        machine.Start(
        [
            "agent", "-server", $"-bootstrap-expect={others.Count}", "-node", machine.Name, "-bind", machine.Address,
            "-data-dir", data, .. joins, "-log-file", LogFile,
            "-hcl", $"etcd_path = \"{RealEtcd.Executable}\" retry_interval = \"1s\"",
            "-hcl", $"addresses {{ http = \"unix://{Socket}\" }} connect {{ enabled = true }}",
        ]);
    }

    public void StartAgain() => machine.StartAgain();

    /// <summary>kill -9 of the agent; its etcd dies with it.</summary>
    public async Task KillAsync()
    {
        var etcd = EtcdProcess;
        machine.Kill();
        await Eventually.HoldsAsync(
            "an etcd dies with its agent", GoneLimit, () => Task.FromResult(etcd == 0 || NameOf(etcd) != "etcd"));
    }

    /// <summary>kill -9 of the etcd alone.</summary>
    public void KillEtcd()
    {
        if (EtcdProcess is > 0 and var etcd)
        {
            Send(etcd, SigKill);
        }
    }

    /// <summary>SIGSTOP, until <see cref="ContinueAll"/>.</summary>
    public void Stop(bool agent, bool etcd)
    {
        var ids = (int[])[agent ? machine.AgentProcess : 0, etcd ? EtcdProcess : 0];
        foreach (var id in ids.Where(static id => id > 0))
        {
            _stopped.Add(id);
            Send(id, SigStop);
        }
    }

    public void ContinueAll()
    {
        foreach (var id in _stopped)
        {
            Send(id, SigCont);
        }

        _stopped.Clear();
    }

    /// <summary>Makes each sync of its etcd take longer, until <see cref="SpeedUp"/>.</summary>
    public void SlowDown(TimeSpan sync)
    {
        var delay = (sync.TotalMilliseconds * 1000).ToString(CultureInfo.InvariantCulture);
        var id = EtcdProcess.ToString(CultureInfo.InvariantCulture);
        _strace = Process.Start(new ProcessStartInfo(
            "strace",
            [
                "-f", "-p", id, "-o", "/dev/null", "-e", "trace=fsync,fdatasync",
                "-e", $"inject=fsync,fdatasync:delay_exit={delay}",
            ])
        {
            UseShellExecute = false, RedirectStandardError = true,
        });
        _strace!.ErrorDataReceived += static (_, _) => { };
        _strace.BeginErrorReadLine();
    }

    public void SpeedUp()
    {
        if (_strace is { HasExited: false } strace)
        {
            strace.Kill();
            strace.WaitForExit();
        }

        _strace?.Dispose();
        _strace = null;
    }

    /// <summary>The end of its log, for failures.</summary>
    public string EndOfLog(int lines = 60)
    {
        var files = Directory.GetFiles(folder, $"{machine.Name}*.log");
        return string.Join('\n', files.Order(StringComparer.Ordinal).SelectMany(File.ReadLines).TakeLast(lines));
    }

    public void Dispose()
    {
        SpeedUp();
        ContinueAll();
    }

    private static IEnumerable<int> ChildrenOf(int parent)
    {
        foreach (var task in Directory.EnumerateDirectories($"/proc/{parent}/task"))
        {
            string text;
            try
            {
                text = File.ReadAllText(Path.Combine(task, "children"));
            }
            catch (IOException)
            {
                // The thread has ended meanwhile.
                continue;
            }

            foreach (var word in text.Split(' ', StringSplitOptions.RemoveEmptyEntries))
            {
                yield return int.Parse(word, CultureInfo.InvariantCulture);
            }
        }
    }

    private static string NameOf(int process)
    {
        try
        {
            return File.ReadAllText($"/proc/{process}/comm").Trim();
        }
        catch (IOException)
        {
            return "";
        }
    }

    private static void Send(int process, int signal) => _ = SendSignal(process, signal);

    [LibraryImport("libc", EntryPoint = "kill")]
    private static partial int SendSignal(int process, int signal);
}
