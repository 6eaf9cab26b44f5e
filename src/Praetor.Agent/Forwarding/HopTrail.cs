namespace Praetor.Agent.Forwarding;

/// <summary>An agent that passed a request on.</summary>
internal readonly record struct Hop(string Node, string Datacenter, bool IsServer)
{
    public override string ToString() => $"{(IsServer ? 's' : 'c')}:{Uri.EscapeDataString(Node)}@{Datacenter}";
}

/// <summary>Who passed a request on before it came here; makes loops between servers impossible.</summary>
/// <remarks>
/// Two servers that know different things, one by an old list of members, could send a request to each other for ever.
/// Each request carries the agents that passed it on. A server that got it from another server of its datacenter does
/// not pass it on inside of it; one that got it from another datacenter does not send it to a third; and nobody is on
/// the way twice. So a request makes four hops at most: to a server, to the leader, across, to the leader there.
/// </remarks>
internal sealed record HopTrail(IReadOnlyList<Hop> Hops)
{
    /// <summary>The header that it travels in.</summary>
    public const string Header = "x-praetor-hops";

    private const int HopsMax = 4;
    private const int TextMax = 1024;

    public static readonly HopTrail None = new([]);

    /// <summary>The trail of a request whose own cannot be read: nobody passes it on.</summary>
    public static readonly HopTrail Closed = new(new Hop[HopsMax]);

    /// <summary>Reads the header; false: it is none of ours.</summary>
    public static bool TryParse(string text, out HopTrail trail)
    {
        trail = None;
        if (text.Length == 0)
        {
            return true;
        }

        var parts = text.Split(',');
        if (text.Length > TextMax || parts.Length > HopsMax)
        {
            return false;
        }

        var hops = new Hop[parts.Length];
        for (var i = 0; i < parts.Length; i++)
        {
            if (!TryHop(parts[i], out hops[i]))
            {
                return false;
            }
        }

        trail = new HopTrail(hops);
        return true;
    }

    /// <summary>Whether an agent may pass the request on to a server of a datacenter.</summary>
    public bool MayPass(Hop by, string to)
    {
        if (Hops.Count >= HopsMax || Hops.Contains(by))
        {
            return false;
        }

        return IsIn(to, by.Datacenter)
            ? !Hops.Any(hop => hop.IsServer && IsIn(hop.Datacenter, by.Datacenter))
            : Hops.All(hop => IsIn(hop.Datacenter, by.Datacenter));
    }

    /// <summary>The header with one more hop.</summary>
    public string With(Hop by) => Hops.Count == 0 ? by.ToString() : $"{string.Join(',', Hops)},{by}";

    private static bool TryHop(string text, out Hop hop)
    {
        const int RoleLength = 2;
        hop = default;
        var at = text.LastIndexOf('@');
        if (at <= RoleLength || at == text.Length - 1 || text[1] != ':' || text[0] is not ('s' or 'c'))
        {
            return false;
        }

        hop = new Hop(Uri.UnescapeDataString(text[RoleLength..at]), text[(at + 1)..], text[0] == 's');
        return true;
    }

    private static bool IsIn(string datacenter, string own) =>
        datacenter.Equals(own, StringComparison.OrdinalIgnoreCase);
}
