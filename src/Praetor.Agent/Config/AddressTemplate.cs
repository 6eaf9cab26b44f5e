using System.Net;
using System.Net.NetworkInformation;
using System.Net.Sockets;
using System.Text;
using Languages;

namespace Praetor.Agent.Config;

/// <summary>One address of one network interface of this machine.</summary>
/// <param name="Name">The interface's name.</param>
/// <param name="Address">The address.</param>
/// <param name="PrefixLength">Bits of its network.</param>
/// <param name="IsUp">The interface is up.</param>
/// <param name="IsDefault">The default route leads through the interface.</param>
public sealed record LocalAddress(string Name, IPAddress Address, int PrefixLength, bool IsUp, bool IsDefault)
{
    internal bool IsLoopback => IPAddress.IsLoopback(Address);

    internal bool IsIpv4 => Address.AddressFamily == AddressFamily.InterNetwork;

    /// <summary>Of the networks that are never routed (RFC 1918, 6598, 4193).</summary>
    internal bool IsPrivate => PrivateNetworks.Any(network => network.Contains(Address));

    private static readonly IPNetwork[] PrivateNetworks =
    [
        IPNetwork.Parse("10.0.0.0/8"), IPNetwork.Parse("172.16.0.0/12"), IPNetwork.Parse("192.168.0.0/16"),
        IPNetwork.Parse("100.64.0.0/10"), IPNetwork.Parse("198.18.0.0/15"), IPNetwork.Parse("fc00::/7"),
    ];

    /// <summary>The addresses of this machine.</summary>
    public static IReadOnlyList<LocalAddress> OfThisMachine()
    {
        var route = DefaultInterface();
        var found = new List<LocalAddress>();
        foreach (var network in NetworkInterface.GetAllNetworkInterfaces())
        {
            var isUp = network.OperationalStatus is OperationalStatus.Up or OperationalStatus.Unknown;
            var isDefault = string.Equals(network.Name, route, StringComparison.Ordinal);
            found.AddRange(network.GetIPProperties().UnicastAddresses.Select(
                address => new LocalAddress(network.Name, address.Address, address.PrefixLength, isUp, isDefault)));
        }
        return found;
    }

    private static string DefaultInterface()
    {
        const string Routes = "/proc/net/route";
        if (!File.Exists(Routes))
        {
            return "";
        }
        // Columns: interface, destination, gateway, …; destination 0 is the default route.
        var columns = File.ReadLines(Routes).Skip(1).Select(static line => line.Split('\t'));
        return columns.FirstOrDefault(static row => row.Length > 2 && row[1] == "00000000")?[0] ?? "";
    }
}

/// <summary>
/// Resolves addresses written as templates, <c>{{ GetPrivateIP }}</c> or
/// <c>{{ GetAllInterfaces | include "name" "^eth" | attr "address" }}</c>: the common part of go-sockaddr's language.
/// </summary>
internal sealed class AddressTemplate(IReadOnlyList<LocalAddress> machine)
{
    private sealed class TemplateException(string message) : Exception(message);

    /// <summary>Replaces all templates in a text.</summary>
    /// <returns>The text, or why not.</returns>
    public (string Text, string? Problem) Resolve(string text)
    {
        if (!text.Contains("{{", StringComparison.Ordinal))
        {
            return (text, null);
        }
        try
        {
            return (Replace(text), null);
        }
        catch (TemplateException refused)
        {
            return ("", $"unable to parse address template \"{text}\": {refused.Message}");
        }
    }

    private string Replace(string text)
    {
        var result = new StringBuilder();
        var at = 0;
        while (text.IndexOf("{{", at, StringComparison.Ordinal) is var open and >= 0)
        {
            var close = text.IndexOf("}}", open, StringComparison.Ordinal);
            if (close < 0)
            {
                throw new TemplateException("a template is not closed: write }}");
            }
            result.Append(text, at, open - at).Append(Run(text[(open + 2)..close].Trim('-', ' ')));
            at = close + 2;
        }
        return result.Append(text, at, text.Length - at).ToString();
    }

    private string Run(string pipeline)
    {
        var stages = SplitWords(pipeline);
        var value = Source(stages[0]);
        for (var i = 1; i < stages.Count; i++)
        {
            value = Stage(stages[i], value);
        }
        return value as string ?? string.Join(' ', ((List<LocalAddress>)value).Select(static a =>
            a.Address.ToString()));
    }

    /// <summary>The words of each stage; stages are separated by bars, words may stand in quotes.</summary>
    private static List<List<string>> SplitWords(string pipeline)
    {
        var stages = new List<List<string>> { new() };
        var scanner = new TextScanner("template", pipeline);
        while (true)
        {
            scanner.TakeWhile(static c => c is ' ' or '\t' or '\n' or '(' or ')');
            if (scanner.AtEnd)
            {
                break;
            }
            if (scanner.TryTake('|'))
            {
                stages.Add([]);
            }
            else if (scanner.Current is '"' or '`')
            {
                var quote = scanner.Current;
                scanner.Offset++;
                stages[^1].Add(scanner.TakeWhile(c => c != quote).ToString());
                scanner.TryTake(quote);
            }
            else
            {
                stages[^1].Add(scanner.TakeWhile(static c => c is not (' ' or '\t' or '\n' or '|' or ')')).ToString());
            }
        }
        return stages.TrueForAll(static stage => stage.Count > 0)
            ? stages
            : throw new TemplateException("a stage is empty");
    }

    private object Source(List<string> words)
    {
        var argument = words.Count > 1 ? words[1] : "";
        return words[0] switch
        {
            "GetAllInterfaces" => machine.ToList(),
            "GetDefaultInterfaces" => machine.Where(static a => a.IsDefault).ToList(),
            "GetPrivateInterfaces" => Private().ToList(),
            "GetPublicInterfaces" => Public().ToList(),
            "GetPrivateIP" => First(Private()),
            "GetPrivateIPs" => All(Private()),
            "GetPublicIP" => First(Public()),
            "GetPublicIPs" => All(Public()),
            "GetInterfaceIP" => First(Of(argument)),
            "GetInterfaceIPs" => All(Of(argument)),
            _ => throw new TemplateException($"function \"{words[0]}\" not defined"),
        };
    }

    private IEnumerable<LocalAddress> Private() => Forwardable().Where(static a => a.IsPrivate);

    private IEnumerable<LocalAddress> Public() => Forwardable().Where(static a => !a.IsPrivate);

    // A network between servers has no default route: the one that has comes first, and larger networks before
    // smaller ones.
    private IEnumerable<LocalAddress> Forwardable() =>
        machine.Where(static a => a.IsUp && !IsLocalOnly(a))
            .OrderByDescending(static a => a.IsDefault)
            .ThenByDescending(static a => a.IsIpv4)
            .ThenBy(static a => a.PrefixLength);

    private static bool IsLocalOnly(LocalAddress a) => a.IsLoopback || a.Address.IsIPv6LinkLocal;

    private IEnumerable<LocalAddress> Of(string name) => machine
        .Where(a => string.Equals(a.Name, name, StringComparison.Ordinal) && !a.Address.IsIPv6LinkLocal)
        .OrderByDescending(static a => a.IsIpv4);

    private static string First(IEnumerable<LocalAddress> addresses) =>
        addresses.FirstOrDefault()?.Address.ToString() ?? "";

    private static string All(IEnumerable<LocalAddress> addresses) =>
        string.Join(' ', addresses.Select(static a => a.Address.ToString()));

    private static object Stage(List<string> words, object value)
    {
        if (value is not List<LocalAddress> list)
        {
            throw new TemplateException($"{words[0]} needs a list of interfaces before it");
        }
        var first = words.Count > 1 ? words[1] : "";
        var second = words.Count > 2 ? words[2] : "";
        return words[0] switch
        {
            "include" => list.Where(Selector(first, second)).ToList(),
            "exclude" => list.Where(Not(Selector(first, second))).ToList(),
            "attr" => list.Count == 0 ? "" : Attribute(list[0], first),
            "join" => string.Join(second, list.Select(a => Attribute(a, first))),
            "limit" => list.Take(Number(first)).ToList(),
            "offset" => list.Skip(Number(first)).ToList(),
            "sort" => Sort(list, first),
            "unique" => list.DistinctBy(a => Attribute(a, first), StringComparer.Ordinal).ToList(),
            _ => throw new TemplateException($"function \"{words[0]}\" not defined"),
        };
    }

    private static Func<LocalAddress, bool> Not(Func<LocalAddress, bool> test) => a => !test(a);

    private static Func<LocalAddress, bool> Selector(string by, string wanted)
    {
        switch (by)
        {
            case "name" or "address":
                if (!GoRegex.TryCreate(wanted, out var regex, out var problem))
                {
                    throw new TemplateException(problem);
                }
                return a => regex!.IsMatch(Attribute(a, by));
            case "type":
                return a => wanted.Split('|').Any(type => IsType(a, type));
            case "flag" or "flags":
                return a => wanted.Split('|').All(flag => HasFlag(a, flag));
            case "network":
                var networks = wanted.Split('|').Select(ParseNetwork).ToList();
                return a => networks.Exists(network => network.Contains(a.Address));
            case "rfc":
                return a => wanted.Split('|').Any(rfc => IsOfRfc(a, rfc));
            default:
                throw new TemplateException(
                    $"cannot select by \"{by}\": use name, address, type, flags, network or rfc");
        }
    }

    private static IPNetwork ParseNetwork(string text) => IPNetwork.TryParse(text, out var network)
        ? network
        : throw new TemplateException($"invalid network \"{text}\"");

    private static bool IsType(LocalAddress a, string type) => type.Trim().ToLowerInvariant() switch
    {
        "ip" => true,
        "ipv4" => a.IsIpv4,
        "ipv6" => !a.IsIpv4,
        _ => false,
    };

    private static bool HasFlag(LocalAddress a, string flag) => flag.Trim().ToLowerInvariant() switch
    {
        "up" => a.IsUp,
        "loopback" => a.IsLoopback,
        "forwardable" => !IsLocalOnly(a),
        "global unicast" => !IsLocalOnly(a),
        "link-local unicast" => a.Address.IsIPv6LinkLocal,
        _ => false,
    };

    private static bool IsOfRfc(LocalAddress a, string rfc) => rfc.Trim() switch
    {
        "1918" => a.IsIpv4 && a.IsPrivate,
        "6890" => a.IsPrivate || IsLocalOnly(a),
        "4193" => !a.IsIpv4 && a.IsPrivate,
        _ => throw new TemplateException($"unknown RFC \"{rfc}\": use 1918, 4193 or 6890"),
    };

    private static int Number(string text) => int.TryParse(text, out var number) && number >= 0
        ? number
        : throw new TemplateException($"\"{text}\" is no number");

    private static List<LocalAddress> Sort(List<LocalAddress> list, string by)
    {
        var down = by.StartsWith('-');
        var key = by.TrimStart('-', '+').Split(',')[0];
        // Numbers of one family compare byte by byte; the families stay apart.
        IEnumerable<LocalAddress> sorted = key switch
        {
            "address" => list.OrderBy(static a => Convert.ToHexString(a.Address.GetAddressBytes()),
                StringComparer.Ordinal),
            "name" => list.OrderBy(static a => a.Name, StringComparer.Ordinal),
            "size" => list.OrderByDescending(static a => a.PrefixLength),
            "default" => list.OrderByDescending(static a => a.IsDefault),
            "private" => list.OrderByDescending(static a => a.IsPrivate),
            "type" => list.OrderByDescending(static a => a.IsIpv4),
            _ => throw new TemplateException($"cannot sort by \"{by}\""),
        };
        return down ? sorted.Reverse().ToList() : sorted.ToList();
    }

    private static string Attribute(LocalAddress a, string name) => name switch
    {
        "address" or "host" => a.Address.ToString(),
        "name" => a.Name,
        "type" => a.IsIpv4 ? "IPv4" : "IPv6",
        "network" => $"{a.Address}/{a.PrefixLength}",
        "string" => a.Address.ToString(),
        "mask_bits" => a.PrefixLength.ToString(System.Globalization.CultureInfo.InvariantCulture),
        _ => throw new TemplateException($"unknown attribute \"{name}\""),
    };
}
