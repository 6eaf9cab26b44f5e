using System.Net;
using Codecs.Dns;

namespace Praetor.Agent.Dns;

/// <summary>
/// Decides the answer to a question about the own domain or an address: which records, in which section. What Consul
/// 1.8.7 answers is the measure, recorded in tests/Unit/Dns/Recorded.
/// </summary>
/// <param name="resolved">What recursors said about names outside the domain; null before anybody asked.</param>
internal sealed class AnswerPlanner(
    DnsSettings settings,
    IDnsCatalog catalog,
    Random random,
    bool hasEdns,
    IReadOnlyDictionary<string, DnsResource[]>? resolved = null)
{
    /// <summary>How many names of the own domain may refer to one another.</summary>
    private const int ReferralsMax = 3;
    private const int NameServersMax = 3;
    private readonly Referrals _referrals = new(settings, hasEdns, resolved);

    /// <param name="labels">The whole name, in small letters.</param>
    /// <param name="inner">Its labels before the domain.</param>
    public AnswerPlan Plan(ReadOnlySpan<string> labels, ReadOnlySpan<string> inner, DnsType type) => type switch
    {
        DnsType.Soa => Authorities(asked: true),
        DnsType.Ns => Authorities(asked: false),
        DnsType.Axfr => new AnswerPlan { Code = DnsResponseCode.NotImplemented }.Finish(),
        _ => Named(labels, inner, type, ReferralsMax),
    };

    /// <summary>The PTR of a node or a service; null when nobody here has the address.</summary>
    public AnswerPlan? PlanReverse(ReadOnlySpan<string> labels, DnsType type)
    {
        IPAddress? address = DnsZone.ReverseAddress(labels);
        if (address is null)
        {
            return null;
        }
        string? name = catalog.NodeAt(address) is { } node ? node.Name + ".node."
            : catalog.ServiceAt(address) is { } service ? service + ".service." : null;
        byte[]? target = name is null ? null
            : DnsName.Encode(name + settings.Options.Datacenter + "." + settings.Domain);
        return target is null ? null : new AnswerPlan
        {
            Groups = [new([DnsResource.ForName(null, DnsType.Ptr, 0, target)], [])],
            Authority = type == DnsType.Soa ? [settings.Soa] : [],
        }.Finish();
    }

    private AnswerPlan NameError() =>
        new AnswerPlan { Code = DnsResponseCode.NameError, Authority = [settings.Soa] }.Finish();

    private AnswerPlan Authorities(bool asked)
    {
        DnsNode[] servers = [.. catalog.Servers()];
        random.Shuffle(servers);
        byte[] owner = DnsName.Encode(settings.Domain) ?? [0];
        var names = new List<DnsResource>();
        var glue = new List<DnsResource>();
        foreach (DnsNode server in servers)
        {
            byte[]? target = DnsName.Encode(NodeName(server, settings.Options.Datacenter));
            if (target is null || names.Count >= NameServersMax)
            {
                continue;
            }
            names.Add(DnsResource.ForName(owner, DnsType.Ns, settings.NodeTtl, target));
            if (DnsZone.ParseAddress(server.Address) is { } address)
            {
                glue.Add(DnsResource.ForAddress(target, settings.NodeTtl, address));
            }
        }
        DnsResource[] answers = asked ? [settings.Soa] : [.. names];
        return new AnswerPlan
        {
            Groups = [new(answers, [])],
            Authority = asked ? [.. names] : [],
            Additional = [.. glue],
        }.Finish();
    }

    private AnswerPlan Named(ReadOnlySpan<string> labels, ReadOnlySpan<string> inner, DnsType type, int referrals)
    {
        int at = inner.Length - 1;
        bool isRfc2782 = false;
        while (at >= 0 && inner[at] is not ("service" or "connect" or "ingress" or "node" or "query" or "addr"))
        {
            // In SRV questions of RFC 2782 the word "service" may be missing.
            isRfc2782 = type == DnsType.Srv && inner[at].StartsWith('_');
            if (isRfc2782)
            {
                break;
            }
            at--;
        }
        if (at < 0)
        {
            return NameError();
        }
        string kind = isRfc2782 ? "service" : inner[at];
        ReadOnlySpan<string> parts = isRfc2782 ? inner[..(at + 1)] : inner[..at];
        if (kind == "addr")
        {
            return Address(parts, inner[(at + 1)..]);
        }
        if (parts.IsEmpty || !TryReadPlace(inner[(at + 1)..], out string datacenter))
        {
            return NameError();
        }
        string name = string.Join('.', labels.ToArray());
        return kind switch
        {
            "service" => Service(name, ServiceOf(parts), datacenter, type, referrals),
            "connect" => Service(name, new(parts[^1], "", DnsView.Connect), datacenter, type, referrals),
            "ingress" => Service(name, new(parts[^1], "", DnsView.Ingress), datacenter, type, referrals),
            "node" => Node(string.Join('.', parts.ToArray()), datacenter, type, referrals),
            _ => NameError(), // prepared queries do not exist yet
        };
    }

    // What stands behind the kind: nothing, a datacenter, or labelled pairs ("dc1.dc") as later Consul has them.
    private bool TryReadPlace(ReadOnlySpan<string> suffix, out string datacenter)
    {
        datacenter = settings.Options.Datacenter;
        if (suffix.Length == 1)
        {
            datacenter = suffix[0];
            return true;
        }
        for (int i = 0; i < suffix.Length; i += 2)
        {
            string label = i + 1 < suffix.Length ? suffix[i + 1] : "";
            if (label == "dc")
            {
                datacenter = suffix[i];
            }
            else if (label is not ("ns" or "ap") || suffix[i] != "default")
            {
                return false;
            }
        }
        return true;
    }

    private static ServiceName ServiceOf(ReadOnlySpan<string> parts)
    {
        if (parts is [['_', .. var service], ['_', .. var tag]])
        {
            return new(service, tag == "tcp" ? "" : tag, DnsView.Service);
        }
        return new(parts[^1], string.Join('.', parts[..^1].ToArray()), DnsView.Service);
    }

    private AnswerPlan Address(ReadOnlySpan<string> parts, ReadOnlySpan<string> suffix)
    {
        if (parts.Length != 1)
        {
            return NameError();
        }
        const int IPv4Digits = 8, IPv6Digits = 32;
        string digits = parts[0];
        if (digits.Length / 2 * 2 is not (IPv4Digits or IPv6Digits))
        {
            return new AnswerPlan().Finish();
        }
        string place = suffix.IsEmpty ? "" : string.Join('.', suffix.ToArray()) + ".";
        byte[]? owner = DnsName.Encode(digits + ".addr." + place + settings.Domain);
        return owner is null || DnsZone.FromHex(digits) is not { } address ? NameError() : new AnswerPlan
        {
            Groups = [new([DnsResource.ForAddress(owner, settings.NodeTtl, address)], [])],
        }.Finish();
    }

    private AnswerPlan Node(string name, string datacenter, DnsType type, int referrals)
    {
        if (type is not (DnsType.A or DnsType.Aaaa or DnsType.Any or DnsType.Txt))
        {
            return new AnswerPlan().Finish();
        }
        if (catalog.Node(name, datacenter) is not { } node)
        {
            return NameError();
        }
        var answers = new List<DnsResource>();
        if (type != DnsType.Txt)
        {
            AddNodeAddress(answers, node, datacenter, type, referrals);
        }
        DnsResource[] texts = Texts(node, null, settings.NodeTtl);
        bool asked = type is DnsType.Any or DnsType.Txt;
        return new AnswerPlan
        {
            Groups = [new(asked ? [.. answers, .. texts] : [.. answers], [])],
            Additional = asked || !settings.Options.NodeMetaTxt ? [] : texts,
            Unresolved = _referrals.Unresolved,
        }.Finish();
    }

    private void AddNodeAddress(
        List<DnsResource> answers, DnsNode node, string datacenter, DnsType type, int referrals)
    {
        string text = AddressOf(node, type, IsTranslated(datacenter));
        if (DnsZone.ParseAddress(text) is { } address)
        {
            AddIfAsked(answers, DnsResource.ForAddress(null, settings.NodeTtl, address), type);
        }
        else if (DnsName.Encode(text) is { } target)
        {
            answers.Add(DnsResource.ForName(null, DnsType.Cname, settings.NodeTtl, target));
            answers.AddRange(_referrals.Limit(Follow(text, referrals), ttl: null));
        }
    }

    private AnswerPlan Service(string question, ServiceName name, string datacenter, DnsType type, int referrals)
    {
        var groups = new List<AnswerGroup>();
        uint ttl = settings.ServiceTtl(name.Service);
        bool isKnown = false;
        bool isFixed = true;
        var instances = catalog.Instances(name.Service, name.View, datacenter);
        var seen = new HashSet<string>(StringComparer.OrdinalIgnoreCase);
        foreach (DnsInstance instance in instances)
        {
            if (!IsWanted(instance, name.Tag))
            {
                continue;
            }
            isKnown = true;
            var subject = new Subject(question, datacenter, type, ttl, referrals);
            if (GroupOf(instance, subject, seen, ref isFixed) is { } group)
            {
                groups.Add(group);
            }
        }
        return isKnown ? ServicePlan(name, type, groups, isFixed) : NameError();
    }

    private AnswerPlan ServicePlan(ServiceName name, DnsType type, List<AnswerGroup> groups, bool isFixed)
    {
        int limit = int.MaxValue;
        if (type != DnsType.Srv)
        {
            // A name is only shown when there is no address at all, and then only one: CNAMEs do not add up.
            bool hasAddress = groups.Exists(IsAddress);
            groups.RemoveAll(g => hasAddress && !IsAddress(g));
            limit = !hasAddress ? 1 : settings.Options.ARecordLimit > 0 ? settings.Options.ARecordLimit : limit;
        }
        return new AnswerPlan
        {
            Groups = [.. groups],
            IsService = true,
            GroupsMax = limit,
            Service = name.View == DnsView.Service ? name.Service : null,
            IsReusable = isFixed && _referrals.Unresolved.Count == 0 && resolved is null,
            Unresolved = _referrals.Unresolved,
        }.Finish();
    }

    private static bool IsAddress(AnswerGroup group) => group.Answers[0].Type != DnsType.Cname;

    private bool IsWanted(DnsInstance instance, string tag) =>
        instance.Health != DnsHealth.Critical
        && (instance.Health == DnsHealth.Passing || !settings.Options.OnlyPassing)
        && (tag.Length == 0 || instance.Tags.Contains(tag, StringComparer.OrdinalIgnoreCase));

    private AnswerGroup? GroupOf(DnsInstance instance, Subject subject, HashSet<string> seen, ref bool isFixed)
    {
        DnsNode node = instance.Node;
        bool isTranslated = IsTranslated(subject.Datacenter);
        if (isTranslated && instance.Wan is { Port: not 0 } wan)
        {
            instance = instance with { Port = wan.Port };
        }
        string service = isTranslated && instance.Wan is { } own
            ? Pick(subject.Type, own.Address.Length > 0 ? own.Address : instance.Address, own.IPv4, own.IPv6)
            : Pick(subject.Type, instance.Address, instance.LanIPv4, instance.LanIPv6);
        string nodeAddress = AddressOf(node, subject.Type, isTranslated);
        if (subject.Type == DnsType.Srv && !seen.Add($"{node.Name}:{service}:{instance.Port}"))
        {
            return null;
        }
        bool refersToItself = service.TrimEnd('.').Equals(subject.Question, StringComparison.OrdinalIgnoreCase);
        string address = service.Length == 0 || refersToItself ? nodeAddress : service;
        if (DnsZone.ParseAddress(address) is { } ip)
        {
            bool isNode = ReferenceEquals(address, nodeAddress) && nodeAddress == node.Address;
            return subject.Type == DnsType.Srv
                ? SrvByAddress(instance, subject, ip, isNode)
                : ByAddress(subject, ip, seen);
        }
        if (DnsName.Encode(address) is not { Length: > 1 } target)
        {
            return null;
        }
        isFixed = isFixed && !IsOwn(address);
        var more = _referrals.Limit(Follow(address, subject.Referrals), subject.Ttl);
        return subject.Type == DnsType.Srv
            ? Srv(instance, subject, target, more)
            : new([DnsResource.ForName(null, DnsType.Cname, subject.Ttl, target), .. more], []);
    }

    private static AnswerGroup? ByAddress(Subject subject, IPAddress address, HashSet<string> seen)
    {
        var answers = new List<DnsResource>(1);
        AddIfAsked(answers, DnsResource.ForAddress(null, subject.Ttl, address), subject.Type);
        return answers.Count > 0 && seen.Add(address.ToString()) ? new([.. answers], []) : null;
    }

    private AnswerGroup? SrvByAddress(DnsInstance instance, Subject subject, IPAddress address, bool isNode)
    {
        string name = isNode ? NodeName(instance.Node, subject.Datacenter)
            : DnsZone.ToHex(address) + ".addr." + subject.Datacenter + "." + settings.Domain;
        return DnsName.Encode(name) is not { } target ? null
            : Srv(instance, subject, target, [DnsResource.ForAddress(target, subject.Ttl, address)]);
    }

    private AnswerGroup Srv(DnsInstance instance, Subject subject, byte[] target, List<DnsResource> more)
    {
        byte[]? node = DnsName.Encode(NodeName(instance.Node, subject.Datacenter));
        DnsResource[] texts = node is not null && settings.Options.NodeMetaTxt
            ? Texts(instance.Node, node, subject.Ttl) : [];
        return new([DnsResource.ForSrv(subject.Ttl, Weight(instance), instance.Port, target)], [.. more, .. texts]);
    }

    // The records behind a name: our own are looked up, others are what a recursor said.
    private List<DnsResource> Follow(string name, int referrals)
    {
        if (!IsOwn(name))
        {
            return _referrals.FromOutside(name);
        }
        if (referrals <= 1 || DnsName.Encode(name) is not { } owner)
        {
            return [];
        }
        string[] labels = name.Trim('.').ToLowerInvariant().Split('.');
        DnsZone.KindOf(settings, labels, out ReadOnlySpan<string> inner);
        AnswerPlan plan = Named(labels, inner, DnsType.Any, referrals - 1);
        random.Shuffle(plan.Groups);
        int limit = plan.IsService ? settings.UdpAnswers : int.MaxValue;
        return [.. plan.Groups.Take(plan.GroupsMax).SelectMany(g => g.Answers).Take(limit)
            .Select(r => r.Owner is null ? r with { Owner = owner } : r)];
    }

    private bool IsOwn(string name) =>
        DnsZone.KindOf(settings, name.Trim('.').ToLowerInvariant().Split('.'), out _) == ZoneKind.Own;

    private string NodeName(DnsNode node, string datacenter) =>
        node.Name + ".node." + datacenter + "." + settings.Domain;

    private static void AddIfAsked(List<DnsResource> answers, DnsResource record, DnsType type)
    {
        if (record.Type == type || type is DnsType.Any or DnsType.Txt)
        {
            answers.Add(record);
        }
    }

    private bool IsTranslated(string datacenter) => settings.Options.TranslatesWan
        && !datacenter.Equals(settings.Options.Datacenter, StringComparison.OrdinalIgnoreCase);

    private static string AddressOf(DnsNode node, DnsType type, bool isTranslated) =>
        isTranslated && node.Wan is { } wan
        ? Pick(type, wan.Address.Length > 0 ? wan.Address : node.Address, wan.IPv4, wan.IPv6)
        : Pick(type, node.Address, node.LanIPv4, node.LanIPv6);

    // The families' own addresses go before the general one.
    private static string Pick(DnsType type, string address, string? v4, string? v6) => type switch
    {
        DnsType.A => v4 ?? address,
        DnsType.Aaaa => v6 ?? address,
        _ => v6 ?? v4 ?? address,
    };

    private static int Weight(DnsInstance instance) =>
        instance.Health == DnsHealth.Warning ? instance.WarningWeight : instance.PassingWeight;

    private static DnsResource[] Texts(DnsNode node, byte[]? owner, uint ttl)
    {
        const string BarePrefix = "rfc1035-";
        return [.. node.Meta.Select(pair => DnsResource.ForText(owner, ttl,
            pair.Key.StartsWith(BarePrefix, StringComparison.OrdinalIgnoreCase)
                ? pair.Value : pair.Key + "=" + pair.Value))];
    }

    private readonly record struct ServiceName(string Service, string Tag, DnsView View);

    /// <summary>What all instances of one service answer have in common.</summary>
    private readonly record struct Subject(string Question, string Datacenter, DnsType Type, uint Ttl, int Referrals);
}
