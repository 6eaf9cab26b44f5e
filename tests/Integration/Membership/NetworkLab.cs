using System.Diagnostics;
using System.Globalization;
using Support;

namespace Integration.Membership;

/// <summary>
/// Machines with a network of their own between them: network namespaces on a bridge, made and removed by the test.
/// Loss and partitions are rules of the packet filter inside them; nothing outside is touched.
/// </summary>
internal sealed class NetworkLab : IAsyncDisposable
{
    private const string Network = "10.77.0.";
    private static readonly TimeSpan CommandLimit = TimeSpan.FromSeconds(20);

    private static int _labs;

    private readonly string _prefix = $"prt{Environment.ProcessId}x{Interlocked.Increment(ref _labs)}";
    private readonly TempFolder _folder = new("network");
    private readonly List<Machine> _machines = [];

    private NetworkLab()
    {
    }

    /// <summary>Why tests that need it are skipped.</summary>
    public static string Missing => "needs root, ip (iproute2) and iptables, to make network namespaces";

    /// <summary>Whether namespaces can be made here.</summary>
    public static bool IsPossible { get; } =
        Environment.UserName == "root" && File.Exists("/usr/sbin/iptables") && CanMakeNamespaces();

    public IReadOnlyList<Machine> Machines => _machines;

    /// <summary>For files that the machines share; it goes with them.</summary>
    public TempFolder Folder => _folder;

    private string Hub => _prefix + "hub";

    /// <summary>Makes machines; nothing runs on them.</summary>
    public static async Task<NetworkLab> MakeAsync(int machines)
    {
        var lab = new NetworkLab();
        try
        {
            await IpAsync($"netns add {lab.Hub}");
            await IpAsync($"-n {lab.Hub} link add br0 type bridge");
            await IpAsync($"-n {lab.Hub} link set br0 up");
            for (var i = 1; i <= machines; i++)
            {
                await lab.AddAsync(i);
            }

            return lab;
        }
        catch
        {
            await lab.DisposeAsync();
            throw;
        }
    }

    /// <summary>Starts an agent on a machine: the first ones are servers of one, all join the first.</summary>
    public void Start(Machine machine, bool isServer, string hcl = "")
    {
        var data = _folder.File(machine.Name);
        string[] role = isServer ? ["-server", "-bootstrap-expect=1"] : [];
        string[] join = machine == _machines[0] ? [] : ["-retry-join", _machines[0].Address, "-retry-interval", "1s"];
        machine.Start(
        [
            "agent", .. role, "-node", machine.Name, "-bind", machine.Address, "-data-dir", data, .. join, "-hcl", hcl,
        ]);
    }

    /// <summary>Drops a part of all packets that come to a machine.</summary>
    public static Task LoseAsync(Machine machine, double part) => FilterAsync(
        machine, $"-m statistic --mode random --probability {part.ToString(CultureInfo.InvariantCulture)} -j DROP");

    /// <summary>Drops all that comes to a machine from others.</summary>
    public static async Task CutAsync(Machine machine, IEnumerable<Machine> others)
    {
        foreach (var other in others)
        {
            await FilterAsync(machine, $"-s {other.Address} -j DROP");
        }
    }

    /// <summary>Takes back what <see cref="LoseAsync"/> and <see cref="CutAsync"/> did.</summary>
    public static Task HealAsync(Machine machine) => IpAsync($"netns exec {machine.Namespace} iptables -F");

    public async ValueTask DisposeAsync()
    {
        foreach (var machine in _machines)
        {
            machine.SwitchOff();
            await IpAsync($"netns del {machine.Namespace}");
        }

        await IpAsync($"netns del {Hub}");
        _folder.Dispose();
    }

    private static Task FilterAsync(Machine machine, string rule) =>
        IpAsync($"netns exec {machine.Namespace} iptables -A INPUT -i eth0 {rule}");

    private static bool CanMakeNamespaces()
    {
        try
        {
            var name = $"prt{Environment.ProcessId}try";
            IpAsync($"netns add {name}").GetAwaiter().GetResult();
            IpAsync($"netns del {name}").GetAwaiter().GetResult();
            return true;
        }
        catch (Exception e) when (e is InvalidOperationException or System.ComponentModel.Win32Exception)
        {
            return false;
        }
    }

    private static async Task IpAsync(string arguments)
    {
        var start = new ProcessStartInfo("ip", arguments) { RedirectStandardError = true, UseShellExecute = false };
        using var process = Process.Start(start)!;
        using var limit = new CancellationTokenSource(CommandLimit);
        var errors = await process.StandardError.ReadToEndAsync(limit.Token);
        await process.WaitForExitAsync(limit.Token);
        if (process.ExitCode != 0)
        {
            throw new InvalidOperationException($"ip {arguments}: {errors}");
        }
    }

    private async Task AddAsync(int number)
    {
        var machine = new Machine($"m{number}", $"{_prefix}m{number}", Network + number);
        await IpAsync($"netns add {machine.Namespace}");
        _machines.Add(machine);
        await IpAsync($"-n {machine.Namespace} link add eth0 type veth peer name v{number} netns {Hub}");
        await IpAsync($"-n {Hub} link set v{number} master br0");
        await IpAsync($"-n {Hub} link set v{number} up");
        await IpAsync($"-n {machine.Namespace} addr add {machine.Address}/24 dev eth0");
        await IpAsync($"-n {machine.Namespace} link set eth0 up");
        await IpAsync($"-n {machine.Namespace} link set lo up");
    }
}
