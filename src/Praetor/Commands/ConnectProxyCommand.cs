using System.Globalization;
using Praetor.Client;
using Praetor.CommandLine;

namespace Praetor.Commands;

internal sealed class ConnectProxyCommand : Command
{
    private const string Mark = "==> ";
    private const int LabelWidth = 22;
    private static readonly string[] Levels = ["TRACE", "DEBUG", "INFO", "WARN", "ERR", "ERROR"];

    private readonly HttpFlags _http;
    private readonly Flag<string> _logLevel;
    private readonly Flag<bool> _logJson;
    private readonly Flag<string> _sidecarFor;
    private readonly Flag<string> _proxyId;
    private readonly Flag<string> _service;
    private readonly Flag<string> _serviceAddress;
    private readonly Flag<string> _listen;
    private readonly Flag<bool> _register;
    private readonly Flag<string> _registerId;
    private readonly Flag<SortedDictionary<string, ProxyUpstream>> _upstreams;

    public ConnectProxyCommand()
    {
        _http = new HttpFlags(Flags, HttpGroups.All);
        _logLevel = Flags.String(
            "log-level", "The least important level to log. Default INFO.", "INFO", offer: Candidates.LogLevels);
        _logJson = Flags.Bool("log-json", "Log in JSON.");
        _sidecarFor = Flags.String(
            "sidecar-for", "Id of the service instance on the agent to be the sidecar of.", offer: Candidates.ServiceIds);
        _proxyId = Flags.String(
            "proxy-id", "Id of the proxy as it is registered with the agent.", offer: Candidates.ServiceIds);
        _service = Flags.String(
            "service", "Name of the service to represent, without anything registered.", offer: Candidates.Services);
        _serviceAddress = Flags.String("service-addr", "Address of the local service; goes with -listen.");
        _listen = Flags.String("listen", "Address to take connections for the service at; goes with -service-addr.");
        _register = Flags.Bool("register", "Register the proxy with the agent; goes with -listen.");
        _registerId = Flags.String("register-id", "What tells this registration from others of the same service.");
        Flags.String("pprof-addr", "Taken for compatibility; has no effect.");
        _upstreams = Flags.Add(new Flag<SortedDictionary<string, ProxyUpstream>>(
            "upstream",
            "value",
            "A service to reach, as name:port or name:host:port of the local end. May be given again and again.",
            new(StringComparer.Ordinal),
            ReadUpstream) { Candidates = Candidates.Services });
    }

    public override string About => """
        Runs a proxy of the mesh until interrupted: as the sidecar of a registered service, or with everything given by flags.

            $ praetor connect proxy -sidecar-for web
            $ praetor connect proxy -service web -upstream db:8181
            $ praetor connect proxy -service web -service-addr 127.0.0.1:8080 -listen :8443
        """;

    public override async Task<int> RunAsync(Shell shell, IReadOnlyList<string> arguments, CancellationToken stop)
    {
        RequireSense(arguments);
        Say(shell, $"{Mark}{(shell.IsConsul ? "Consul" : "Praetor")} Connect proxy starting...");
        var request = await PrepareAsync(shell, stop);
        shell.Say("");
        Say(shell, $"{Mark}Log data will now stream in as it occurs:\n");
        using var signals = new ProcessSignals();
        using var both = CancellationTokenSource.CreateLinkedTokenSource(stop, signals.Stop);
        var code = await RunProxyAsync(request, both.Token);
        Say(shell, $"{Mark}{(shell.IsConsul ? "Consul" : "Praetor")} Connect proxy shutdown");
        return code;
    }

    /// <summary>The proxy itself: runs until told to stop, and gives the exit code.</summary>
    private static Task<int> RunProxyAsync(ProxyRequest request, CancellationToken stop)
    {
        _ = (request, stop);
        throw new CommandException($"{Mark}Failed to start proxy: this build has no data plane");
    }

    private static void Say(Shell shell, string line)
    {
        shell.Say(line);
        shell.Out.Flush();
    }

    private static void SayField(Shell shell, string label, string value) =>
        Say(shell, $"    {label.PadLeft(LabelWidth - 4)}: {value}");

    private static CommandException Unprepared(string problem) => new($"{Mark}Error preparing configuration: {problem}");

    private void RequireSense(IReadOnlyList<string> arguments)
    {
        if (arguments.Count > 0)
        {
            throw new CommandException($"{Mark}Should have no non-flag arguments.");
        }

        if (!Levels.Contains(_logLevel.Value, StringComparer.OrdinalIgnoreCase))
        {
            throw new CommandException(
                $"{Mark}Invalid log level: {_logLevel.Value}. Valid log levels are: [{string.Join(' ', Levels)}]");
        }
    }

    private async Task<ProxyRequest> PrepareAsync(Shell shell, CancellationToken stop)
    {
        var request = new ProxyRequest
        {
            Agent = _http.Options(shell),
            LogLevel = _logLevel.Value.ToUpperInvariant(),
            LogJson = _logJson.Value,
        };
        if (_proxyId.Value.Length > 0 || _sidecarFor.Value.Length > 0)
        {
            var id = _proxyId.Value.Length > 0 ? _proxyId.Value : await FindSidecarAsync(shell, stop);
            SayField(shell, "Configuration mode", "Agent API");
            if (_proxyId.Value.Length == 0)
            {
                SayField(shell, "Sidecar for ID", _sidecarFor.Value);
            }

            SayField(shell, "Proxy ID", id);
            return request with { ProxyId = id };
        }

        if (_service.Value.Length == 0)
        {
            throw Unprepared("-service or -proxy-id must be specified so that proxy can configure itself.");
        }

        return ByFlags(shell, request);
    }

    private ProxyRequest ByFlags(Shell shell, ProxyRequest request)
    {
        SayField(shell, "Configuration mode", "Flags");
        SayField(shell, "Service", _service.Value);
        foreach (var upstream in _upstreams.Value.Values)
        {
            SayField(shell, "Upstream", $"{upstream.Name} => {upstream.Host}:{upstream.Port}");
        }

        var (host, port) = Listener(shell);
        if (_register.Value && host is null)
        {
            throw new CommandException(
                $"{Mark}Failed initializing registration: -register may only be specified with -service and -listen");
        }

        return request with
        {
            Service = _service.Value,
            ServiceAddress = host is null || _serviceAddress.Value.Length == 0 ? null : _serviceAddress.Value,
            ListenHost = host,
            ListenPort = port,
            Upstreams = [.. _upstreams.Value.Values],
            Register = _register.Value,
            RegisterId = _registerId.Value.Length > 0 ? _registerId.Value : null,
        };
    }

    private (string? Host, int Port) Listener(Shell shell)
    {
        if (_listen.Value.Length == 0)
        {
            SayField(shell, "Public listener", "Disabled");
            return (null, 0);
        }

        if (HostPort.Problem(_listen.Value) is { } problem)
        {
            throw Unprepared(problem);
        }

        var (host, port) = HostPort.Split(_listen.Value);
        if (!int.TryParse(port, NumberStyles.None, CultureInfo.InvariantCulture, out var number))
        {
            throw Unprepared($"strconv.ParseInt: parsing \"{port}\": invalid syntax");
        }

        SayField(shell, "Public listener", $"{host}:{number} => {_serviceAddress.Value}");
        return (host, number);
    }

    private async Task<string> FindSidecarAsync(Shell shell, CancellationToken stop)
    {
        using var client = _http.Connect(shell);
        var services = await client.AgentServicesAsync(stop: stop)
            .OrFail($"{Mark}Error preparing configuration: Failed looking up sidecar proxy info for {_sidecarFor.Value}");
        var ids = services
            .Where(pair => pair.Value.Kind == "connect-proxy" && pair.Value.Proxy is { } proxy
                && string.Equals(proxy.DestinationServiceID, _sidecarFor.Value, StringComparison.OrdinalIgnoreCase))
            .Select(pair => pair.Key)
            .Order(StringComparer.Ordinal)
            .ToArray();
        return ids switch
        {
            [] => throw Unprepared($"No sidecar proxy registered for {_sidecarFor.Value}"),
            [var id] => id,
            _ => throw Unprepared($"More than one sidecar proxy registered for {_sidecarFor.Value}.\n"
                + $"    Start proxy with -proxy-id and one of the following IDs: {string.Join(", ", ids)}"),
        };
    }

    private static string? ReadUpstream(string text, ref SortedDictionary<string, ProxyUpstream> value)
    {
        var colon = text.IndexOf(':', StringComparison.Ordinal);
        const string query = "prepared_query:";
        if (text.StartsWith(query, StringComparison.Ordinal))
        {
            colon = text.IndexOf(':', query.Length);
        }

        if (colon < 0)
        {
            return $"Upstream value should be name:addr in \"{text}\"";
        }

        var (name, rest) = (text[..colon], text[(colon + 1)..]);
        var (host, port) = rest.Contains(':', StringComparison.Ordinal) ? HostPort.Split(rest) : ("", rest);
        if (!int.TryParse(port, NumberStyles.None, CultureInfo.InvariantCulture, out var number))
        {
            return $"strconv.ParseInt: parsing \"{port}\": invalid syntax";
        }

        value[name] = new ProxyUpstream(name, host, number);
        return null;
    }
}
