using System.Net;
using System.Net.Sockets;
using Praetor.Agent.Config;

namespace Praetor.Agent.Dns;

/// <summary>Looks up recursors that are given by name, once at the start and at each reload, as Consul does.</summary>
internal static class RecursorNames
{
    // The machine's resolver may be this agent, which does not listen yet.
    private static readonly TimeSpan LookupTime = TimeSpan.FromSeconds(5);

    /// <summary>The addresses, each once, in their order.</summary>
    /// <exception cref="FormatException">A name is not known.</exception>
    public static async Task<IReadOnlyList<IPEndPoint>> ResolveAsync(
        IEnumerable<RecursorAddress> recursors, TimeProvider time, CancellationToken stop)
    {
        var found = new List<IPEndPoint>();
        foreach (var recursor in recursors)
        {
            found.Add(recursor.Address is { } address
                ? new IPEndPoint(address, recursor.Port) : await LookUpAsync(recursor, time, stop));
        }

        return [.. found.Distinct()];
    }

    private static async Task<IPEndPoint> LookUpAsync(
        RecursorAddress recursor, TimeProvider time, CancellationToken stop)
    {
        using var limit = new CancellationTokenSource(LookupTime, time);
        using var both = CancellationTokenSource.CreateLinkedTokenSource(limit.Token, stop);
        try
        {
            var all = await System.Net.Dns.GetHostAddressesAsync(recursor.Host, both.Token);
            var first = all.FirstOrDefault(static a => a.AddressFamily == AddressFamily.InterNetwork)
                ?? all.FirstOrDefault();
            return first is null
                ? throw Unknown(recursor, "it has no address") : new IPEndPoint(first, recursor.Port);
        }
        catch (SocketException e)
        {
            throw Unknown(recursor, e.Message);
        }
        catch (OperationCanceledException) when (!stop.IsCancellationRequested)
        {
            throw Unknown(recursor, $"no answer in {LookupTime.TotalSeconds} s");
        }
    }

    private static FormatException Unknown(RecursorAddress recursor, string why) => new(
        $"Invalid recursor address: {recursor.Text}: lookup {recursor.Host}: {why}; use an IP address");
}
