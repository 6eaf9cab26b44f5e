using System.Buffers;
using System.IO.Pipelines;
using Microsoft.AspNetCore.Connections;

namespace Praetor.Agent.Forwarding;

/// <summary>What the first bytes of a connection to the RPC port say.</summary>
internal enum RpcProtocol
{
    /// <summary>Not enough bytes yet.</summary>
    Undecided = 0,

    /// <summary>HTTP/2: another agent of ours.</summary>
    Http2 = 1,

    /// <summary>HTTP/1: somebody who takes the port for that of the API.</summary>
    Http1 = 2,

    /// <summary>Nothing that is spoken here.</summary>
    Unknown = 3,
}

/// <summary>Tells the protocols of the RPC port apart by a connection's first bytes, and lets in what is spoken
/// here.</summary>
/// <param name="handshakeTime">How long the first bytes may take (<c>limits.rpc_handshake_timeout</c>).</param>
/// <param name="time">The clock.</param>
internal sealed class RpcGate(TimeSpan handshakeTime, TimeProvider time)
{
    private static readonly byte[] WrongPort =
        [.. "HTTP/1.1 400 Bad Request\r\nContent-Type: text/plain; charset=utf-8\r\nConnection: close\r\n"u8,
         .. "Content-Length: 72\r\n\r\nThis port is for other agents; the HTTP API is on ports.http, 8500 first"u8];

    private static ReadOnlySpan<byte> Preface => "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"u8;

    /// <summary>Wraps what serves HTTP/2. TLS goes around this, and then the first bytes are those inside.</summary>
    public ConnectionDelegate Before(ConnectionDelegate next) => context => LetInAsync(context, next);

    /// <summary>Judges the first bytes.</summary>
    public static RpcProtocol Judge(in ReadOnlySequence<byte> bytes)
    {
        Span<byte> first = stackalloc byte[Preface.Length];
        var length = (int)Math.Min(bytes.Length, first.Length);
        bytes.Slice(0, length).CopyTo(first);
        first = first[..length];
        if (first.SequenceEqual(Preface[..length]))
        {
            return length == Preface.Length ? RpcProtocol.Http2 : RpcProtocol.Undecided;
        }

        return char.IsAsciiLetterUpper((char)first[0]) ? RpcProtocol.Http1 : RpcProtocol.Unknown;
    }

    private async Task LetInAsync(ConnectionContext context, ConnectionDelegate next)
    {
        var input = context.Transport.Input;
        using var limit = new CancellationTokenSource(handshakeTime, time);
        try
        {
            while (true)
            {
                var read = await input.ReadAsync(limit.Token);
                var protocol = read.Buffer.IsEmpty ? RpcProtocol.Undecided : Judge(read.Buffer);
                if (protocol == RpcProtocol.Http2)
                {
                    // Nothing is taken: who comes next sees it again.
                    input.AdvanceTo(read.Buffer.Start);
                    break;
                }

                input.AdvanceTo(read.Buffer.Start, read.Buffer.End);
                if (protocol != RpcProtocol.Undecided || read.IsCompleted)
                {
                    await CloseAsync(context, protocol);
                    return;
                }
            }
        }
        catch (OperationCanceledException) when (limit.IsCancellationRequested)
        {
            context.Abort();
            return;
        }
        catch (ConnectionResetException)
        {
            return;
        }

        await next(context);
    }

    private static async Task CloseAsync(ConnectionContext context, RpcProtocol protocol)
    {
        if (protocol == RpcProtocol.Http1)
        {
            await context.Transport.Output.WriteAsync(WrongPort);
        }

        await context.Transport.Output.CompleteAsync();
    }
}
