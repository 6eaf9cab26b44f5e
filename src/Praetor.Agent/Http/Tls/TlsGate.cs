using System.Buffers;
using System.IO.Pipelines;
using System.Net.Security;
using System.Security.Authentication;
using Microsoft.AspNetCore.Connections;
using Microsoft.Extensions.Logging;

namespace Praetor.Agent.Http.Tls;

/// <summary>Stands before HTTP on the ports for HTTPS, and speaks TLS with whoever comes.</summary>
/// <remarks>
/// Kestrel's own wants a host around it and takes its certificate at the start. Here each connection is given what is
/// configured when it comes, so that a reload needs no listener closed, and connections under way go on.
/// </remarks>
internal sealed partial class TlsGate
{
    /// <summary>Handshakes under way of all clients together.</summary>
    public const int HandshakesMax = 1024;

    // For who switches limits.https_handshake_timeout off: nobody needs longer.
    private static readonly TimeSpan HandshakeTimeMax = TimeSpan.FromMinutes(1);

    // The first byte of every handshake of TLS.
    private const byte HandshakeRecord = 22;

    // How long a connection's end is waited for.
    private static readonly TimeSpan FarewellTime = TimeSpan.FromSeconds(2);

    // Go's words, and in the version of HTTP that everybody understands.
    private static readonly byte[] PlainHttp =
        [.. "HTTP/1.0 400 Bad Request\r\n\r\nClient sent an HTTP request to an HTTPS server.\n"u8];

    private readonly HandshakePlaces _places = new(HandshakesMax);
    private readonly TimeSpan _handshakeTime;
    private readonly TimeProvider _time;
    private readonly ILogger _log;
    private volatile ServerTls? _tls;

    /// <param name="tls">What is spoken. Null: nothing until a reload brings a certificate.</param>
    /// <param name="handshakeTime">How long a handshake may take.</param>
    /// <param name="time">The clock.</param>
    /// <param name="log">Where failures go.</param>
    public TlsGate(ServerTls? tls, TimeSpan handshakeTime, TimeProvider time, ILogger log)
    {
        (_tls, _time, _log) = (tls, time, log);
        _handshakeTime = handshakeTime > TimeSpan.Zero && handshakeTime < HandshakeTimeMax
            ? handshakeTime : HandshakeTimeMax;
    }

    /// <summary>What is spoken with those who come from now on.</summary>
    public ServerTls? Tls
    {
        get => _tls;
        set => _tls = value;
    }

    /// <summary>Wraps what serves HTTP.</summary>
    public ConnectionDelegate Before(ConnectionDelegate next) => context => ServeAsync(context, next);

    private async Task ServeAsync(ConnectionContext context, ConnectionDelegate next)
    {
        var transport = context.Transport;
        await using var plain = new TransportStream(transport);
        await using var tls = new SslStream(plain, leaveInnerStreamOpen: true);
        if (!await HandshakeAsync(context, tls))
        {
            return;
        }

        var inside = new Inside(PipeReader.Create(tls, new StreamPipeReaderOptions(leaveOpen: true)),
            PipeWriter.Create(tls, new StreamPipeWriterOptions(leaveOpen: true)));
        context.Transport = inside;
        try
        {
            await next(context);
        }
        finally
        {
            context.Transport = transport;
            await EndAsync(inside, tls);
        }
    }

    private async Task<bool> HandshakeAsync(ConnectionContext context, SslStream tls)
    {
        using var limit = new CancellationTokenSource(_handshakeTime, _time);
        var place = _places.Add(limit);
        try
        {
            if (!await SpeaksTlsAsync(context.Transport, limit.Token))
            {
                return false;
            }

            if (_tls is not { } settings)
            {
                Log.NoCertificate(_log, context.RemoteEndPoint?.ToString() ?? "");
                return false;
            }

            await tls.AuthenticateAsServerAsync(settings.Options(), limit.Token);
            return true;
        }
        catch (Exception e) when (e is AuthenticationException or IOException or OperationCanceledException
            or ConnectionAbortedException or InvalidOperationException)
        {
            var why = e is OperationCanceledException ? "it took too long" : e.GetBaseException().Message;
            Log.HandshakeFailed(_log, context.RemoteEndPoint?.ToString() ?? "", why);
            context.Abort();
            return false;
        }
        finally
        {
            _places.Remove(place);
        }
    }

    // Nothing is taken: who comes next sees the bytes again.
    private static async Task<bool> SpeaksTlsAsync(IDuplexPipe transport, CancellationToken stop)
    {
        var read = await transport.Input.ReadAsync(stop);
        var first = read.Buffer.IsEmpty ? (byte)0 : read.Buffer.FirstSpan[0];
        transport.Input.AdvanceTo(read.Buffer.Start);
        if (first == HandshakeRecord)
        {
            return true;
        }

        if (char.IsAsciiLetter((char)first))
        {
            await transport.Output.WriteAsync(PlainHttp, stop);
        }

        await transport.Output.CompleteAsync();
        return false;
    }

    private async Task EndAsync(Inside inside, SslStream tls)
    {
        try
        {
            await inside.Input.CompleteAsync();
            await inside.Output.CompleteAsync();

            // So that the peer can tell the end from a cut.
            await tls.ShutdownAsync().WaitAsync(FarewellTime, _time);
        }
        catch (Exception e) when (e is IOException or InvalidOperationException or TimeoutException
            or ConnectionAbortedException)
        {
            // It is gone already.
        }
    }

    private sealed record Inside(PipeReader Input, PipeWriter Output) : IDuplexPipe;

    private static partial class Log
    {
        [LoggerMessage(1, LogLevel.Debug, "TLS handshake failed: from={From} error={Error}")]
        public static partial void HandshakeFailed(ILogger log, string from, string error);

        [LoggerMessage(2, LogLevel.Debug,
            "HTTPS cannot be spoken, as there is no certificate; set cert_file and key_file: from={From}")]
        public static partial void NoCertificate(ILogger log, string from);
    }
}
