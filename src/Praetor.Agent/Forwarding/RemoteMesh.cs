using System.Globalization;
using System.Text.Json;
using Microsoft.Extensions.Logging;
using Praetor.Agent.Config;
using Praetor.Agent.Connect;
using Praetor.Agent.Http;
using Praetor.Agent.Http.Endpoints;
using Praetor.Server.Connect;
using Praetor.Server.Intentions;
using Praetor.Server.Model;
using Praetor.Server.State;

namespace Praetor.Agent.Forwarding;

/// <summary>The mesh as a client agent has it: certificates whose keys are made here and that servers sign, and roots
/// and intentions as they told it last.</summary>
internal sealed class RemoteMesh : IMeshView, IAsyncDisposable
{
    private const string Roots = "/v1/connect/ca/roots";

    private readonly CancellationTokenSource _stop = new();
    private readonly Forwarder _forwarder;
    private readonly WatchCache _cache;
    private readonly AgentConfig _config;
    private readonly Func<string> _token;
    private readonly TimeProvider _time;
    private readonly Random _waits;
    private readonly LeafCache _leaves;
    private IDisposable? _roots;

    public RemoteMesh(
        Forwarder forwarder, WatchCache cache, AgentConfig config, Func<string> token, TimeProvider time,
        Random random, ILogger log)
    {
        (_forwarder, _cache, _config, _token, _time) = (forwarder, cache, config, token, time);

        // A Random is used under its user's lock, so each user has its own.
        _waits = new Random(random.Next());
        _leaves = new LeafCache(SignAsync, IdentityAsync, time, new Random(random.Next()), log);
    }

    /// <summary>Begins to watch the roots: when another one signs, certificates are renewed.</summary>
    public void Start()
    {
        if (_config.Connect.IsEnabled)
        {
            _roots = _cache.Follow(RootsKey(""), kept => _leaves.RootsChanged(kept.As(DecodeRoots).ActiveRootId));
        }
    }

    public void AddRoutes(RouteTable routes, OutsideProxies proxies)
    {
        var waits = new WaitLimits(_config.Http.DefaultQueryTime, _config.Http.MaxQueryTime);
        routes.Handle("GET", "/v1/agent/connect/ca/roots", AclRequirement.None,
            request => RootsAsync(request, waits), "The root certificates that the mesh trusts, for proxies.");
        AddServiceRoutes(routes, proxies);
    }

    /// <summary>Adds only the rows about this agent's own services: the roots are told by others.</summary>
    public void AddServiceRoutes(RouteTable routes, OutsideProxies proxies)
    {
        var waits = new WaitLimits(_config.Http.DefaultQueryTime, _config.Http.MaxQueryTime);
        new AgentConnectEndpoints(this, _leaves, new AgentConnectSettings
        {
            IsEnabled = _config.Connect.IsEnabled,
            Proxies = proxies,
            ByDefault = MeshServer.DefaultPolicyOf(_config.Acl),
            Waits = waits,
            Random = _waits,
            Time = _time,
            Stop = _stop.Token,
        }).AddTo(routes);
    }

    public async ValueTask<Outcome<MeshView>> ReadAsync(CancellationToken stop)
    {
        var intentions = await _cache.GetAsync(
            new WatchKey(_config.Datacenter, RpcRoutes.Intentions, _token()), stop);
        if (intentions.Reply is not { } known)
        {
            return intentions.Refusal!;
        }

        string? trustDomain = null;
        if (_config.Connect.IsEnabled)
        {
            var roots = await _cache.GetAsync(RootsKey(""), stop);
            if (roots.Reply is null)
            {
                return roots.Refusal!;
            }

            trustDomain = roots.Reply.As(DecodeRoots).TrustDomain;
        }

        return new MeshView(trustDomain, known.As(DecodeIntentions));
    }

    public async ValueTask DisposeAsync()
    {
        _roots?.Dispose();
        await _stop.CancelAsync();
        await _leaves.DisposeAsync();
        _stop.Dispose();
    }

    private static IntentionBook DecodeIntentions(byte[] body) =>
        IntentionBooks.Of(RpcJson.Read(body, RpcJson.Default.IReadOnlyListConfigEntryRecord));

    private static CaRootsAnswer DecodeRoots(byte[] body) =>
        RpcJson.Read(body, ConnectJson.Default.CaRootsAnswer);

    private WatchKey RootsKey(string parameters) => new(_config.Datacenter, Roots + parameters, _token(), IsOwn: false);

    private async ValueTask<SpiffeService> IdentityAsync(string service, CancellationToken stop)
    {
        var roots = await _cache.GetAsync(RootsKey(""), stop);
        return roots.Reply is { } known
            ? new SpiffeService(known.As(DecodeRoots).TrustDomain, "default", _config.Datacenter, service)
            : throw new InvalidOperationException(roots.Refusal?.Text ?? MeshAuthority.Uninitialized);
    }

    private async Task<Outcome<IssuedLeaf>> SignAsync(
        string service, string csr, string token, CancellationToken stop)
    {
        var outcome = await _forwarder.AskAsync(
            new ServerCall
            {
                Method = "POST",
                Target = RpcRoutes.Sign,
                Datacenter = _config.Datacenter,
                Token = token.Length > 0 ? token : _token(),
                Body = JsonSerializer.SerializeToUtf8Bytes(new SignRequest(service, csr), RpcJson.Default.SignRequest),
                IsOwn = true,

                // Two certificates for one key do no harm.
                IsRepeatable = true,
            },
            stop);
        if (outcome.Refusal is { } refusal)
        {
            return refusal;
        }

        var reply = outcome.Value;
        if (reply.Status != 200)
        {
            return reply.Refused();
        }

        var signed = RpcJson.Read(reply.Body, RpcJson.Default.SignedLeaf);
        return signed.Leaf with { RootId = signed.RootId };
    }

    // None for what this agent keeps for itself anyway. The server passes on what is for another datacenter.
    private string RootsParameters(ApiRequest request)
    {
        var parameters = (request.Query.Has("pem"), request.Pretty) switch
        {
            (true, _) => "&pem=" + Uri.EscapeDataString(request.Query["pem"]),
            (_, true) => "&pretty",
            _ => "",
        };
        parameters += request.Datacenter is { Length: > 0 } named
            && !named.Equals(_config.Datacenter, StringComparison.OrdinalIgnoreCase)
                ? "&dc=" + Uri.EscapeDataString(named) : "";
        return parameters.Length == 0 ? "" : string.Concat("?", parameters.AsSpan(1));
    }

    private async ValueTask<Reply> RootsAsync(ApiRequest request, WaitLimits waits)
    {
        if (!ReadOptions.TryParse(request.Query, out var options, out var problem))
        {
            return Reply.BadRequest(problem);
        }

        var key = RootsKey(RootsParameters(request));
        using var end = CancellationTokenSource.CreateLinkedTokenSource(request.Aborted, _stop.Token);
        var outcome = options.Index == 0
            ? await _cache.GetAsync(key, end.Token)
            : await _cache.WaitAsync(key, options.Index, waits.Of(options.Wait, _waits), end.Token);
        return outcome.Reply is not { } kept ? Reply.Refused(outcome.Refusal!)
            : new Reply(kept.Reply.Status, kept.Reply.ContentType, kept.Reply.Body)
                .With("X-Consul-Index", kept.Index.ToString(CultureInfo.InvariantCulture))
                .With("X-Cache", outcome.IsHit ? "HIT" : "MISS");
    }
}
