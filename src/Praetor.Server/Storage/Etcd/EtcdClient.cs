using System.Runtime.CompilerServices;

namespace Praetor.Server.Storage.Etcd;

/// <summary>An etcd that is reached over gRPC.</summary>
/// <remarks>
/// <para>Of several endpoints one is used until it fails. A call goes on to the next endpoint only when no connection
/// could be made, for then it was certainly not done; when it failed later, the next call begins elsewhere.</para>
/// <para>May be used by many callers at once; all share one connection to each endpoint.</para>
/// </remarks>
public sealed class EtcdClient : IEtcd
{
    private const string Txn = "etcdserverpb.KV/Txn";
    private const string Compact = "etcdserverpb.KV/Compact";
    private const string Watch = "etcdserverpb.Watch/Watch";
    private const string MemberAdd = "etcdserverpb.Cluster/MemberAdd";
    private const string MemberRemove = "etcdserverpb.Cluster/MemberRemove";
    private const string MemberList = "etcdserverpb.Cluster/MemberList";
    private const string MemberPromote = "etcdserverpb.Cluster/MemberPromote";
    private const string MoveLeader = "etcdserverpb.Maintenance/MoveLeader";
    private const string Status = "etcdserverpb.Maintenance/Status";
    private const string Alarm = "etcdserverpb.Maintenance/Alarm";
    private const string Defragment = "etcdserverpb.Maintenance/Defragment";
    private const int InvalidArgument = 3;
    private const int OutOfRange = 11;
    private const ulong AlarmList = 0;
    private const ulong AlarmOff = 2;
    private const ulong AllMembers = 0;

    private readonly EtcdClientOptions _options;
    private readonly TimeProvider _time;
    private readonly EtcdTransport[] _transports;
    private readonly EtcdLane[] _lanes;
    private readonly Lock _laneGate = new();
    private int _current;

    /// <param name="options">Where it is; they have no problems.</param>
    /// <param name="time">Measures the limits.</param>
    /// <exception cref="System.Security.Cryptography.CryptographicException">A certificate cannot be read.</exception>
    public EtcdClient(EtcdClientOptions options, TimeProvider time)
    {
        (_options, _time) = (options, time);
        _transports = [.. options.Endpoints.Select(endpoint => new EtcdTransport(endpoint, options))];
        _lanes = [.. options.Endpoints.Select(endpoint => new EtcdLane(endpoint, options, time))];
    }

    /// <inheritdoc/>
    public async Task<EtcdTxnAnswer> CommitAsync(EtcdTxn txn, CancellationToken stop) => Checked(
        txn,
        await AskAsync<EtcdTxnAnswer>(Txn, RequestOf(txn), EtcdAnswers.TryReadTxn, _options.CallLimit, stop));

    /// <inheritdoc/>
    public EtcdTxnAnswer Commit(EtcdTxn txn, TimeSpan within)
    {
        var request = RequestOf(txn);
        lock (_laneGate)
        {
            var at = Volatile.Read(ref _current);
            try
            {
                return Checked(txn, _lanes[at].Ask(request, within));
            }
            catch (EtcdUnknownException)
            {
                MoveOn(_transports[at]);
                throw;
            }
        }
    }

    /// <inheritdoc/>
    public async IAsyncEnumerable<EtcdEvent> WatchAsync(
        byte[] key, byte[] end, long fromRevision, [EnumeratorCancellation] CancellationToken stop)
    {
        var transport = Transport();
        using var body = new EtcdBody(EtcdRequest.Watch(key, end, fromRevision), staysOpen: true);
        var sending = transport.SendAsync(Watch, body, limit: null, stop);
        using var answer = await OrUnknownAsync(transport, sending, stop);
        await using var stream = await answer.Content.ReadAsStreamAsync(stop);
        using var reader = new EtcdMessageReader(stream, _options.AnswerBytesMax);
        while (await OrUnknownAsync(transport, reader.NextAsync(stop).AsTask(), stop))
        {
            if (!EtcdAnswers.TryReadWatch(reader.Message.Span, out var message))
            {
                throw Malformed(transport);
            }

            foreach (var change in message.Events)
            {
                yield return change;
            }

            if (message.IsCanceled)
            {
                throw EndOf(message);
            }
        }

        MoveOn(transport);
        throw EtcdStatusCode.ProblemOf(answer) ?? new EtcdUnknownException("etcd ended the watch");
    }

    /// <inheritdoc/>
    public Task<EtcdStatus> StatusAsync(CancellationToken stop) => UnknownWhenRefusedAsync(
        AskAsync<EtcdStatus>(Status, EtcdRequest.Numbers(), EtcdAnswers.TryReadStatus, _options.CallLimit, stop));

    /// <inheritdoc/>
    public Task<IReadOnlyList<EtcdMember>> MembersAsync(CancellationToken stop) => UnknownWhenRefusedAsync(
        AskAsync<IReadOnlyList<EtcdMember>>(
            MemberList, EtcdRequest.Numbers(), EtcdAnswers.TryReadMembers, _options.CallLimit, stop));

    /// <inheritdoc/>
    public Task ChangeMembersAsync(EtcdMemberChange change, CancellationToken stop)
    {
        var (method, request) = change switch
        {
            EtcdMemberChange.AddLearner add => (MemberAdd, EtcdRequest.AddLearner(add.PeerUrl)),
            EtcdMemberChange.Promote promote => (MemberPromote, EtcdRequest.Numbers(promote.Id)),
            EtcdMemberChange.Remove remove => (MemberRemove, EtcdRequest.Numbers(remove.Id)),
            EtcdMemberChange.MoveLeader move => (MoveLeader, EtcdRequest.Numbers(move.Id)),
            _ => throw new NotSupportedException($"{change.GetType().Name} is no change of members"),
        };

        // One that was asked for while no member led is lost, and etcd would wait for it as long as it may.
        return AskAsync<bool>(method, request, EtcdAnswers.TryReadNothing, _options.CallLimit, stop);
    }

    /// <inheritdoc/>
    public Task CompactAsync(long revision, CancellationToken stop)
    {
        // Only the physical one waits until the room is free.
        const ulong IsPhysical = 1;
        return DoAsync(Compact, EtcdRequest.Numbers((ulong)revision, IsPhysical), stop);
    }

    /// <inheritdoc/>
    public Task DefragmentAsync(CancellationToken stop) => AskAsync<bool>(
        Defragment, EtcdRequest.Numbers(), EtcdAnswers.TryReadNothing, EtcdClientOptions.DefragmentLimit, stop);

    /// <inheritdoc/>
    public async Task ClearSpaceAlarmAsync(CancellationToken stop)
    {
        var list = EtcdRequest.Numbers(AlarmList, AllMembers, EtcdAnswers.NoSpaceAlarm);
        var members = await AskAsync<List<ulong>>(
            Alarm, list, EtcdAnswers.TryReadMembersWithoutSpace, _options.CallLimit, stop);
        foreach (var member in members)
        {
            await DoAsync(Alarm, EtcdRequest.Numbers(AlarmOff, member, EtcdAnswers.NoSpaceAlarm), stop);
        }
    }

    /// <summary>Closes the connections; calls under way fail.</summary>
    public void Dispose()
    {
        foreach (var transport in _transports)
        {
            transport.Dispose();
        }

        lock (_laneGate)
        {
            foreach (var lane in _lanes)
            {
                lane.Dispose();
            }
        }
    }

    // Something between us and an etcd may make an empty answer of a broken one.
    private static EtcdTxnAnswer Checked(EtcdTxn txn, EtcdTxnAnswer answer) =>
        answer.Answers.Count == (answer.Succeeded ? txn.Then : txn.Else).Count
            ? answer
            : throw new EtcdUnknownException("the answer has another number of parts than what was asked");

    private EtcdRequest RequestOf(EtcdTxn txn)
    {
        var size = EtcdRequest.SizeOf(txn);
        return size <= _options.RequestBytesMax
            ? EtcdRequest.Of(txn, (int)size)
            : throw new EtcdRefusedException(
                $"the transaction is too large: it has {size} bytes, more than {_options.RequestBytesMax}",
                InvalidArgument);
    }

    private static Exception EndOf(EtcdWatchAnswer message) => message.CompactedTo > 0
        ? new EtcdRefusedException(
            $"etcd has compacted what the watch asks for; it has what follows {message.CompactedTo}", OutOfRange)
        : new EtcdUnknownException($"etcd ended the watch: {message.Reason}");

    private static EtcdUnknownException Malformed(EtcdTransport transport) =>
        new($"{transport.Endpoint}: what it answered cannot be read; is this an etcd?");

    // Where nothing is changed there is only an answer or none.
    private static async Task<T> UnknownWhenRefusedAsync<T>(Task<T> asking)
    {
        try
        {
            return await asking;
        }
        catch (EtcdRefusedException refused)
        {
            throw new EtcdUnknownException(refused.Message, refused);
        }
    }

    private Task DoAsync(string method, EtcdRequest request, CancellationToken stop) =>
        AskAsync<bool>(method, request, EtcdAnswers.TryReadNothing, _options.LongCallLimit, stop);

    private async Task<T> AskAsync<T>(
        string method, EtcdRequest request, EtcdDecoder<T> decode, TimeSpan limit, CancellationToken stop)
    {
        using var late = new CancellationTokenSource(limit, _time);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(late.Token, stop);
        for (var tries = 1; ; tries++)
        {
            var transport = Transport();
            try
            {
                var answer = await AskOnceAsync(transport, method, request, decode, limit, either.Token);
                request.Release();
                return answer;
            }
            catch (OperationCanceledException) when (!stop.IsCancellationRequested)
            {
                MoveOn(transport);
                throw new EtcdUnknownException(
                    $"{transport.Endpoint}: no answer to {method} within {limit.TotalSeconds:0.#} s");
            }
            catch (HttpRequestException failure) when (IsUnreachable(failure) && tries < _transports.Length)
            {
                MoveOn(transport);
            }
            catch (Exception failure) when (failure is HttpRequestException or IOException or InvalidDataException)
            {
                MoveOn(transport);
                throw Unknown(transport, failure);
            }
        }
    }

    private async Task<T> AskOnceAsync<T>(
        EtcdTransport transport, string method, EtcdRequest request, EtcdDecoder<T> decode, TimeSpan limit,
        CancellationToken stop)
    {
        using var body = new EtcdBody(request, staysOpen: false);
        using var answer = await transport.SendAsync(method, body, limit, stop);
        await using var stream = await answer.Content.ReadAsStreamAsync(stop);
        using var reader = new EtcdMessageReader(stream, _options.AnswerBytesMax);
        T? message = default;
        var isThere = false;
        while (await reader.NextAsync(stop))
        {
            isThere = decode(reader.Message.Span, out message) ? true : throw Malformed(transport);
        }

        if (EtcdStatusCode.ProblemOf(answer) is { } problem)
        {
            throw problem;
        }

        return isThere ? message! : throw Malformed(transport);
    }

    // For the parts of a stream, which has no limit of its own.
    private async Task<T> OrUnknownAsync<T>(EtcdTransport transport, Task<T> part, CancellationToken stop)
    {
        try
        {
            return await part;
        }
        catch (Exception failure)
            when (failure is HttpRequestException or IOException or InvalidDataException or OperationCanceledException)
        {
            stop.ThrowIfCancellationRequested();
            MoveOn(transport);
            throw Unknown(transport, failure);
        }
    }

    private static EtcdUnknownException Unknown(EtcdTransport transport, Exception failure) =>
        new($"{transport.Endpoint}: {(failure.InnerException ?? failure).Message}", failure);

    // Nothing was sent: such a call was certainly not done.
    private static bool IsUnreachable(HttpRequestException failure) => failure.HttpRequestError is
        HttpRequestError.ConnectionError or HttpRequestError.NameResolutionError
        or HttpRequestError.SecureConnectionError;

    private EtcdTransport Transport() => _transports[Volatile.Read(ref _current)];

    // The next call begins with the next endpoint, unless somebody else has moved on already.
    private void MoveOn(EtcdTransport from)
    {
        var at = Array.IndexOf(_transports, from);
        Interlocked.CompareExchange(ref _current, (at + 1) % _transports.Length, at);
    }
}
