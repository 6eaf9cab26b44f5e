using System.Collections.Concurrent;
using System.Net;
using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Abstractions;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.AspNetCore.Server.Kestrel.Transport.Sockets;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Options;
using Praetor.Agent.Config;
using Praetor.Agent.Http.Tls;

namespace Praetor.Agent.Http;

/// <summary>Where the HTTP API listens, and its bounds.</summary>
/// <param name="EndPoints">Addresses, unix sockets among them.</param>
/// <param name="ConnectionsPerClientMax">Connections from one address; more are closed. 0: no bound.</param>
internal sealed record HttpServerOptions(IReadOnlyList<EndPoint> EndPoints, int ConnectionsPerClientMax)
{
    /// <summary>Addresses at which TLS is spoken, by <see cref="Tls"/>.</summary>
    public IReadOnlyList<EndPoint> TlsEndPoints { get; init; } = [];

    /// <summary>Speaks TLS. Null: there are no <see cref="TlsEndPoints"/>.</summary>
    public TlsGate? Tls { get; init; }

    /// <summary>Whom Unix sockets belong to. Null: who runs the process.</summary>
    public SocketFileConfig? SocketFiles { get; init; }

    /// <summary>A Unix socket for this process itself, which nobody else may connect to. Null: none.</summary>
    public string? OwnSocket { get; init; }

    /// <summary>What the headers of a request may weigh together. 0: 64 KiB.</summary>
    public int HeaderBytesMax { get; init; }

    /// <summary>Whether HTTP/2 is spoken, without upgrade; else HTTP/1.1.</summary>
    public bool IsHttp2 { get; init; }

    /// <summary>Calls that may be under way on one connection of HTTP/2.</summary>
    public int StreamsPerConnectionMax { get; init; } = 100;

    /// <summary>Looks at connections before HTTP does. Null: nobody does.</summary>
    public Func<ConnectionDelegate, ConnectionDelegate>? Gate { get; init; }

    /// <summary>How long the end waits for requests under way.</summary>
    public static readonly TimeSpan DrainTime = TimeSpan.FromSeconds(2);
}

/// <summary>Kestrel with one request delegate and nothing else: no host, no container, no middleware.</summary>
internal sealed class HttpServer : IHttpApplication<HttpContext>, IAsyncDisposable
{
    // What a request line and headers may weigh together; Kestrel's own defaults, named here as they are part of the
    // bounds.
    private const int RequestLineMax = 16 * 1024;
    private const int HeadersMax = 64 * 1024;

    private readonly Func<HttpContext, Task> _handle;
    private readonly ILogger _log;
    private readonly KestrelServer _kestrel;
    private readonly ConcurrentDictionary<IPAddress, int> _connections = new();
    private readonly HttpServerOptions _options;
    private readonly List<ListenOptions> _tlsListeners = [];
    private volatile int _connectionsMax;

    // A line ends with CR LF: readers that disagree about a bare LF see different headers.
    static HttpServer() =>
        AppContext.SetSwitch("Microsoft.AspNetCore.Server.Kestrel.DisableHttp1LineFeedTerminators", isEnabled: true);

    public HttpServer(HttpServerOptions options, Func<HttpContext, Task> handle, ILoggerFactory logs)
    {
        _options = options;
        _connectionsMax = options.ConnectionsPerClientMax;
        _handle = handle;
        _log = logs.CreateLogger("agent.http");
        var kestrel = new KestrelServerOptions { AddServerHeader = false, AllowSynchronousIO = false };
        kestrel.RequestHeaderEncodingSelector = FramingGuard.StrictLength.Select!;
        kestrel.Limits.MaxRequestBodySize = null;
        kestrel.Limits.MaxRequestLineSize = RequestLineMax;
        kestrel.Limits.MaxRequestHeadersTotalSize = options.HeaderBytesMax > 0 ? options.HeaderBytesMax : HeadersMax;
        kestrel.Limits.Http2.MaxStreamsPerConnection = options.StreamsPerConnectionMax;
        if (options.IsHttp2)
        {
            // What another agent passes on comes as fast as its user sends it, whom that agent bounds.
            kestrel.Limits.MinRequestBodyDataRate = null;
        }

        foreach (var endPoint in options.EndPoints)
        {
            kestrel.Listen(endPoint, listen => Configure(listen, options.Gate));
        }

        if (options.OwnSocket is { } own)
        {
            kestrel.ListenUnixSocket(own, listen => Configure(listen, null));
        }

        foreach (var endPoint in options.TlsEndPoints)
        {
            kestrel.Listen(endPoint, listen =>
            {
                Configure(listen, options.Tls!.Before);
                _tlsListeners.Add(listen);
            });
        }

        // Its lines about connections are not the agent's: what matters of a request is logged by who answers it.
        var silent = NullLoggerFactory.Instance;
        var sockets = new SocketTransportOptions
        {
            UnsafePreferInlineScheduling = true,
            Backlog = 4096,
            CreateBoundListenSocket = new SocketFiles(options.SocketFiles, options.OwnSocket).Bind,
        };
        _kestrel = new KestrelServer(
            Options.Create(kestrel), new SocketTransportFactory(Options.Create(sockets), silent), silent);
    }

    /// <summary>Where it listens without TLS, with the ports that the system chose.</summary>
    public IReadOnlyCollection<string> Addresses =>
        [.. _kestrel.Features.GetRequiredFeature<IServerAddressesFeature>().Addresses.Take(_options.EndPoints.Count)];

    /// <summary>Where it speaks TLS, with the ports that the system chose.</summary>
    public IReadOnlyList<string> TlsAddresses => [.. _tlsListeners.Select(static listen =>
        listen.SocketPath is { } path ? $"unix://{path}" : $"https://{listen.IPEndPoint}")];

    /// <summary>Connections from one address, for those that come from now on. 0: no bound.</summary>
    public int ConnectionsPerClientMax
    {
        get => _connectionsMax;
        set => _connectionsMax = value;
    }

    /// <exception cref="IOException">An address cannot be used.</exception>
    public Task StartAsync(CancellationToken stop) => _kestrel.StartAsync(this, stop);

    public async ValueTask DisposeAsync()
    {
        using var limit = new CancellationTokenSource(HttpServerOptions.DrainTime, TimeProvider.System);
        await _kestrel.StopAsync(limit.Token);
        _kestrel.Dispose();
    }

    // Kestrel keeps what is made for a request, and gives it to the next one on the connection.
    public HttpContext CreateContext(IFeatureCollection contextFeatures)
    {
        if (contextFeatures is not IHostContextContainer<HttpContext> keeper)
        {
            return new DefaultHttpContext(contextFeatures);
        }

        if (keeper.HostContext is DefaultHttpContext kept)
        {
            kept.Initialize(contextFeatures);
            return kept;
        }

        return keeper.HostContext = new DefaultHttpContext(contextFeatures);
    }

    public void DisposeContext(HttpContext context, Exception? exception) =>
        ((DefaultHttpContext)context).Uninitialize();

    public async Task ProcessRequestAsync(HttpContext context)
    {
        try
        {
            await _handle(context);
        }
        catch (OperationCanceledException) when (context.RequestAborted.IsCancellationRequested)
        {
            // The client left; nobody reads an answer.
        }
        catch (Microsoft.AspNetCore.Http.BadHttpRequestException e)
        {
            await FailAsync(context, e.StatusCode, e.Message);
        }
        catch (Exception e) // supervisor: a mistake in one request must not end the connection of others
        {
            Log.Failed(_log, e, context.Request.Method, context.Request.Path);
            await FailAsync(context, StatusCodes.Status500InternalServerError, $"internal error: {e.Message}");
        }
    }

    private static async Task FailAsync(HttpContext context, int status, string text)
    {
        if (context.Response.HasStarted)
        {
            context.Abort();
            return;
        }

        context.Response.StatusCode = status;
        context.Response.ContentType = Reply.TextType;
        await context.Response.WriteAsync(text);
    }

    private void Configure(ListenOptions listen, Func<ConnectionDelegate, ConnectionDelegate>? gate)
    {
        listen.Protocols = _options.IsHttp2 ? HttpProtocols.Http2 : HttpProtocols.Http1;
        // Without a bound too: a reload may set one, and then those that are there count.
        listen.Use(next => context => CountedAsync(next, context, saysWhy: gate is null));

        if (gate is not null)
        {
            listen.Use(gate);
        }
    }

    private async Task CountedAsync(ConnectionDelegate next, ConnectionContext context, bool saysWhy)
    {
        if (context.RemoteEndPoint is not IPEndPoint { Address: var client })
        {
            await next(context);
            return;
        }

        var count = _connections.AddOrUpdate(client, 1, static (_, n) => n + 1);
        if (_connectionsMax is > 0 and var max && count > max)
        {
            Leave(client);
            await RefuseAsync(context, saysWhy);
            return;
        }

        try
        {
            await next(context);
        }
        finally
        {
            Leave(client);
        }
    }

    // Before the handshake of HTTP/2, or of TLS, there is no way to say why.
    private static async Task RefuseAsync(ConnectionContext context, bool saysWhy)
    {
        if (saysWhy)
        {
            await context.Transport.Output.WriteAsync(
                "HTTP/1.1 429 Too Many Requests\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"u8.ToArray());
        }

        await context.Transport.Output.CompleteAsync();
    }

    private void Leave(IPAddress client)
    {
        if (_connections.AddOrUpdate(client, 0, static (_, n) => n - 1) <= 0)
        {
            _connections.TryRemove(new KeyValuePair<IPAddress, int>(client, 0));
        }
    }

    private static class Log
    {
        public static void Failed(ILogger log, Exception e, string method, string path) =>
            log.LogError(e, "request failed: method={Method} path={Path}", method, path);
    }
}
