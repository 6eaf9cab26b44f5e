using System.Globalization;
using Integration.Membership;
using Support;
using Support.Consistency;

namespace Integration.Faults;

/// <summary>Three servers, each on a machine of its own in a network between them, and what breaks there.</summary>
internal sealed class FaultLab : IAsyncDisposable
{
    private static readonly TimeSpan Soon = TimeSpan.FromSeconds(120);
    private static readonly TimeSpan CallLimit = TimeSpan.FromSeconds(12);

    private readonly NetworkLab _network;
    private readonly List<FaultServer> _servers = [];
    private readonly List<HttpStoreClient> _probes = [];

    private FaultLab(NetworkLab network) => _network = network;

    /// <summary>What is asked for to have tests run that want a machine of their own.</summary>
    public const string Asked = "not beside other tests: set PRAETOR_FAULTS=1, or PRAETOR_LONG=1";

    /// <summary>Whether they are asked for.</summary>
    public static bool IsAsked => Environment.GetEnvironmentVariable("PRAETOR_LONG") == "1"
        || Environment.GetEnvironmentVariable("PRAETOR_FAULTS") == "1";

    /// <summary>Why tests that need it are skipped. Null: nothing is missing.</summary>
    public static string? Missing => !IsAsked ? Asked
        : !RealEtcd.IsThere ? RealEtcd.Missing
        : !NetworkLab.IsPossible ? NetworkLab.Missing : null;

    public IReadOnlyList<FaultServer> Servers => _servers;

    /// <summary>Makes the machines.</summary>
    /// <param name="data">Where each one's data is. Null: in the lab's folder.</param>
    /// <param name="setsClocks">Whether <see cref="Fault.Clock"/> is among what will be done.</param>
    public static async Task<FaultLab> MakeAsync(Func<string, string>? data = null, bool setsClocks = false)
    {
        var lab = new FaultLab(await NetworkLab.MakeAsync(3));
        foreach (var machine in lab._network.Machines)
        {
            var folder = lab._network.Folder.Path;
            lab._servers.Add(new FaultServer(
                machine, folder, data?.Invoke(machine.Name) ?? Path.Combine(folder, machine.Name), setsClocks));
            lab._probes.Add(new HttpStoreClient(lab._servers[^1].Socket, static () => null!, CallLimit));
        }

        return lab;
    }

    /// <summary>Starts all three and waits until they take writes.</summary>
    public async Task StartAsync(CancellationToken stop)
    {
        _servers.ForEach(s => s.Start(_network.Machines));
        await ReadyAsync(stop);
    }

    /// <summary>Waits until each server takes writes, be it by passing them on.</summary>
    public async Task ReadyAsync(CancellationToken stop)
    {
        for (var i = 0; i < _servers.Count; i++)
        {
            var probe = _probes[i];
            try
            {
                await Eventually.HoldsAsync(
                    $"{_servers[i].Name} takes writes", Soon, () => probe.PutAsync("ready", "yes"), stop);
            }
            catch (TimeoutException late)
            {
                throw new TimeoutException($"{late.Message}\n{Logs()}", late);
            }
        }
    }

    /// <summary>Who leads. Null: nobody can be asked, or nobody does.</summary>
    public async Task<FaultServer?> LeaderAsync()
    {
        foreach (var probe in _probes)
        {
            var leader = await probe.GetAsync("/v1/status/leader?stale");
            if (_servers.FirstOrDefault(
                s => leader?.Contains($"\"{s.Machine.Address}:", StringComparison.Ordinal) == true) is { } found)
            {
                return found;
            }
        }

        return null;
    }

    /// <summary>The leader, or anybody when there is none.</summary>
    public async Task<FaultServer> LeaderOrAnyAsync() => await LeaderAsync() ?? _servers[0];

    /// <summary>A client of a server that is asked when nothing else is of interest.</summary>
    public HttpStoreClient ProbeOf(FaultServer server) => _probes[_servers.IndexOf(server)];

    /// <summary>So many clients, spread over the servers.</summary>
    public List<HttpStoreClient> Clients(int count, Func<Workload> workload) =>
        [.. Enumerable.Range(0, count).Select(i => new HttpStoreClient(
            _servers[i % _servers.Count].Socket, workload, CallLimit))];

    /// <summary>Nothing goes between a server and the others any more.</summary>
    /// <param name="server">The server.</param>
    /// <param name="toIt">Whether what is sent to it is dropped.</param>
    /// <param name="fromIt">Whether what it sends is dropped.</param>
    public async Task CutAsync(FaultServer server, bool toIt, bool fromIt)
    {
        var others = _servers.Where(s => s != server).Select(static s => s.Machine).ToList();
        if (toIt)
        {
            await NetworkLab.CutAsync(server.Machine, others);
        }

        foreach (var other in fromIt ? others : [])
        {
            await NetworkLab.CutAsync(other, [server.Machine]);
        }
    }

    /// <summary>Takes all faults back and starts who is dead.</summary>
    public async Task HealAsync()
    {
        foreach (var server in _servers)
        {
            await NetworkLab.HealAsync(server.Machine);
            server.SpeedUp();
            server.ContinueAll();
            await File.WriteAllTextAsync(server.ClockFile, "+0");
            if (!server.Machine.IsRunning)
            {
                server.StartAgain();
            }
        }
    }

    /// <summary>The ends of all logs, for failures.</summary>
    public string Logs() => string.Join('\n', _servers.Select(static s =>
        string.Create(CultureInfo.InvariantCulture, $"--- {s.Name}\n{s.EndOfLog()}")));

    public async ValueTask DisposeAsync()
    {
        _servers.ForEach(static s => s.Dispose());
        _probes.ForEach(static p => p.Dispose());
        await _network.DisposeAsync();
    }
}
