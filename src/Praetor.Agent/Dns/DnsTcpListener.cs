using System.Buffers;
using System.Buffers.Binary;
using System.Net;
using System.Net.Sockets;
using Codecs.Dns;
using Microsoft.Extensions.Logging;

namespace Praetor.Agent.Dns;

/// <summary>
/// One stream socket: questions with a length in front, many on one connection, answered in order. Connections are
/// bounded, idle ones are closed, and memory is taken for bytes that have come, not for bytes that were announced.
/// </summary>
internal sealed partial class DnsTcpListener(
    Socket socket, DnsContext context, DnsRecursion recursion, Func<Random> newRandom, ILogger logger)
{
    private const int ConnectionsMax = 512;
    private const int QueryBytesMax = 4096;
    private static readonly TimeSpan _idleMax = TimeSpan.FromSeconds(10);
    private static readonly TimeSpan _pauseAfterFailure = TimeSpan.FromMilliseconds(100);
    private static readonly TimeSpan _farewell = TimeSpan.FromSeconds(2);
    private readonly CancellationTokenSource _stop = new();
    private Task _accepting = Task.CompletedTask;
    private int _connections;

    public void Start() => _accepting = AcceptAsync();

    public async Task StopAsync()
    {
        await _stop.CancelAsync();
        socket.Dispose();
        try
        {
            await _accepting.WaitAsync(_farewell, context.Time);
        }
        catch (TimeoutException)
        {
            Log.StillOpen(logger, _connections);
        }
    }

    private async Task AcceptAsync()
    {
        while (!_stop.IsCancellationRequested)
        {
            try
            {
                Socket connection = await socket.AcceptAsync(_stop.Token);
                if (Interlocked.Increment(ref _connections) > ConnectionsMax)
                {
                    Interlocked.Decrement(ref _connections);
                    context.Counters.CountRefusedConnection();
                    connection.Dispose();
                    continue;
                }
                _ = ServeAsync(connection);
            }
            catch (OperationCanceledException)
            {
                return;
            }
            catch (ObjectDisposedException)
            {
                return;
            }
            catch (SocketException error)
            {
                // Out of file descriptors, most likely: accepting at once again would only burn the processor.
                Log.AcceptFailed(logger, error.SocketErrorCode);
                await Task.Delay(_pauseAfterFailure, context.Time, CancellationToken.None);
            }
        }
    }

    private async Task ServeAsync(Socket connection)
    {
        byte[] query = ArrayPool<byte>.Shared.Rent(QueryBytesMax + sizeof(ushort));
        try
        {
            connection.NoDelay = true;
            var responder = new DnsResponder(context, newRandom(), caches: false);
            while (await ServeOneAsync(connection, responder, query))
            {
            }
        }
        catch (OperationCanceledException)
        {
            // Idle for too long, or the server stops.
        }
        catch (SocketException error)
        {
            Log.ConnectionFailed(logger, error.SocketErrorCode);
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(query);
            connection.Dispose();
            Interlocked.Decrement(ref _connections);
        }
    }

    private async Task<bool> ServeOneAsync(Socket connection, DnsResponder responder, byte[] query)
    {
        using var idle = new CancellationTokenSource(_idleMax, context.Time);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(idle.Token, _stop.Token);
        if (!await TryReceiveAsync(connection, query.AsMemory(0, sizeof(ushort)), either.Token))
        {
            return false;
        }
        int length = BinaryPrimitives.ReadUInt16BigEndian(query);
        if (length > QueryBytesMax || !await TryReceiveAsync(connection, query.AsMemory(0, length), either.Token))
        {
            return false;
        }
        byte[] reply = ArrayPool<byte>.Shared.Rent(DnsLimits.MessageBytesMax + sizeof(ushort));
        try
        {
            Memory<byte> body = reply.AsMemory(sizeof(ushort), DnsLimits.MessageBytesMax);
            IPAddress asker = DnsAsker.AddressOf(connection);
            AskerPlace place = DnsAsker.PlaceOf(asker, context.Settings);
            int size = responder.Answer(query.AsSpan(0, length), isTcp: true, body.Span, place);
            size = size != DnsResponder.Deferred ? size
                : await recursion.CompleteAsync(query[..length], isTcp: true, body, _stop.Token, place, asker);
            if (size <= 0)
            {
                return false;
            }
            BinaryPrimitives.WriteUInt16BigEndian(reply, (ushort)size);
            return await TrySendAsync(connection, reply.AsMemory(0, size + sizeof(ushort)));
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(reply);
        }
    }

    private static async Task<bool> TryReceiveAsync(Socket connection, Memory<byte> buffer, CancellationToken stop)
    {
        while (buffer.Length > 0)
        {
            int received = await connection.ReceiveAsync(buffer, stop);
            if (received == 0)
            {
                return false;
            }
            buffer = buffer[received..];
        }
        return true;
    }

    private async Task<bool> TrySendAsync(Socket connection, ReadOnlyMemory<byte> buffer)
    {
        using var slow = new CancellationTokenSource(_idleMax, context.Time);
        while (buffer.Length > 0)
        {
            int sent = await connection.SendAsync(buffer, slow.Token);
            buffer = buffer[sent..];
        }
        return true;
    }

    private static partial class Log
    {
        [LoggerMessage(5311, LogLevel.Warning, "DNS: a TCP connection could not be accepted: {Error}")]
        public static partial void AcceptFailed(ILogger logger, SocketError error);

        [LoggerMessage(5312, LogLevel.Debug, "DNS: a TCP connection failed: {Error}")]
        public static partial void ConnectionFailed(ILogger logger, SocketError error);

        [LoggerMessage(5313, LogLevel.Warning, "DNS: stopped with {Connections} TCP connections still open")]
        public static partial void StillOpen(ILogger logger, int connections);
    }
}
