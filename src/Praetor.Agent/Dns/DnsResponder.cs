using Codecs.Dns;

namespace Praetor.Agent.Dns;

/// <summary>What all listeners of one server share.</summary>
internal sealed class DnsContext(DnsSettings settings, IDnsCatalog catalog, TimeProvider time, DnsCounters counters)
{
    private DnsSettings _settings = settings;

    public DnsSettings Settings
    {
        get => Volatile.Read(ref _settings);
        set => Volatile.Write(ref _settings, value);
    }

    public IDnsCatalog Catalog => catalog;

    public TimeProvider Time => time;

    public DnsCounters Counters => counters;
}

/// <summary>
/// Answers packets, one at a time, for one thread: bytes in, bytes out, no sockets. A question that somebody else has
/// to be asked about is left to <see cref="DnsRecursion"/>.
/// </summary>
internal sealed class DnsResponder(DnsContext context, Random random, bool caches)
{
    /// <summary>Length of a reply that a recursor has a part in.</summary>
    public const int Deferred = -1;

    private readonly AnswerEncoder _encoder = new(random, context.Time);
    private readonly PlanCache? _cache = caches ? new(context.Catalog) : null;

    /// <summary>How many plans are kept.</summary>
    public int PlansKept => _cache?.Count ?? 0;

    /// <returns>The reply's length, 0 for no reply, or <see cref="Deferred"/>.</returns>
    public int Answer(
        ReadOnlySpan<byte> packet, bool isTcp, Span<byte> reply, AskerPlace place = AskerPlace.Loopback)
    {
        Span<byte> scratch = stackalloc byte[DnsQuery.ScratchBytes];
        QueryFault fault = DnsQuery.Parse(packet, isTcp, scratch, out DnsQuery query);
        query.Place = place;
        if (fault != QueryFault.None)
        {
            return AnswerFault(fault, query, reply);
        }
        DnsSettings settings = context.Settings;
        if (_cache?.Find(query.Key, settings) is { } known)
        {
            context.Counters.CountDomain();
            return _encoder.Encode(known, query, settings, reply);
        }
        return AnswerAnew(query, settings, reply);
    }

    /// <summary>Answers a deferred question with what recursors said about names it refers to.</summary>
    public int AnswerWith(
        ReadOnlySpan<byte> packet, bool isTcp, IReadOnlyDictionary<string, DnsResource[]> resolved, Span<byte> reply,
        AskerPlace place = AskerPlace.Loopback)
    {
        Span<byte> scratch = stackalloc byte[DnsQuery.ScratchBytes];
        if (DnsQuery.Parse(packet, isTcp, scratch, out DnsQuery query) != QueryFault.None)
        {
            return 0;
        }
        query.Place = place;
        DnsSettings settings = context.Settings;
        string[] labels = query.Labels();
        DnsZone.KindOf(settings, labels, out ReadOnlySpan<string> inner);
        var planner = new AnswerPlanner(settings, context.Catalog, random, query.HasEdns, resolved);
        return _encoder.Encode(planner.Plan(labels, inner, query.Type), query, settings, reply);
    }

    /// <summary>The names that the own answer to a deferred question refers to; empty when the question as a whole
    /// has to be passed on.</summary>
    public IReadOnlyCollection<string> UnresolvedIn(in DnsQuery query)
    {
        DnsSettings settings = context.Settings;
        string[] labels = query.Labels();
        return DnsZone.KindOf(settings, labels, out ReadOnlySpan<string> inner) != ZoneKind.Own ? []
            : new AnswerPlanner(settings, context.Catalog, random, query.HasEdns)
                .Plan(labels, inner, query.Type).Unresolved;
    }

    /// <summary>Answers a deferred question with what was fetched since; notes what is still missing.</summary>
    public int AnswerFetched(
        ReadOnlySpan<byte> packet, bool isTcp, DnsMissing missing, Span<byte> reply, AskerPlace place)
    {
        Span<byte> scratch = stackalloc byte[DnsQuery.ScratchBytes];
        if (DnsQuery.Parse(packet, isTcp, scratch, out DnsQuery query) != QueryFault.None)
        {
            return 0;
        }
        query.Place = place;
        return AnswerAnew(query, context.Settings, missing, reply);
    }

    private int AnswerAnew(in DnsQuery query, DnsSettings settings, Span<byte> reply) =>
        AnswerAnew(query, settings, context.Catalog.CanMiss ? new DnsMissing() : null, reply);

    private int AnswerAnew(in DnsQuery query, DnsSettings settings, DnsMissing? missing, Span<byte> reply)
    {
        string[] labels = query.Labels();
        ZoneKind kind = DnsZone.KindOf(settings, labels, out ReadOnlySpan<string> inner);
        if (kind == ZoneKind.Foreign)
        {
            return settings.CanRecurse && query.Place != AskerPlace.Far ? Deferred
                : AnswerEncoder.EncodeBare(query, DnsResponseCode.Refused, DnsFlags.None, echoEdns: false, reply);
        }
        IDnsCatalog catalog = missing is null ? context.Catalog : context.Catalog.Noting(missing);
        var planner = new AnswerPlanner(settings, catalog, random, query.HasEdns);
        if (kind == ZoneKind.Reverse)
        {
            context.Counters.CountReverse();
            AnswerPlan? reverse = planner.PlanReverse(labels, query.Type);
            return missing is { Lookups.Count: > 0 } ? Deferred : AnswerReverse(reverse, query, settings, reply);
        }
        context.Counters.CountDomain();
        // Versions are taken before the catalog is read: a change in between makes the plan stale, never wrong.
        ulong catalogVersion = context.Catalog.Version;
        AnswerPlan plan = planner.Plan(labels, inner, query.Type);
        if (plan.Unresolved.Count > 0 || missing is { Lookups.Count: > 0 })
        {
            return Deferred;
        }
        if (plan.IsReusable && IsCommon(query.Type))
        {
            Remember(query, plan, catalogVersion);
        }
        return _encoder.Encode(plan, query, settings, reply);
    }

    private void Remember(in DnsQuery query, AnswerPlan plan, ulong catalogVersion)
    {
        ulong serviceVersion = plan.Service is null ? 0 : context.Catalog.VersionOf(plan.Service);
        // A service version taken after the plan was made is only good if nothing at all happened meanwhile.
        if (context.Catalog.Version == catalogVersion)
        {
            _cache?.Add(query.Key, plan, catalogVersion, serviceVersion);
        }
    }

    private int AnswerReverse(AnswerPlan? plan, in DnsQuery query, DnsSettings settings, Span<byte> reply)
    {
        if (plan is not null)
        {
            return _encoder.Encode(plan, query, settings, reply);
        }
        if (!settings.CanRecurse)
        {
            return EncodeFailure(query, reply);
        }
        return query.Place != AskerPlace.Far ? Deferred
            : AnswerEncoder.EncodeBare(query, DnsResponseCode.Refused, DnsFlags.None, echoEdns: false, reply);
    }

    /// <summary>What is said when no recursor could help.</summary>
    public static int EncodeFailure(in DnsQuery query, Span<byte> reply) => AnswerEncoder.EncodeBare(
        query, DnsResponseCode.ServerFailure, DnsFlags.RecursionAvailable, echoEdns: true, reply);

    private int AnswerFault(QueryFault fault, in DnsQuery query, Span<byte> reply)
    {
        context.Counters.CountMalformed();
        DnsResponseCode code = fault switch
        {
            QueryFault.NotImplemented => DnsResponseCode.NotImplemented,
            QueryFault.Refused => DnsResponseCode.Refused,
            _ => DnsResponseCode.FormatError,
        };
        DnsFlags opcode = query.Header.OpcodeFlags;
        return fault == QueryFault.Ignore ? 0 : AnswerEncoder.EncodeBare(query, code, opcode, echoEdns: false, reply);
    }

    // Only types that resolvers really ask for: 65,536 types must not push useful plans out.
    private static bool IsCommon(DnsType type) =>
        type is DnsType.A or DnsType.Aaaa or DnsType.Srv or DnsType.Any or DnsType.Txt;
}
