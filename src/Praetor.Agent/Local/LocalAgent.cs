using Microsoft.Extensions.Logging;
using Praetor.Agent.Checks;
using Praetor.Server.Model;
using Praetor.Server.State;

namespace Praetor.Agent.Local;

/// <summary>What an agent has on its own machine: services, their checks, and their way into the catalog.</summary>
/// <remarks>An operation answers when it is durable here and, unless the catalog is away, visible there.</remarks>
public sealed partial class LocalAgent : IAsyncDisposable
{
    /// <summary>How long a registration waits for the catalog; what takes longer is brought there later.</summary>
    public static readonly TimeSpan CatalogWait = TimeSpan.FromSeconds(10);

    private readonly LocalDatabase? _database;
    private readonly LocalDocuments _kept;
    private readonly CheckWiring _checks;
    private readonly LocalAliases _aliases;
    private readonly TimeProvider _time;
    private readonly ILogger _log;
    private readonly Lock _managing = new();
    private volatile LocalAgentOptions _options;
    private volatile CheckCertificates? _certificates;
    private volatile IReadOnlyList<LocalService> _managed = [];

    /// <exception cref="IOException">What clients registered before cannot be read.</exception>
    public LocalAgent(
        LocalAgentOptions options, ICatalog catalog, TimeProvider time, Random random, ILoggerFactory logs)
    {
        _options = options;
        _time = time;
        _log = logs.CreateLogger("agent");
        if (options.DataDir is { } folder)
        {
            _database = new LocalDatabase(Path.Combine(folder, "local.db"));
            _database.Failed += e => Failed?.Invoke(e);
        }

        _kept = LocalDocuments.Decode(_database?.Load() ?? []);
        State = new LocalState(_database, time);
        State.Restore(_kept);
        Watches = new LocalWatches(State);
        Tokens = new AgentTokens(_database, _kept.Tokens);
        _aliases = new LocalAliases(State, options.Node.Name, catalog);
        _checks = new CheckWiring(State, sink => new CheckEngine(
            new CheckEngineOptions
            {
                // Each has its own draw: a Random is not for several threads.
                Random = new Random(random.Next()),
                Time = time,
                Certificates = () => _certificates,
                Deregister = Reap,
            },
            sink,
            _aliases,
            logs.CreateLogger("agent")));
        AntiEntropy = new AntiEntropy(
            State, catalog, options.Node, options.AntiEntropy, time, new Random(random.Next()),
            logs.CreateLogger("agent.anti_entropy"));
        State.Changed += OnChanged;
    }

    /// <summary>Told, once, when durability cannot be promised any more: the process must end.</summary>
    public event Action<IOException>? Failed;

    /// <summary>Told whenever <see cref="ManagedProxies"/> is another list.</summary>
    public event Action? ManagedProxiesChanged;

    public LocalState State { get; }

    public LocalWatches Watches { get; }

    public AntiEntropy AntiEntropy { get; }

    public AgentTokens Tokens { get; }

    public LocalAgentOptions Options => _options;

    /// <summary>What checks that speak TLS show and trust from now on. Null: nothing, and the roots of the
    /// machine.</summary>
    public CheckCertificates? CheckCertificates
    {
        get => _certificates;
        set => _certificates = value;
    }

    /// <summary>The sidecars that the agent runs itself, by id.</summary>
    public IReadOnlyList<LocalService> ManagedProxies => _managed;

    /// <summary>Takes up what survived and what files say, brings it into the catalog, and runs the checks.</summary>
    /// <exception cref="FormatException">The files define what this agent may not run.</exception>
    public async Task StartAsync(CancellationToken stop)
    {
        if (ForbiddenOf(_options) is { } forbidden)
        {
            throw new FormatException(forbidden);
        }

        DropForbidden();
        LoadFiles(_options, out _);
        _checks.KeepsOutput = !_options.DiscardCheckOutput;
        await _checks.StartAsync(_kept.TtlStates);
        RefreshManaged();
        await AntiEntropy.CompareAsync(stop);
        AntiEntropy.Start();
    }

    /// <summary>Takes over what changed in the files; what clients registered stays as it is.</summary>
    /// <returns>Why not, and nothing was changed; null: it was.</returns>
    /// <exception cref="IOException">It could not be written.</exception>
    public async Task<string?> ReloadAsync(LocalAgentOptions options)
    {
        // Whether scripts may run is decided at the start.
        if (ForbiddenOf(options with { Scripts = _options.Scripts }) is { } forbidden)
        {
            return forbidden;
        }

        _options = options with { Node = _options.Node, DataDir = _options.DataDir, Scripts = _options.Scripts };
        _checks.KeepsOutput = !options.DiscardCheckOutput;
        LoadFiles(options, out var durable);
        RefreshManaged();
        await SettledAsync(durable);
        return null;
    }

    /// <summary>Registers a service with its checks and its sidecar.</summary>
    /// <returns>Why not; null: it is in the catalog and durable here.</returns>
    /// <exception cref="IOException">It could not be written.</exception>
    public async ValueTask<Refusal?> RegisterAsync(ServicePlan plan)
    {
        if ((Forbidden(plan.Checks) ?? Forbidden(plan.Sidecar?.Checks)) is { } forbidden)
        {
            return Refusal.Failed(forbidden);
        }

        if (ManagedProxyRules.Problem(plan, _options.Node) is { } reach)
        {
            return Refusal.BadRequest(reach);
        }

        var refusal = State.Edit(editor => plan.Apply(editor, _options.SidecarPorts), out var durable);
        if (refusal is not null)
        {
            return Refusal.Failed(refusal);
        }

        await SettledAsync(durable);
        return null;
    }

    /// <summary>Registers a check of the node or, with a service id in its spec, of that service.</summary>
    /// <exception cref="IOException">It could not be written.</exception>
    public async ValueTask<Refusal?> RegisterAsync(CheckPlan plan)
    {
        if (Forbidden([plan]) is { } forbidden)
        {
            return Refusal.Failed(forbidden);
        }

        var refusal = State.Edit(editor => Put(editor, plan, LocalOrigin.Api), out var durable);
        if (refusal is not null)
        {
            return refusal;
        }

        await SettledAsync(durable);
        return null;
    }

    /// <summary>Takes a service out, with its checks and its sidecar; false: there is none.</summary>
    public async ValueTask<bool> DeregisterServiceAsync(string id)
    {
        var found = false;
        State.Edit(editor => { found = editor.RemoveService(id); }, out var durable);
        if (found)
        {
            Log.Removed(_log, "service", id);
            await SettledAsync(durable);
        }

        return found;
    }

    /// <summary>Takes a check out; false: there is none.</summary>
    public async ValueTask<bool> DeregisterCheckAsync(string id)
    {
        var found = false;
        State.Edit(editor => { found = editor.RemoveCheck(id); }, out var durable);
        if (found)
        {
            Log.Removed(_log, "check", id);
            await SettledAsync(durable);
        }

        return found;
    }

    /// <summary>A client reports for a TTL check; false: there is no such check.</summary>
    public async ValueTask<bool> ReportAsync(string checkId, CheckStatus status, string output)
    {
        // The check may have been registered a moment ago.
        await _checks.SettledAsync();
        if (!_checks.Report(checkId, status, output, out var durable))
        {
            return false;
        }

        await SettledAsync(durable);
        return true;
    }

    /// <summary>Takes a service out of use, or back into it; false: there is no such service.</summary>
    public async ValueTask<bool> MaintainServiceAsync(string id, bool enable, string reason)
    {
        var found = State.Edit(editor => Maintain(editor, id, enable, reason), out var durable) is null;
        if (found)
        {
            Log.Maintenance(_log, enable ? "entered" : "left", id);
            await SettledAsync(durable);
        }

        return found;
    }

    /// <summary>Takes the node out of use, or back into it.</summary>
    public async ValueTask MaintainNodeAsync(bool enable, string reason)
    {
        void Change(LocalEditor editor)
        {
            if (!enable)
            {
                editor.RemoveCheck(Maintenance.NodeCheckId);
            }
            else if (!editor.Now.Checks.ContainsKey(Maintenance.NodeCheckId))
            {
                editor.Put(Maintenance.OfNode(_options.Node.Name, reason));
            }
        }

        State.Edit(Change, out var durable);
        Log.Maintenance(_log, enable ? "entered" : "left", "node");
        await SettledAsync(durable);
    }

    public async ValueTask DisposeAsync()
    {
        State.Changed -= OnChanged;
        await _checks.DisposeAsync();
        await AntiEntropy.DisposeAsync();
        _aliases.Dispose();
        _database?.Dispose();
    }

    private static string? Maintain(LocalEditor editor, string id, bool enable, string reason)
    {
        if (!editor.Now.Services.TryGetValue(id, out var service))
        {
            return "unknown";
        }

        var check = Maintenance.ServiceCheckId(id);
        if (!enable)
        {
            editor.RemoveCheck(check);
        }
        else if (!editor.Now.Checks.ContainsKey(check))
        {
            editor.Put(Maintenance.OfService(service.Record, reason));
        }

        return null;
    }

    private Refusal? Put(LocalEditor editor, CheckPlan plan, LocalOrigin origin)
    {
        var spec = plan.Spec;
        if (spec.Id.Length == 0)
        {
            return Refusal.BadRequest("Missing check name");
        }

        LocalService? service = null;
        if (spec.ServiceId.Length > 0 && !editor.Now.Services.TryGetValue(spec.ServiceId, out service))
        {
            return new Refusal(404, $"ServiceID \"{spec.ServiceId}\" does not exist");
        }

        editor.PutKeepingStatus(new LocalCheck
        {
            Record = new CheckRecord
            {
                Node = _options.Node.Name,
                Id = spec.Id,
                Name = spec.Name,
                Status = plan.Status.Length > 0 ? plan.Status : CheckStatuses.Critical,
                Notes = plan.Notes,
                ServiceId = spec.ServiceId,
                ServiceName = service?.Record.Name ?? "",
                ServiceTags = service?.Record.Tags,
                Type = spec.TypeText,
            },
            Spec = spec,
            Token = plan.Token,
            Origin = origin,
        });
        return null;
    }

    private void LoadFiles(LocalAgentOptions options, out Task durable) => State.Edit(
        editor => LoadFiles(editor, options), out durable);

    private void LoadFiles(LocalEditor editor, LocalAgentOptions options)
    {
        var services = options.Services
            .Concat(options.Services.Select(static p => p.Sidecar).OfType<ServicePlan>())
            .Select(static p => p.Service.Record.Id)
            .ToHashSet(StringComparer.Ordinal);
        foreach (var gone in editor.Now.Services.Values
            .Where(s => s.Origin == LocalOrigin.ConfigFile && !services.Contains(s.Record.Id)).ToList())
        {
            editor.RemoveService(gone.Record.Id);
        }

        foreach (var plan in options.Services)
        {
            if (plan.Apply(editor, options.SidecarPorts) is { } problem)
            {
                Log.FileRefused(_log, plan.Service.Record.Id, problem);
            }
        }

        LoadChecks(editor, options);
    }

    private void LoadChecks(LocalEditor editor, LocalAgentOptions options)
    {
        var carried = options.Services.Select(static p => p.Service.Record.Id).ToHashSet(StringComparer.Ordinal);
        var ids = options.Checks.Select(static c => c.Spec.Id).ToHashSet(StringComparer.Ordinal);
        foreach (var gone in editor.Now.Checks.Values
            .Where(c => c.Origin == LocalOrigin.ConfigFile && !ids.Contains(c.Record.Id)
                && c.Record.ServiceId.Length == 0).ToList())
        {
            editor.RemoveCheck(gone.Record.Id);
        }

        foreach (var plan in options.Checks)
        {
            if (Put(editor, plan, LocalOrigin.ConfigFile) is { } problem)
            {
                Log.FileRefused(_log, plan.Spec.Id, problem.Text);
            }
        }

        // What survived for a service that is in no file any more has nothing to speak for.
        foreach (var orphan in editor.Now.Checks.Values
            .Where(c => c.Record.ServiceId.Length > 0 && !editor.Now.Services.ContainsKey(c.Record.ServiceId)
                && !carried.Contains(c.Record.ServiceId)).ToList())
        {
            editor.RemoveCheck(orphan.Record.Id);
        }
    }

    private static string? ForbiddenOf(LocalAgentOptions options)
    {
        var checks = options.Services
            .SelectMany(static plan => (plan.Checks ?? []).Concat(plan.Sidecar?.Checks ?? []))
            .Concat(options.Checks);
        return FirstForbidden(checks, CheckOrigin.ConfigFile, options.Scripts);
    }

    private static string? FirstForbidden(IEnumerable<CheckPlan> plans, CheckOrigin origin, ScriptChecks allowed) =>
        plans.Select(plan => ScriptPermission.Refusal(plan.Spec, origin, allowed))
            .FirstOrDefault(static refusal => refusal is not null);

    private string? Forbidden(IReadOnlyList<CheckPlan>? plans) =>
        FirstForbidden(plans ?? [], CheckOrigin.Api, _options.Scripts);

    // A script that a client registered while that was allowed must not run when it is allowed no more.
    private void DropForbidden() => State.Edit(editor =>
    {
        foreach (var check in editor.Now.Checks.Values.Where(c => c.Spec is { } spec
            && ScriptPermission.Refusal(spec, CheckOrigin.Api, _options.Scripts) is not null).ToList())
        {
            Log.Forbidden(_log, check.Record.Id);
            editor.RemoveCheck(check.Record.Id);
        }
    });

    private async Task SettledAsync(Task durable)
    {
        await _checks.SettledAsync();
        try
        {
            await AntiEntropy.SettledAsync().WaitAsync(CatalogWait, _time);
        }
        catch (TimeoutException)
        {
            Log.CatalogAway(_log);
        }

        await durable;
    }

    private void Reap(string serviceId)
    {
        Log.Reaped(_log, serviceId);
        State.Edit(editor => { editor.RemoveService(serviceId); });
    }

    private void OnChanged(LocalChange change)
    {
        var services = State.Current.Services;
        if (change.Services.Any(id => services.GetValueOrDefault(id)?.IsManaged == true)
            || _managed.Any(managed => change.Services.Contains(managed.Record.Id)))
        {
            RefreshManaged();
        }
    }

    private void RefreshManaged()
    {
        lock (_managing)
        {
            var all = _options.ManagesSidecars;
            List<LocalService> managed =
                [.. State.Current.Services.Values.Where(s => s.IsManaged && (all || !s.GivesWay))];
            if (managed.SequenceEqual(_managed))
            {
                return;
            }

            _managed = managed;
        }

        ManagedProxiesChanged?.Invoke();
    }

    private static partial class Log
    {
        [LoggerMessage(Level = LogLevel.Information, Message = "Removed {Kind}: id={Id}")]
        public static partial void Removed(ILogger log, string kind, string id);

        [LoggerMessage(Level = LogLevel.Information, Message = "Maintenance mode {What}: of={Of}")]
        public static partial void Maintenance(ILogger log, string what, string of);

        [LoggerMessage(
            Level = LogLevel.Information, Message = "Deregistered a service that was critical for too long: id={Id}")]
        public static partial void Reaped(ILogger log, string id);

        [LoggerMessage(
            Level = LogLevel.Warning, Message = "A script check was not restored, scripts are disabled: id={Id}")]
        public static partial void Forbidden(ILogger log, string id);

        [LoggerMessage(
            Level = LogLevel.Error, Message = "A definition of the files was left out: id={Id} error={Error}")]
        public static partial void FileRefused(ILogger log, string id, string error);

        [LoggerMessage(
            Level = LogLevel.Warning, Message = "The catalog does not answer; the change is brought there later")]
        public static partial void CatalogAway(ILogger log);
    }
}
