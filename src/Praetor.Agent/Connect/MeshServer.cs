using System.Text;
using System.Text.Json.Nodes;
using Languages;
using Microsoft.Extensions.Logging;
using Praetor.Agent.Config;
using Praetor.Agent.Http;
using Praetor.Agent.Http.Endpoints;
using Praetor.Agent.Local;
using Praetor.Server.ConfigEntries;
using Praetor.Server.Connect;
using Praetor.Server.Intentions;
using Praetor.Server.Queries;
using Praetor.Server.State;

namespace Praetor.Agent.Connect;

/// <summary>The mesh as a server and its agent know it: certificates, intentions, configuration entries.</summary>
internal sealed partial class MeshServer : IMeshView, IAsyncDisposable
{
    /// <summary>What the certificate endpoints answer when the mesh is off.</summary>
    public const string Disabled = "Connect must be enabled in order to use this endpoint";

    // A root leaves days after it was rotated out, so an hour is soon enough.
    private static readonly TimeSpan PruneEvery = TimeSpan.FromHours(1);

    private readonly CancellationTokenSource _stop = new();
    private readonly StateStore _store;
    private readonly QueryHub _hub;
    private readonly AgentConfig _config;
    private readonly TimeProvider _time;
    private readonly ILogger _log;
    private readonly Random _waits;
    private readonly IntentionBooks _books = new();
    private readonly MeshAuthority _authority;
    private readonly LeafCache _leaves;
    private Task _loops = Task.CompletedTask;

    /// <summary>A mesh without routes; call <see cref="InitializeAsync"/> before serving.</summary>
    public MeshServer(
        StateStore store, QueryHub hub, NodeIdentity node, AgentConfig config, TimeProvider time, Random random,
        ILogger log)
    {
        _store = store;
        _hub = hub;
        _config = config;
        _time = time;
        _log = log;

        // A Random is used under its user's lock, so each user has its own.
        _waits = new Random(random.Next());
        _authority = new MeshAuthority(store, node.Datacenter, time, log);
        _leaves = new LeafCache(
            (service, csr, _, stop) => _authority.SignAsync(service, csr, stop), IdentityOf, time,
            new Random(random.Next()), log);
    }

    /// <summary>Signs for this agent and others.</summary>
    public MeshAuthority Authority => _authority;

    /// <inheritdoc/>
    public ValueTask<Outcome<MeshView>> ReadAsync(CancellationToken stop)
    {
        var book = _books.Of(new ReadView(_store.Current, tracks: false));
        return ValueTask.FromResult<Outcome<MeshView>>(new MeshView(_authority.Current?.TrustDomain, book));
    }

    /// <summary>Writes the configured entries that are not there yet, and sets up the certificate authority when the
    /// mesh is on and has none. Whoever leads does it, again for each leadership.</summary>
    /// <exception cref="FormatException">A configured entry is wrong, or cannot be written.</exception>
    public async Task InitializeAsync(CancellationToken stop)
    {
        await BootstrapAsync(_config.ConfigEntries);
        if (!_config.Connect.IsEnabled)
        {
            return;
        }

        var given = CaConfigOf(_config.Connect.CaConfig);
        var clusterId = TakeClusterId(given) ?? Guid.NewGuid().ToString("D");
        var configuration = CertificateAuthority.DefaultConfiguration(given);
        if (_config.Connect.CaProvider is { Length: > 0 } provider)
        {
            configuration = configuration with { Provider = provider };
        }

        await _authority.InitializeAsync(clusterId, configuration, stop);
        lock (_stop)
        {
            if (!_stop.IsCancellationRequested && _loops.IsCompleted)
            {
                _loops = Task.WhenAll(FollowRootsAsync(), PruneAsync());
            }
        }
    }

    /// <summary>Writes those of the configured entries that are not there yet.</summary>
    /// <exception cref="FormatException">One is wrong, or cannot be written.</exception>
    public async Task BootstrapAsync(IReadOnlyList<ConfigNode> entries)
    {
        foreach (var node in entries)
        {
            await WriteBootstrapAsync(node);
        }
    }

    /// <summary>Adds the rows about the state to the API.</summary>
    public void AddRoutes(RouteTable routes)
    {
        new ConnectCaEndpoints(_store, _authority, _config.Connect.IsEnabled, _time).AddTo(routes);
        new IntentionEndpoints(_store, _books, DefaultPolicyOf(_config.Acl), _time).AddTo(routes);
        new ConfigEndpoints(_store).AddTo(routes);
    }

    /// <summary>Adds the rows for this agent's own services, for an agent that has the state itself.</summary>
    /// <param name="routes">Where the rows go.</param>
    /// <param name="proxies">Told of who asks for certificates.</param>
    public void AddAgentRoutes(RouteTable routes, OutsideProxies proxies)
    {
        var waits = new WaitLimits(_config.Http.DefaultQueryTime, _config.Http.MaxQueryTime);
        new AgentConnectEndpoints(this, _leaves, new AgentConnectSettings
        {
            IsEnabled = _config.Connect.IsEnabled,
            Proxies = proxies,
            ByDefault = DefaultPolicyOf(_config.Acl),
            Waits = waits,
            Random = _waits,
            Time = _time,
            Stop = _stop.Token,
        }).AddTo(routes);
    }

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync();
        await _leaves.DisposeAsync();
        await _loops;
        _stop.Dispose();
    }

    internal static DefaultPolicy DefaultPolicyOf(AclConfig acl) => acl.DefaultIntentionPolicy.Length > 0
        ? DefaultPolicy.FromSetting(acl.DefaultIntentionPolicy == "allow")
        : DefaultPolicy.FromAcl(!acl.IsEnabled || acl.DefaultPolicy == "allow");

    // A block of HCL may have become a list of one object.
    private static JsonObject? CaConfigOf(ConfigNode? node)
    {
        var given = node is { Items.Count: > 0 } ? node.Items[0] : node;
        return given is null ? null : JsonNode.Parse(given.ToJson()) as JsonObject;
    }

    // The cluster's id stands among the provider's settings in files, and nowhere afterwards.
    private static string? TakeClusterId(JsonObject? given)
    {
        const string Key = "cluster_id";
        var id = given?[Key] is JsonValue value && value.TryGetValue<string>(out var text) && text.Length > 0
            ? text
            : null;
        given?.Remove(Key);
        return id;
    }

    private ValueTask<SpiffeService> IdentityOf(string service, CancellationToken stop) =>
        _authority.Current is { } ready
            ? ValueTask.FromResult(ready.Signer.IdentityOf(service))
            : throw new InvalidOperationException(MeshAuthority.Uninitialized);

    private async Task WriteBootstrapAsync(ConfigNode node)
    {
        if (!ConfigEntryReader.TryRead(JsonNode.Parse(node.ToJson()), out var entry, out var refusal))
        {
            throw new FormatException($"{node.At}: a config entry to bootstrap is wrong: {refusal.Text}");
        }

        // With cas 0 an entry that is there stays as its users made it.
        var outcome = await _store.SubmitAsync(new PutConfigEntry(entry, cas: 0));
        if (outcome.Refusal is { } refused)
        {
            throw new FormatException(
                $"{node.At}: the config entry {entry.Kind} \"{entry.Name}\" cannot be written: {refused.Text}");
        }
    }

    private Task FollowRootsAsync() => _hub.FollowAsync("mesh active root", ActiveRoot, answer =>
    {
        if (answer.Body.Length > 0)
        {
            _leaves.RootsChanged(Encoding.UTF8.GetString(answer.Body));
        }
    }, _stop.Token);

    private static QueryAnswer ActiveRoot(ReadView view)
    {
        var document = CaQueries.Document(view);
        return new QueryAnswer(view.Index, 200, Reply.TextType, Encoding.UTF8.GetBytes(document?.Active.Id ?? ""));
    }

    private async Task PruneAsync()
    {
        while (!_stop.IsCancellationRequested)
        {
            try
            {
                await Task.Delay(PruneEvery, _time, _stop.Token);
                await _authority.PruneAsync();
            }
            catch (OperationCanceledException) when (_stop.IsCancellationRequested)
            {
                return;
            }
            catch (Exception e) // supervisor: an old root may stay an hour longer
            {
                Log.NotPruned(_log, e.Message);
            }
        }
    }

    private static partial class Log
    {
        [LoggerMessage(
            EventId = 6121,
            Level = LogLevel.Warning,
            Message = "Old root certificates could not be removed; trying again in an hour: {Reason}")]
        public static partial void NotPruned(ILogger log, string reason);
    }
}
