using System.Globalization;
using Praetor.Client;
using Praetor.CommandLine;
using Praetor.Proxy;

namespace Praetor.Commands;

internal sealed class ConnectProxyCommand : Command
{
    private const string Mark = "==> ";
    private const string Preparing = Mark + "Error preparing configuration";
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
    private readonly Flag<string> _metricsAddress;
    private readonly Flag<List<string>> _upstreams;

    public ConnectProxyCommand()
    {
        _http = new HttpFlags(Flags, HttpGroups.All);
        _logLevel = Flags.String(
            "log-level", "The least important level to log. Default INFO.", "INFO", offer: Candidates.LogLevels);
        _logJson = Flags.Bool("log-json", "Log in JSON.");
        _sidecarFor = Flags.String(
            "sidecar-for", "Id of the service on the agent to be the sidecar of.", offer: Candidates.ServiceIds);
        _proxyId = Flags.String(
            "proxy-id", "Id of the proxy as it is registered with the agent.", offer: Candidates.ServiceIds);
        _service = Flags.String(
            "service", "Name of the service to represent, without anything registered.", offer: Candidates.Services);
        _serviceAddress = Flags.String("service-addr", "Address of the local service; goes with -listen.");
        _listen = Flags.String("listen", "Address to take connections for the service at; goes with -service-addr.");
        _register = Flags.Bool("register", "Register the proxy with the agent; goes with -listen.");
        _registerId = Flags.String("register-id", "What tells this registration from others of the same service.");
        _metricsAddress = Flags.String("metrics-addr", "Address to show metrics to Prometheus at. Default: nowhere.");
        Flags.String("pprof-addr", "Taken for compatibility; has no effect.");
        _upstreams = Flags.Add(new Flag<List<string>>(
            "upstream",
            "value",
            "A service to reach, as name:port or name:host:port of the local end. May be given again and again.",
            [],
            ReadUpstream) { Candidates = Candidates.Services });
    }

    public override string About => """
        Runs a proxy of the mesh until interrupted: as the sidecar of a registered service, or with everything
        given by flags.

            $ praetor connect proxy -sidecar-for web
            $ praetor connect proxy -service web -upstream db:8181
            $ praetor connect proxy -service web -service-addr 127.0.0.1:8080 -listen :8443
        """;

    public override async Task<int> RunAsync(Shell shell, IReadOnlyList<string> arguments, CancellationToken stop)
    {
        RequireSense(arguments);
        var name = shell.IsConsul ? "Consul" : "Praetor";
        Say(shell, $"{Mark}{name} Connect proxy starting...");
        if (_register.Value && (_service.Value.Length == 0 || _listen.Value.Length == 0))
        {
            throw new CommandException(
                $"{Mark}Failed initializing registration: -register may only be specified with -service and -listen");
        }

        using var signals = new ProcessSignals();
        using var both = CancellationTokenSource.CreateLinkedTokenSource(stop, signals.Stop);
        using var client = _http.Connect(shell, ProxyRunner.UserAgent);
        try
        {
            var log = new ProxyLogWriter(shell, _logLevel.Value, _logJson.Value);
            await ProxyRunner.RunAsync(
                Options(), client, line => Say(shell, line), log.Write, shell.Time, new Random(), both.Token);
        }
        catch (OperationCanceledException) when (both.IsCancellationRequested)
        {
            // Ended as asked for.
        }
        catch (ProxyOptionsException wrong)
        {
            throw new CommandException($"{Preparing}: {wrong.Message}");
        }
        catch (Exception failure) when (AgentCalls.IsOfAgent(failure))
        {
            throw AgentCalls.Failed(failure, Preparing);
        }

        Say(shell, $"{Mark}{name} Connect proxy shutdown");
        return 0;
    }

    private static void Say(Shell shell, string line)
    {
        lock (shell)
        {
            shell.Say(line);
            shell.Out.Flush();
        }
    }

    private static string? NullIfEmpty(string text) => text.Length > 0 ? text : null;

    // The proxy reads it again; here its form is checked, so that the problem is told as one of the flag.
    private static string? ReadUpstream(string text, ref List<string> value)
    {
        const string query = "prepared_query:";
        var from = text.StartsWith(query, StringComparison.Ordinal) ? query.Length : 0;
        var colon = text.IndexOf(':', from);
        if (colon < 0)
        {
            return $"Upstream value should be name:addr in \"{text}\"";
        }

        var port = text[(text.LastIndexOf(':') + 1)..];
        if (!ushort.TryParse(port, NumberStyles.None, CultureInfo.InvariantCulture, out _))
        {
            return $"strconv.ParseInt: parsing \"{port}\": invalid syntax";
        }

        value.Add(text);
        return null;
    }

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

    private ProxyOptions Options() => new()
    {
        // Consul lets -proxy-id win when both are given.
        SidecarFor = _proxyId.Value.Length > 0 ? null : NullIfEmpty(_sidecarFor.Value),
        ProxyId = NullIfEmpty(_proxyId.Value),
        Service = NullIfEmpty(_service.Value),
        ServiceAddress = NullIfEmpty(_serviceAddress.Value),
        Listen = NullIfEmpty(_listen.Value),
        Upstreams = _upstreams.Value,
        IsRegistering = _register.Value,
        RegisterId = _registerId.Value,
        MetricsAddress = NullIfEmpty(_metricsAddress.Value),
    };
}
