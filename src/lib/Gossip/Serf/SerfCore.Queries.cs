using System.Net;
using System.Text;
using System.Text.RegularExpressions;
using Gossip.Serf.Wire;
using Gossip.Swim;

namespace Gossip.Serf;

// Queries: an event that wants answers. Answers go straight to who asked, by packet, and by relays when wanted.
public sealed partial class SerfCore
{
    /// <summary>How long a pattern of somebody's may take on a tag; tags are a few bytes.</summary>
    private static readonly TimeSpan PatternTimeout = TimeSpan.FromMilliseconds(50);

    private readonly LamportClock _queryClock = new();
    private readonly RecentMessages<uint> _recentQueries = new();
    private readonly Dictionary<(ulong Time, uint Id), OwnQuery> _ownQueries = [];

    /// <summary>Asks the pool, this member included.</summary>
    /// <returns>Why not; null: the question is on its way and the listener hears the answers.</returns>
    public string? Ask(QueryRequest request, IQueryListener answers, TimeSpan now)
    {
        _now = now;
        if (_ownQueries.Count >= SerfLimits.OwnQueriesMax)
        {
            return $"{_ownQueries.Count} queries wait for answers already: try again later";
        }

        var timeout = request.Timeout ?? DefaultQueryTimeout();
        var query = new Query(
            _queryClock.Time, (uint)_random.NextInt64(uint.MaxValue), _config.Swim.Address, Name,
            [.. Filters(request)], request.WantsAcks ? QueryFlags.Ack : QueryFlags.None, request.RelayFactor, timeout,
            request.Name, request.Payload);
        var encoded = SerfCodec.Encode(query);
        if (encoded.Length > SerfLimits.QueryBytesMax)
        {
            return $"query exceeds limit of {SerfLimits.QueryBytesMax} bytes";
        }

        _queryClock.Next();
        var own = new OwnQuery(answers);
        _ownQueries.Add((query.LTime, query.Id), own);
        Later(timeout, _ =>
        {
            _ownQueries.Remove((query.LTime, query.Id));
            answers.Ended();
        });
        HearQuery(query);
        Spread(_queries, encoded);
        Flush(now);
        return null;
    }

    /// <summary>Answers a query that <see cref="ISerfListener.QueryReceived"/> brought.</summary>
    /// <returns>Why not; null: the answer is on its way.</returns>
    public string? Answer(ReceivedQuery query, ReadOnlyMemory<byte> payload, TimeSpan now)
    {
        _now = now;
        var problem = TryAnswer(query, payload);
        Flush(now);
        return problem;
    }

    /// <summary>How long a query waits for answers unless it says otherwise.</summary>
    public TimeSpan DefaultQueryTimeout() => _config.Swim.GossipInterval
        * (_config.QueryTimeoutMultiplier * Math.Ceiling(Math.Log10(_members.Count + 1)));

    private static IEnumerable<ReadOnlyMemory<byte>> Filters(QueryRequest request)
    {
        if (request.Nodes.Count > 0)
        {
            yield return new QueryFilter.Nodes(request.Nodes).Encode();
        }

        foreach (var (tag, pattern) in request.Tags)
        {
            yield return new QueryFilter.Tag(tag, pattern).Encode();
        }
    }

    /// <summary>Takes in a query; true: it is news and is passed on.</summary>
    private bool HearQuery(Query query)
    {
        if (!_queryClock.Witness(query.LTime)
            || !_recentQueries.IsNew(query.LTime, _queryClock.Time, query.Id))
        {
            return false;
        }

        if (query.Filters.All(Concerns))
        {
            // What is to be sent or told waits until what called is done.
            _later.Add(now => Consider(query, now));
        }

        return true;
    }

    private bool Concerns(ReadOnlyMemory<byte> encoded)
    {
        if (!QueryFilter.TryDecode(encoded.Span, out var filter))
        {
            return false;
        }

        return filter is QueryFilter.Nodes nodes
            ? nodes.Names.Contains(Name, StringComparer.Ordinal)
            : filter is QueryFilter.Tag tag && Matches(tag);
    }

    private bool Matches(QueryFilter.Tag filter)
    {
        try
        {
            // The expression is a stranger's: this engine's time grows with the text only.
            const RegexOptions Linear = RegexOptions.CultureInvariant | RegexOptions.NonBacktracking;
            return Regex.IsMatch(_tags.GetValueOrDefault(filter.Name, ""), filter.Expression, Linear, PatternTimeout);
        }
        catch (Exception e) when (e is ArgumentException or NotSupportedException or RegexMatchTimeoutException)
        {
            _listener.Note(SwimNote.Unexpected, $"a query's pattern for tag {filter.Name} cannot be used");
            return false;
        }
    }

    private void Consider(Query query, TimeSpan now)
    {
        var limit = query.Timeout < SerfLimits.QueryTimeMax ? query.Timeout : SerfLimits.QueryTimeMax;
        var received = new ReceivedQuery(query, now + limit);
        if (query.Flags.HasFlag(QueryFlags.Ack))
        {
            Send(query, new QueryResponse(query.LTime, query.Id, Name, QueryFlags.Ack, default));
        }

        if (query.Name.StartsWith(InternalQueries.Prefix, StringComparison.Ordinal))
        {
            AnswerInternal(received);
        }
        else
        {
            _listener.QueryReceived(received);
        }
    }

    private string? TryAnswer(ReceivedQuery query, ReadOnlyMemory<byte> payload)
    {
        if (_now > query.Deadline)
        {
            return "the time for an answer is over";
        }

        var asked = query.Asked;
        var size = Send(asked, new QueryResponse(asked.LTime, asked.Id, Name, QueryFlags.None, payload));
        return size <= SerfLimits.QueryResponseBytesMax
            ? null
            : $"response exceeds limit of {SerfLimits.QueryResponseBytesMax} bytes";
    }

    /// <summary>Sends an answer and gives its size; one that is too large is not sent.</summary>
    private int Send(Query query, QueryResponse response)
    {
        var encoded = SerfCodec.Encode(response);
        if (encoded.Length > SerfLimits.QueryResponseBytesMax)
        {
            return encoded.Length;
        }

        if (query.SourceNode == Name)
        {
            HearAnswer(response);
            return encoded.Length;
        }

        if (!MaySendTo(query.Source, query.SourceNode))
        {
            return encoded.Length;
        }

        _swim.SendUser(query.Source, encoded);
        foreach (var member in Relays(query))
        {
            _swim.SendUser(member.Address, SerfCodec.Encode(new Relay(query.Source, query.SourceNode, encoded)));
        }

        return encoded.Length;
    }

    /// <summary>
    /// Whether what another member asks for may be sent there: to members only. Else anybody in the pool, and anybody
    /// at all where gossip is not encrypted, could have every member flood whom he likes.
    /// </summary>
    /// <param name="name">Whose address it is said to be. Empty: members of old versions do not say.</param>
    private bool MaySendTo(IPEndPoint address, string name)
    {
        var isMembers = name.Length > 0
            ? _members.TryGetValue(name, out var entry) && entry.Member.Address.Equals(address)
            : _members.Values.Any(known => known.Member.Address.Equals(address));
        if (!isMembers)
        {
            _listener.Note(SwimNote.Unexpected, $"nothing is sent to {address}: that is no member's address");
        }

        return isMembers;
    }

    private IEnumerable<Member> Relays(Query query)
    {
        var count = Math.Min((int)query.RelayFactor, SerfLimits.RelaysMax);
        if (count == 0)
        {
            return [];
        }

        var candidates = _members.Values
            .Where(entry => entry.Status == SerfStatus.Alive && entry.Member.Name != Name
                && entry.Member.Name != query.SourceNode)
            .Select(static entry => entry.Member).ToArray();
        _random.Shuffle(candidates);
        return candidates.Take(count);
    }

    private void HearAnswer(QueryResponse response)
    {
        if (!_ownQueries.TryGetValue((response.LTime, response.Id), out var own))
        {
            return;
        }

        // Relays bring the same answer again.
        var isAck = response.Flags.HasFlag(QueryFlags.Ack);
        var heard = isAck ? own.Acks : own.Answers;
        if (heard.Count >= SerfLimits.AnswersMax || !heard.Add(response.From))
        {
            return;
        }

        if (isAck)
        {
            own.Listener.Acked(response.From);
        }
        else
        {
            own.Listener.Answered(response.From, response.Payload);
        }
    }

    private sealed class OwnQuery(IQueryListener listener)
    {
        public IQueryListener Listener => listener;

        public HashSet<string> Acks { get; } = new(StringComparer.Ordinal);

        public HashSet<string> Answers { get; } = new(StringComparer.Ordinal);
    }
}
