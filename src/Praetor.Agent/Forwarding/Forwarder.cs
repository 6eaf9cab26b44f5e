using System.Collections.Concurrent;
using System.Net;
using Microsoft.Extensions.Logging;
using Praetor.Agent.Telemetry;
using Praetor.Server.State;

namespace Praetor.Agent.Forwarding;

/// <summary>How calls to servers are made.</summary>
internal sealed record ForwarderOptions
{
    /// <summary>Who this agent is, on the way of requests that it passes on.</summary>
    public required Hop Self { get; init; }

    /// <summary>This agent's node id: a server does not call itself.</summary>
    public required string SelfId { get; init; }

    /// <summary>How long to look for a server that answers (<c>performance.rpc_hold_timeout</c>).</summary>
    public TimeSpan Hold { get; init; } = TimeSpan.FromSeconds(7);

    /// <summary>How long an answer may take that waits for nothing (<c>limits.rpc_client_timeout</c>).</summary>
    public TimeSpan AnswerTime { get; init; } = TimeSpan.FromSeconds(60);

    /// <summary>Calls a second (<c>limits.rpc_rate</c>). Negative: no limit.</summary>
    public double Rate { get; init; } = -1;

    /// <summary>Calls at once above that (<c>limits.rpc_max_burst</c>).</summary>
    public int Burst { get; init; } = 1000;

    /// <summary>Where calls are counted. Null: nowhere.</summary>
    public Metrics? Metrics { get; init; }
}

/// <summary>Calls servers: chooses one, leaves it when it fails, and asks another when that does no harm.</summary>
/// <remarks>
/// 1. The directory names the server to ask. 2. When it cannot be reached, or does not answer in time, it goes to the
/// end of the directory's order. 3. A call that certainly did not arrive, and one that does no harm when it is done
/// twice, is made to the next server; all others are told what happened, for nobody knows whether the change was made.
/// 4. When all were tried the search goes on, with short pauses, until the hold time is over: in the own datacenter one
/// of them answers soon, but nobody here makes those of another one come back.
/// </remarks>
internal sealed partial class Forwarder : IDisposable
{
    /// <summary>What is said when no server of the own datacenter is known, in Consul's words.</summary>
    public const string NoServers = "No known Consul servers";

    /// <summary>What is said of a datacenter without a known server.</summary>
    public const string NoPath = "No path to datacenter";

    /// <summary>What is said of a datacenter that is known, but none of its servers lives, in Consul's words.</summary>
    public const string NoneReachable = "Remote DC has no server currently reachable";

    /// <summary>Marks the calls that an agent makes for itself.</summary>
    public const string OwnHeader = "x-praetor-own";

    /// <summary>Marks an answer that says that nothing was done, so that another server may be asked.</summary>
    public const string NotDoneHeader = "x-praetor-not-done";

    /// <summary>What is said when no server leads, in Consul's words.</summary>
    public const string NoLeader = "No cluster leader";

    // Nobody leads yet: elections end within such times.
    private static readonly TimeSpan LeaderPause = TimeSpan.FromMilliseconds(20);

    // All tried servers failed: between so many and twice as many milliseconds until they are tried again.
    private static readonly TimeSpan Pause = TimeSpan.FromMilliseconds(100);

    private readonly ConcurrentDictionary<ServerPeer, ServerLink> _links = new();
    private readonly ServerDirectory _servers;
    private readonly ForwarderOptions _options;
    private readonly TimeProvider _time;
    private readonly Random _random;
    private readonly ILogger _log;
    private readonly string _self;
    private volatile CallRate _rate;
    private ServerPeer? _lostLeader;

    public Forwarder(
        ServerDirectory servers, ForwarderOptions options, TimeProvider time, Random random, ILogger log)
    {
        (_servers, _options, _time, _random, _log) = (servers, options, time, random, log);
        _rate = new CallRate(options.Rate, options.Burst, time);
        _self = HopTrail.None.With(options.Self);
        servers.Left += Leave;
    }

    /// <summary>The server of the own datacenter that is to be asked, null: nobody leads now. Unset: any.</summary>
    public Func<ServerPeer?>? Leader { get; set; }

    /// <summary>Knows datacenters none of whose servers lives. Unset: there are none.</summary>
    public Func<string, bool>? IsDatacenter { get; set; }

    public Hop Self => _options.Self;

    public string SelfId => _options.SelfId;

    /// <summary>Takes over another rate, from a full bucket.</summary>
    public void Limit(double perSecond, int burst) => _rate = new CallRate(perSecond, burst, _time);

    /// <summary>Whether there is such a datacenter, be it that it cannot be reached now.</summary>
    public bool Knows(string datacenter) => _servers.Knows(datacenter) || IsDatacenter?.Invoke(datacenter) == true;

    /// <summary>Makes a call and reads the answer whole.</summary>
    /// <returns>The answer, whatever its status, or why there is none.</returns>
    public async Task<Outcome<ServerReply>> AskAsync(ServerCall call, CancellationToken stop)
    {
        var outcome = await SendAsync(call, stop);
        if (outcome.Refusal is { } refusal)
        {
            return refusal;
        }

        using var answer = outcome.Value;
        try
        {
            return await answer.ReadAsync();
        }
        catch (Exception e) when (IsBroken(e))
        {
            stop.ThrowIfCancellationRequested();
            _servers.Failed(answer.Server);
            return Failed(e, answer.Server);
        }
    }

    /// <summary>Makes a call; ends when the headers of the answer are there.</summary>
    public async Task<Outcome<ServerAnswer>> SendAsync(ServerCall call, CancellationToken stop)
    {
        if (!call.Trail.MayPass(Self, call.Datacenter))
        {
            var hops = string.Join(", ", call.Trail.Hops);
            return Refusal.Failed($"{NoPath}: the request was passed on by {hops} already");
        }

        _options.Metrics?.Count("client.rpc");
        if (!_rate.TryTake())
        {
            _options.Metrics?.Count("client.rpc.exceeded");
            return new Refusal(429, CallRate.Exceeded);
        }

        var begin = _time.GetTimestamp();
        var hold = call.Hold ?? _options.Hold;
        var again = IsHere(call.Datacenter) || hold < RpcLimits.AgainFar ? hold : RpcLimits.AgainFar;
        List<ServerPeer>? tried = null;
        var isLed = IsLed(call);
        var last = isLed ? Refusal.Failed(NoLeader) : Unknown(call.Datacenter);
        while (true)
        {
            if (ChooseFor(call, tried) is not { } server)
            {
                var pause = isLed ? LeaderPause : Pause;
                if ((tried is null && !isLed) || _time.GetElapsedTime(begin) + pause > again)
                {
                    return last;
                }

                await Task.Delay(pause * (1 + Draw()), _time, stop);
                tried = null;
                continue;
            }

            var hasOthers = !isLed && _servers.In(call.Datacenter).Count > 1
                && ChooseFor(call, [server, .. tried ?? []]) is not null;
            var (answer, failure) = await TryAsync(call, server, hasOthers, stop);
            if (answer is not null)
            {
                return answer;
            }

            (tried ??= []).Add(server);
            last = failure!.Refusal;
            if (!failure.MayRepeat || _time.GetElapsedTime(begin) > hold)
            {
                return last;
            }
        }
    }

    /// <summary>Makes a call to one server and reads the answer whole.</summary>
    public async Task<Outcome<ServerReply>> AskServerAsync(ServerCall call, ServerPeer server, CancellationToken stop)
    {
        var (answer, failure) = await TryAsync(call, server, hasOthers: true, stop);
        using (answer)
        {
            try
            {
                return answer is null ? failure!.Refusal : await answer.ReadAsync();
            }
            catch (Exception e) when (IsBroken(e))
            {
                stop.ThrowIfCancellationRequested();
                return Failed(e, server);
            }
        }
    }

    /// <summary>Asks a server, known or not, who it is. Null: it does not answer in time.</summary>
    public async Task<ServerIdentity?> IdentifyAsync(ServerPeer server, CancellationToken stop)
    {
        var call = new ServerCall
        {
            Method = "GET", Target = RpcRoutes.Ping, Datacenter = server.Datacenter, IsOwn = true, IsRepeatable = true,
        };
        var outcome = await AskServerAsync(call, server, stop);
        try
        {
            return outcome is not { Refusal: null, Value.Status: (int)HttpStatusCode.OK } ? null
                : RpcJson.Read(outcome.Value.Body, RpcJson.Default.ServerIdentity);
        }
        catch (System.Text.Json.JsonException)
        {
            return null;
        }
    }

    public void Dispose()
    {
        _servers.Left -= Leave;
        foreach (var server in _links.Keys)
        {
            Leave(server);
        }
    }

    private static bool IsBroken(Exception e) =>
        e is HttpRequestException or IOException or OperationCanceledException or ObjectDisposedException;

    private static Refusal Failed(Exception e, ServerPeer server) => Refusal.Failed(e switch
    {
        HttpRequestException { HttpRequestError: HttpRequestError.ConnectionError } =>
            $"rpc error getting client: failed to get conn: dial tcp {server.Rpc}: {e.GetBaseException().Message}",
        OperationCanceledException => "rpc error making call: i/o deadline reached",
        _ => $"rpc error making call: {e.GetBaseException().Message}",
    });

    private Refusal Unknown(string datacenter) => Refusal.Failed(
        IsHere(datacenter) ? NoServers : Knows(datacenter) ? NoneReachable : NoPath);

    private bool IsLed(ServerCall call) => Leader is not null && IsHere(call.Datacenter);

    private bool IsHere(string datacenter) => Self.Datacenter.Equals(datacenter, StringComparison.OrdinalIgnoreCase);

    private ServerPeer? ChooseFor(ServerCall call, List<ServerPeer>? tried)
    {
        if (IsLed(call))
        {
            return Leader!() is { } leader && tried?.Contains(leader) != true ? leader : null;
        }

        var server = _servers.Choose(call.Datacenter, tried);
        return server is null || server.Id.Length == 0 || server.Id != _options.SelfId ? server
            : _servers.Choose(call.Datacenter, [server, .. tried ?? []]);
    }

    private async Task<(ServerAnswer? Answer, Failure? Failure)> TryAsync(
        ServerCall call, ServerPeer server, bool hasOthers, CancellationToken stop)
    {
        try
        {
            var link = _links.GetOrAdd(
                server, static (s, self) => new ServerLink(s, self._time, self._servers.Failed), this);
            var answer = await ShareAsync(call, link, hasOthers, stop)
                ?? await RequestAsync(call, link, hasOthers, stop);
            if (!answer.IsNotDone || !(hasOthers || IsLed(call)) || call.Stream is not null)
            {
                return (answer, null);
            }

            answer.Dispose();
            _servers.Failed(server);
            return (null, new Failure(Refusal.Failed("rpc error making call: not done"), MayRepeat: true));
        }
        catch (Exception e) when (IsBroken(e))
        {
            stop.ThrowIfCancellationRequested();
            var refusal = Failed(e, server);
            _servers.Failed(server);
            _options.Metrics?.Count("client.rpc.failed", new MetricLabel("server", server.Name));
            if (!IsLed(call))
            {
                // All that wait for an answer, and all that try again, fail alike.
                if (_links.GetValueOrDefault(server)?.TakeTurnToTell() ?? true)
                {
                    Log.Left(_log, server.Name, server.Rpc, refusal.Text);
                }
            }
            else if (Interlocked.Exchange(ref _lostLeader, server) != server)
            {
                // Asked again and again until another one leads; said once.
                Log.Led(_log, server.Name, server.Rpc, refusal.Text);
            }

            // What was disposed left between the choice and the call.
            var wasSent = e is not (HttpRequestException { HttpRequestError: HttpRequestError.ConnectionError }
                or ObjectDisposedException);
            return (null, new Failure(refusal, call.IsRepeatable || !wasSent));
        }
    }

    // Null: it is none of those that share a stream, or its answer does not fit.
    private async ValueTask<ServerAnswer?> ShareAsync(
        ServerCall call, ServerLink link, bool hasOthers, CancellationToken stop)
    {
        if (call.Wait > TimeSpan.Zero || call.IsSeldom || call.IsOfAnySize || !CallFrames.Takes(call))
        {
            return null;
        }

        // A user who leaves is not waited for any more when the answer comes, which is soon; the agent's own calls end
        // with what they are for.
        var calling = link.Calls(_self).CallAsync(call, TrailOf(call), AnswerTime(call, hasOthers));
        var answer = await (call.IsOwn ? calling.WaitAsync(stop) : calling);
        return answer is not { Status: CallFrames.TooLarge } ? answer
            : call.IsRepeatable ? null : throw new IOException("the server's answer is too large");
    }

    private async Task<ServerAnswer> RequestAsync(
        ServerCall call, ServerLink link, bool hasOthers, CancellationToken stop)
    {
        var limit = CancellationTokenSource.CreateLinkedTokenSource(stop, link.Gone);
        try
        {
            using var timer = _time.CreateTimer(
                static state => End((CancellationTokenSource)state!), limit, AnswerTime(call, hasOthers),
                Timeout.InfiniteTimeSpan);
            using var request = RequestFor(call, link);
            var response = await (call.IsWatch && call.Wait > TimeSpan.Zero
                ? link.WatchAsync(request, limit.Token) : link.SendAsync(request, limit.Token));
            limit.CancelAfter(call.IsOfAnySize ? RpcLimits.AnySizeTime : RpcLimits.BodyTime);
            return new RequestedAnswer(response, server: link.Server, limit);
        }
        catch
        {
            limit.Dispose();
            throw;
        }
    }

    // A read that waits for nothing goes to another server when there is one; whatever may have changed something, and
    // the last server, are waited for.
    private TimeSpan AnswerTime(ServerCall call, bool hasOthers) =>
        call.IsOfAnySize ? RpcLimits.AnySizeTime
        : call.Wait > TimeSpan.Zero ? call.Wait + (call.Wait / Http.WaitLimits.JitterFraction) + RpcLimits.WaitMargin
        : call.IsRepeatable && hasOthers ? call.LeaveAfter
        : _options.AnswerTime;

    private string TrailOf(ServerCall call) => call.Trail.Hops.Count == 0 ? _self : call.Trail.With(Self);

    private HttpRequestMessage RequestFor(ServerCall call, ServerLink link)
    {
        // The path goes as it came: what was decoded on the way could name something else there.
        var raw = new UriCreationOptions { DangerousDisablePathAndQueryCanonicalization = true };
        var request = new HttpRequestMessage(MethodOf(call.Method), new Uri(link.Address + call.Target, raw))
        {
            Version = HttpVersion.Version20,
            VersionPolicy = HttpVersionPolicy.RequestVersionExact,
        };
        var headers = request.Headers;
        headers.TryAddWithoutValidation(HopTrail.Header, TrailOf(call));
        if (call.Token.Length > 0)
        {
            headers.TryAddWithoutValidation("x-consul-token", call.Token);
        }

        if (call.IsOwn)
        {
            headers.TryAddWithoutValidation(OwnHeader, "1");
        }

        foreach (var (name, value) in call.Headers)
        {
            headers.TryAddWithoutValidation(name, value);
        }

        request.Content = call.Stream is { } stream ? new StreamContent(stream)
            : call.Body.Length > 0 ? new ReadOnlyMemoryContent(call.Body)
            : null;

        return request;
    }

    private static HttpMethod MethodOf(string method) => method switch
    {
        "GET" => HttpMethod.Get,
        "PUT" => HttpMethod.Put,
        "POST" => HttpMethod.Post,
        "DELETE" => HttpMethod.Delete,
        "HEAD" => HttpMethod.Head,
        _ => new HttpMethod(method),
    };

    private void Leave(ServerPeer server)
    {
        if (_links.TryRemove(server, out var link))
        {
            link.Dispose();
        }
    }

    private static void End(CancellationTokenSource limit)
    {
        try
        {
            limit.Cancel();
        }
        catch (ObjectDisposedException)
        {
            // The answer came at the same moment.
        }
    }

    private double Draw()
    {
        lock (_random)
        {
            return _random.NextDouble();
        }
    }

    private sealed record Failure(Refusal Refusal, bool MayRepeat);

    private static partial class Log
    {
        [LoggerMessage(
            6201, LogLevel.Warning, "a server does not answer, asking others: server={Server} address={Address} {Why}")]
        public static partial void Left(ILogger log, string server, System.Net.IPEndPoint address, string why);

        [LoggerMessage(
            6202, LogLevel.Warning, "the leader does not answer, waiting: server={Server} address={Address} {Why}")]
        public static partial void Led(ILogger log, string server, System.Net.IPEndPoint address, string why);
    }
}
