using Microsoft.Extensions.Logging;
using Praetor.Agent.Checks;
using Praetor.Agent.Config;
using Praetor.Agent.Events;
using Praetor.Agent.Http;
using Praetor.Agent.Http.Endpoints;
using Praetor.Agent.Membership;
using Praetor.Agent.RemoteExec;
using Praetor.Agent.Watches;

namespace Praetor.Agent.Runtime;

/// <summary>What stands on membership: events, watches, remote execution, coordinates, the keyring.</summary>
public sealed partial class AgentRuntime
{
    private readonly CancellationTokenSource _toolsStop = new();
    private readonly List<Task> _toolLoops = [];
    private Tools? _tools;
    private AgentWatches? _watches;
    private RemoteExecution? _exec;

    /// <summary>The seams that gossip fills, and what is built on them.</summary>
    private sealed record Tools(
        IMembership Membership,
        INetworkCoordinates Coordinates,
        IKeyringOperations Keyring,
        UserEvents Events,
        Datacenters Datacenters);

    private Tools MakeTools()
    {
        var events = new UserEvents(
            new UserEventSurroundings(
                _node.Name, () => _local.State.Current.Services.Values.Select(static s => s.Record), _membership),
            _log.CreateLogger("agent"));
        _membership.Delivered = (name, payload, time) => events.Deliver(name, payload.Span, time);
        _membership.Failed = Fail;
        var datacenters = new Datacenters(
            _config.Datacenter, _membership, _membership, () => _links.Servers.Datacenters(_config.Datacenter));
        _links.Forwarder.IsDatacenter = datacenters.Has;
        return new Tools(
            _membership,
            _membership,
            new GossipKeyring(_membership, _config.Datacenter),
            events,
            datacenters);
    }

    private void AddToolRoutes(RouteTable routes, Tools tools)
    {
        var waits = new WaitLimits(_config.Http.DefaultQueryTime, _config.Http.MaxQueryTime);
        new EventEndpoints(tools.Events, waits, _time, new Random()).AddTo(routes);
        if (_config.IsServer)
        {
            // Clients pass it on: only servers are in all pools.
            new KeyringEndpoints(tools.Keyring, _config.Datacenter).AddTo(routes);
        }
    }

    // The API listens already, as watches and remote execution ask it.
    private async Task StartToolsAsync()
    {
        var tools = _tools!;
        tools.Events.RemoteExecAsked += OnRemoteExec;
        var own = _interfaces.OwnAddress;
        _exec = new RemoteExecution(
            new ClientExecStore(own, () => _local.Tokens["agent"], _time), _node.Name, _time,
            _log.CreateLogger("agent"));
        _watches = new AgentWatches(own, _time, new Random(), _log.CreateLogger("agent.watch"));
        await _watches.ApplyAsync(ReadWatches(_config, out _));
        if (!_config.Values.Flag("disable_coordinates"))
        {
            _toolLoops.Add(EndQuietlyAsync(Sender(tools).RunAsync(_toolsStop.Token)));
        }

        if (_config.Values.Flag("auto_reload_config"))
        {
            var tls = ConfigStamp.Of(AutoReload.TlsFiles(_config));
            var files = new AutoReload(
                () => Seen.Again().Text + ConfigStamp.Of(AutoReload.TlsFiles(_config)).Text,
                _time,
                SuperviseReloadAsync);
            _toolLoops.Add(EndQuietlyAsync(files.RunAsync(Seen.Text + tls.Text, _toolsStop.Token)));
        }
    }

    private CoordinateSender Sender(Tools tools) => new(
        tools.Membership,
        tools.Coordinates,
        _server.TellPlaceAsync,
        new CoordinateRate(
            _config.Values.Duration("sync_coordinate_interval_min"),
            _config.Values.Real("sync_coordinate_rate_target")),
        _time,
        new Random(),
        _log.CreateLogger("agent"));

    private static IReadOnlyList<WatchDefinition> ReadWatches(AgentConfig config, out string? problem) =>
        AgentWatches.Read(
            config.Watches, config.CheckSettings.AllowLocalScripts ? ScriptChecks.LocalOnly : ScriptChecks.Off,
            out problem);

    private void OnRemoteExec(UserEvent asked)
    {
        if (_config.Values.Flag("disable_remote_exec"))
        {
            Log.ExecDisabled(_logger, asked.Id);
            return;
        }

        _exec?.Begin(asked);
    }

    private async ValueTask StopToolsAsync()
    {
        await _toolsStop.CancelAsync();
        if (_tools is { } tools)
        {
            tools.Events.RemoteExecAsked -= OnRemoteExec;
        }

        if (_watches is not null)
        {
            await _watches.DisposeAsync();
        }

        if (_exec is not null)
        {
            await _exec.DisposeAsync();
        }

        await Task.WhenAll(_toolLoops);
        _toolsStop.Dispose();
    }

    private async Task EndQuietlyAsync(Task loop)
    {
        try
        {
            await loop;
        }
        catch (OperationCanceledException) when (_toolsStop.IsCancellationRequested)
        {
            // The agent ends.
        }
    }
}
