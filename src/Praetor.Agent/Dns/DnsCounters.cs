namespace Praetor.Agent.Dns;

/// <summary>What the server has done since its start, for metrics.</summary>
public sealed class DnsCounters
{
    private long _domainQueries;
    private long _reverseQueries;
    private long _recursions;
    private long _recursionFailures;
    private long _malformed;
    private long _refusedConnections;

    /// <summary>Questions about the domain (<c>consul.dns.domain_query</c>).</summary>
    public long DomainQueries => Interlocked.Read(ref _domainQueries);

    /// <summary>Questions about addresses (<c>consul.dns.ptr_query</c>).</summary>
    public long ReverseQueries => Interlocked.Read(ref _reverseQueries);

    /// <summary>Questions passed on to recursors.</summary>
    public long Recursions => Interlocked.Read(ref _recursions);

    /// <summary>Of these, the ones that no recursor answered.</summary>
    public long RecursionFailures => Interlocked.Read(ref _recursionFailures);

    /// <summary>Packets that are no DNS question.</summary>
    public long Malformed => Interlocked.Read(ref _malformed);

    /// <summary>TCP connections closed at once because there were too many.</summary>
    public long RefusedConnections => Interlocked.Read(ref _refusedConnections);

    internal void CountDomain() => Interlocked.Increment(ref _domainQueries);

    internal void CountReverse() => Interlocked.Increment(ref _reverseQueries);

    internal void CountRecursion() => Interlocked.Increment(ref _recursions);

    internal void CountRecursionFailure() => Interlocked.Increment(ref _recursionFailures);

    internal void CountMalformed() => Interlocked.Increment(ref _malformed);

    internal void CountRefusedConnection() => Interlocked.Increment(ref _refusedConnections);
}
