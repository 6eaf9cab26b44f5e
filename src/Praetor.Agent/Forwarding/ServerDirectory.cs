using System.Collections.Immutable;

namespace Praetor.Agent.Forwarding;

/// <summary>The servers that are known now, by datacenter, and which of them is to be asked.</summary>
/// <remarks>
/// The problem: thousands of agents must spread over a few servers, each must stay with one so that connections and
/// answers kept there pay off, and all must leave a server that fails at once without running to the same next one.
/// The idea, as in Consul: each agent has the servers in an order of its own, drawn by chance, and asks the first. One
/// that fails goes to the end. Now and then the order is drawn anew, so that a server that came back, or a new one,
/// gets its share; the more agents there are for each server, the more seldom.
/// Pure: no clock, no I/O; readers keep the list they took.
/// </remarks>
public sealed class ServerDirectory(Random random)
{
    /// <summary>The shortest time from one drawing to the next; up to half of it is added by chance.</summary>
    public static readonly TimeSpan RebalanceMin = TimeSpan.FromMinutes(2);

    /// <summary>How many agents may move to one server in a second, all agents together.</summary>
    private const double MovesPerSecondAndServer = 64;

    private readonly Lock _gate = new();
    private volatile ImmutableDictionary<string, ImmutableArray<ServerPeer>> _servers =
        ImmutableDictionary.Create<string, ImmutableArray<ServerPeer>>(StringComparer.OrdinalIgnoreCase);

    /// <summary>Told of each server that is not there any more, outside of any lock.</summary>
    public event Action<ServerPeer>? Left;

    /// <summary>Told when the list became another one, outside of any lock.</summary>
    public event Action? Changed;

    /// <summary>Whether a datacenter is known.</summary>
    public bool Knows(string datacenter) => _servers.ContainsKey(datacenter);

    /// <summary>The servers of a datacenter in the order in which they are asked.</summary>
    public IReadOnlyList<ServerPeer> In(string datacenter) => Of(datacenter);

    /// <summary>How many servers are known, in all datacenters.</summary>
    public int Count => _servers.Values.Sum(static servers => servers.Length);

    /// <summary>The datacenters that are known, with the given one.</summary>
    /// <param name="own">This agent's; it comes first unless the comparer says otherwise.</param>
    /// <param name="byDistance">The nearer one is the smaller one. Null: nothing is known of distance.</param>
    public IReadOnlyList<string> Datacenters(string own, IComparer<string>? byDistance = null)
    {
        var others = _servers.Keys.Where(dc => !dc.Equals(own, StringComparison.OrdinalIgnoreCase))
            .Order(StringComparer.Ordinal);
        IEnumerable<string> all = [own, .. others];
        return [.. byDistance is null ? all : all.Order(byDistance)];
    }

    /// <summary>Takes over who is there now; who was there keeps its place.</summary>
    public void Update(IReadOnlyCollection<ServerPeer> servers)
    {
        List<ServerPeer> gone;
        lock (_gate)
        {
            var before = _servers;
            var all = servers.ToHashSet();
            var next = ImmutableDictionary.CreateBuilder<string, ImmutableArray<ServerPeer>>(
                StringComparer.OrdinalIgnoreCase);
            foreach (var group in all.GroupBy(static s => s.Datacenter, StringComparer.OrdinalIgnoreCase))
            {
                next[group.Key] = Merged(before.GetValueOrDefault(group.Key, []), group);
            }

            gone = [.. before.Values.SelectMany(static s => s).Where(s => !all.Contains(s))];
            if (gone.Count == 0 && all.Count == before.Values.Sum(static s => s.Length))
            {
                return;
            }

            _servers = next.ToImmutable();
        }

        gone.ForEach(server => Left?.Invoke(server));
        Changed?.Invoke();
    }

    /// <summary>The server to ask. Null: none is known, or all were tried.</summary>
    /// <param name="datacenter">Its datacenter.</param>
    /// <param name="tried">Servers to leave out. Null: none.</param>
    public ServerPeer? Choose(string datacenter, IReadOnlyCollection<ServerPeer>? tried = null)
    {
        foreach (var server in Of(datacenter))
        {
            if (tried is null || !tried.Contains(server))
            {
                return server;
            }
        }

        return null;
    }

    /// <summary>A server did not answer: while it is the first it becomes the last.</summary>
    public void Failed(ServerPeer server) => Edit(server.Datacenter, servers =>
        servers.Length > 1 && servers[0] == server ? servers.RemoveAt(0).Add(server) : servers);

    /// <summary>A server is well: it becomes the first.</summary>
    public void Prefer(ServerPeer server) => Edit(server.Datacenter, servers =>
        servers.Contains(server) ? servers.Remove(server).Insert(0, server) : servers);

    /// <summary>An order of a datacenter's servers drawn by chance; what is asked stays as it is.</summary>
    public IReadOnlyList<ServerPeer> Draw(string datacenter)
    {
        var order = Of(datacenter).ToArray();
        lock (_gate)
        {
            random.Shuffle(order);
        }

        return order;
    }

    /// <summary>How long to stay with the order that was drawn.</summary>
    /// <param name="agents">How many agents the datacenter has.</param>
    /// <param name="servers">How many of them are servers.</param>
    public TimeSpan RebalanceAfter(int agents, int servers)
    {
        double draw;
        lock (_gate)
        {
            draw = random.NextDouble();
        }

        var least = RebalanceMin * (1 + (draw / 2));
        var scaled = TimeSpan.FromSeconds(agents / (MovesPerSecondAndServer * Math.Max(1, servers)));
        return scaled > least ? scaled : least;
    }

    private ImmutableArray<ServerPeer> Of(string datacenter) => _servers.GetValueOrDefault(datacenter, []);

    // Newcomers go anywhere but to the front: whoever is asked now goes on being asked.
    private ImmutableArray<ServerPeer> Merged(ImmutableArray<ServerPeer> before, IEnumerable<ServerPeer> now)
    {
        var present = now.ToHashSet();
        var order = before.Where(present.Contains).ToList();
        foreach (var newcomer in present.Except(before).OrderBy(static s => s.Name, StringComparer.Ordinal))
        {
            order.Insert(before.IsEmpty || order.Count == 0
                ? random.Next(order.Count + 1)
                : random.Next(1, order.Count + 1), newcomer);
        }

        return [.. order];
    }

    private void Edit(string datacenter, Func<ImmutableArray<ServerPeer>, ImmutableArray<ServerPeer>> change)
    {
        lock (_gate)
        {
            if (_servers.TryGetValue(datacenter, out var servers))
            {
                _servers = _servers.SetItem(datacenter, change(servers));
            }
        }
    }
}
