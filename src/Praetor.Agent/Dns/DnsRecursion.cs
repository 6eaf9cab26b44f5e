using System.Buffers.Binary;
using System.Net;
using Codecs.Dns;

namespace Praetor.Agent.Dns;

/// <summary>Answers the questions that a recursor has a part in, a bounded number at a time.</summary>
internal sealed class DnsRecursion(DnsContext context, DnsForwarder forwarder, Func<Random> newRandom)
{
    /// <summary>Questions that may wait for recursors at once; whoever comes on top is told SERVFAIL.</summary>
    private const int WaitingMax = 512;

    /// <summary>How many of them one asker elsewhere may have; on loopback stands a resolver for many.</summary>
    private const int WaitingPerAskerMax = 64;

    /// <summary>What is fetched may name more: as often as names may refer to one another, and the last look.</summary>
    private const int FetchRoundsMax = 5;
    private readonly Lock _gate = new();
    private readonly Dictionary<IPAddress, int> _askers = [];
    private int _waiting;

    /// <returns>The reply's length; 0 for no reply.</returns>
    public async Task<int> CompleteAsync(
        byte[] packet, bool isTcp, Memory<byte> reply, CancellationToken stop,
        AskerPlace place = AskerPlace.Loopback, IPAddress? asker = null)
    {
        context.Counters.CountRecursion();
        IPAddress? counted = place == AskerPlace.Loopback ? null : asker;
        if (!TryEnter(counted))
        {
            return Fail(packet, isTcp, reply);
        }
        try
        {
            if (context.Catalog.CanMiss && await FetchAsync(packet, isTcp, reply, place, stop) is { } length)
            {
                return length;
            }
            var names = UnresolvedIn(packet, isTcp);
            if (names is null)
            {
                return 0;
            }
            if (names.Count == 0)
            {
                return await PassOnAsync(packet, isTcp, reply, place, stop);
            }
            var resolved = await ResolveAsync(names, stop);
            return new DnsResponder(context, newRandom(), caches: false)
                .AnswerWith(packet, isTcp, resolved, reply.Span, place);
        }
        finally
        {
            Leave(counted);
        }
    }

    /// <returns>The reply's length. Null: a recursor has a part in it.</returns>
    private async Task<int?> FetchAsync(
        byte[] packet, bool isTcp, Memory<byte> reply, AskerPlace place, CancellationToken stop)
    {
        var missing = new DnsMissing();
        var responder = new DnsResponder(context, newRandom(), caches: false);
        for (int round = 0; round < FetchRoundsMax; round++)
        {
            int length = responder.AnswerFetched(packet, isTcp, missing, reply.Span, place);
            if (length != DnsResponder.Deferred)
            {
                return length;
            }
            if (missing.Lookups.Count == 0)
            {
                return null;
            }
            if (!await context.Catalog.FetchAsync(missing, stop))
            {
                break;
            }
        }
        return Fail(packet, isTcp, reply);
    }

    private bool TryEnter(IPAddress? asker)
    {
        lock (_gate)
        {
            int own = asker is null ? 0 : _askers.GetValueOrDefault(asker);
            if (_waiting >= WaitingMax || own >= WaitingPerAskerMax)
            {
                return false;
            }
            _waiting++;
            if (asker is not null)
            {
                _askers[asker] = own + 1;
            }
            return true;
        }
    }

    private void Leave(IPAddress? asker)
    {
        lock (_gate)
        {
            _waiting--;
            if (asker is not null && --_askers[asker] == 0)
            {
                _askers.Remove(asker);
            }
        }
    }

    private IReadOnlyCollection<string>? UnresolvedIn(byte[] packet, bool isTcp)
    {
        Span<byte> scratch = stackalloc byte[DnsQuery.ScratchBytes];
        return DnsQuery.Parse(packet, isTcp, scratch, out DnsQuery query) != QueryFault.None ? null
            : new DnsResponder(context, newRandom(), caches: false).UnresolvedIn(query);
    }

    private async Task<int> PassOnAsync(
        byte[] packet, bool isTcp, Memory<byte> reply, AskerPlace place, CancellationToken stop)
    {
        byte[]? answer = await AskAllAsync(packet, isTcp, stop);
        return answer is null ? Fail(packet, isTcp, reply) : Relay(packet, isTcp, answer, reply, place);
    }

    // One that fails or refuses hands over to the next.
    private async Task<byte[]?> AskAllAsync(byte[] packet, bool isTcp, CancellationToken stop)
    {
        DnsOptions options = context.Settings.Options;
        foreach (IPEndPoint recursor in InOrder(options))
        {
            byte[]? answer = await forwarder.AskAsync(packet, isTcp, recursor, options.RecursorTimeout, stop);
            if (answer is not null && CodeOf(answer) is DnsResponseCode.NoError or DnsResponseCode.NameError)
            {
                return answer;
            }
        }
        return null;
    }

    private IReadOnlyList<IPEndPoint> InOrder(DnsOptions options)
    {
        if (!options.AsksAtRandom)
        {
            return options.Recursors;
        }

        IPEndPoint[] drawn = [.. options.Recursors];
        newRandom().Shuffle(drawn);
        return drawn;
    }

    private async Task<Dictionary<string, DnsResource[]>> ResolveAsync(
        IReadOnlyCollection<string> names, CancellationToken stop)
    {
        var resolved = new Dictionary<string, DnsResource[]>(StringComparer.OrdinalIgnoreCase);
        foreach (string name in names)
        {
            byte[]? answer = DnsName.Encode(name) is { } wire ? await AskAllAsync(Question(wire), false, stop) : null;
            resolved[name] = answer is null ? [] : RecordsIn(answer);
        }
        return resolved;
    }

    private int Fail(byte[] packet, bool isTcp, Memory<byte> reply)
    {
        context.Counters.CountRecursionFailure();
        Span<byte> scratch = stackalloc byte[DnsQuery.ScratchBytes];
        return DnsQuery.Parse(packet, isTcp, scratch, out DnsQuery query) == QueryFault.None
            ? DnsResponder.EncodeFailure(query, reply.Span) : 0;
    }

    private int Relay(byte[] packet, bool isTcp, byte[] answer, Memory<byte> reply, AskerPlace place)
    {
        Span<byte> scratch = stackalloc byte[DnsQuery.ScratchBytes];
        if (DnsQuery.Parse(packet, isTcp, scratch, out DnsQuery query) != QueryFault.None)
        {
            return 0;
        }
        query.Place = place;
        int limit = isTcp ? reply.Length : AnswerEncoder.DatagramBytes(query, context.Settings);
        if (answer.Length > limit)
        {
            return AnswerEncoder.EncodeBare(query, DnsResponseCode.NoError,
                DnsFlags.RecursionAvailable | DnsFlags.Truncated, echoEdns: true, reply.Span);
        }
        answer.CopyTo(reply);
        Span<byte> span = reply.Span;
        BinaryPrimitives.WriteUInt16BigEndian(span, query.Header.Id);
        const int FlagsAt = 2;
        int flags = BinaryPrimitives.ReadUInt16BigEndian(span[FlagsAt..]) | (int)DnsFlags.RecursionAvailable;
        BinaryPrimitives.WriteUInt16BigEndian(span[FlagsAt..], (ushort)flags);
        // Askers that mix letters against forgery want them back, whatever the recursor made of them.
        Span<byte> name = span.Slice(DnsLimits.HeaderBytes, query.Name.Length);
        if (DnsName.EqualsIgnoreCase(name, query.Name))
        {
            query.Name.CopyTo(name);
        }
        return answer.Length;
    }

    private static byte[] Question(byte[] name)
    {
        var buffer = new byte[DnsLimits.PlainUdpBytes];
        var writer = new DnsMessageWriter(buffer, []);
        writer.SetHeader(0, DnsFlags.RecursionDesired, DnsResponseCode.NoError);
        writer.SetCounts(1, 0, 0, 0);
        writer.WriteQuestion(name, DnsType.A, DnsClass.Internet);
        return buffer[..writer.Length];
    }

    private static DnsResponseCode CodeOf(byte[] answer) =>
        new DnsMessageReader(answer).TryReadHeader(out DnsHeader header)
            ? header.ResponseCode : DnsResponseCode.ServerFailure;

    private static DnsResource[] RecordsIn(byte[] answer)
    {
        var records = new List<DnsResource>();
        Span<byte> name = stackalloc byte[DnsLimits.NameBytesMax];
        var reader = new DnsMessageReader(answer);
        bool isSound = reader.TryReadHeader(out DnsHeader header) && reader.TryReadQuestion(out _);
        for (int i = 0; i < header.Answers && isSound; i++)
        {
            isSound = reader.TryReadRecord(out DnsRecord record);
            if (isSound && reader.TryExpandName(record.OwnerOffset, name, out int bytes, out _)
                && ToResource(ref reader, answer, record, name[..bytes].ToArray()) is { } resource)
            {
                records.Add(resource);
            }
        }
        return [.. records];
    }

    private static DnsResource? ToResource(
        ref DnsMessageReader reader, byte[] answer, DnsRecord record, byte[] owner)
    {
        ReadOnlySpan<byte> data = answer.AsSpan(record.DataOffset, record.DataLength);
        const int IPv4Bytes = 4, IPv6Bytes = 16;
        if (record.Type == DnsType.A && data.Length == IPv4Bytes
            || record.Type == DnsType.Aaaa && data.Length == IPv6Bytes)
        {
            return DnsResource.ForAddress(owner, record.Ttl, new IPAddress(data));
        }
        Span<byte> target = stackalloc byte[DnsLimits.NameBytesMax];
        return record.Type == DnsType.Cname && reader.TryExpandName(record.DataOffset, target, out int bytes, out _)
            ? DnsResource.ForName(owner, DnsType.Cname, record.Ttl, target[..bytes].ToArray()) : null;
    }
}
