using System.Buffers;
using System.IO.Pipelines;
using Codecs.Http2;
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

    /// <summary>HTTP/2 whose first setting says that it carries calls and nothing else
    /// (<see cref="CallConnection.CallsSetting"/>).</summary>
    Calls = 4,
}

/// <summary>Tells the protocols of the RPC port apart by a connection's first bytes, and lets in what is spoken
/// here.</summary>
/// <param name="handshakeTime">How long the first bytes may take (<c>limits.rpc_handshake_timeout</c>).</param>
/// <param name="calls">Serves connections that carry calls.</param>
/// <param name="time">The clock.</param>
internal sealed class RpcGate(TimeSpan handshakeTime, ConnectionDelegate calls, TimeProvider time)
{
    private static readonly byte[] WrongPort =
        [.. "HTTP/1.1 400 Bad Request\r\nContent-Type: text/plain; charset=utf-8\r\nConnection: close\r\n"u8,
         .. "Content-Length: 72\r\n\r\nThis port is for other agents; the HTTP API is on ports.http, 8500 first"u8];

    // The preface, and the first setting.
    private static int BeginningBytes => Http2Frame.Preface.Length + Http2Frame.HeaderBytes + Http2Settings.Bytes;

    /// <summary>Wraps what serves HTTP/2. TLS goes around this, and then the first bytes are those inside.</summary>
    public ConnectionDelegate Before(ConnectionDelegate next) => context => LetInAsync(context, next);

    /// <summary>Judges the first bytes.</summary>
    public static RpcProtocol Judge(in ReadOnlySequence<byte> bytes)
    {
        Span<byte> first = stackalloc byte[BeginningBytes];
        var length = (int)Math.Min(bytes.Length, first.Length);
        bytes.Slice(0, length).CopyTo(first);
        first = first[..length];
        var preface = Http2Frame.Preface;
        if (!first.StartsWith(preface[..Math.Min(length, preface.Length)]))
        {
            return char.IsAsciiLetterUpper((char)first[0]) ? RpcProtocol.Http1 : RpcProtocol.Unknown;
        }

        // Whoever speaks HTTP/2 sends its settings at once, be they none.
        if (length < preface.Length + Http2Frame.HeaderBytes)
        {
            return RpcProtocol.Undecided;
        }

        var settings = Http2Frame.Read(first[preface.Length..]);
        return settings.Type != Http2FrameType.Settings || settings.Length < Http2Settings.Bytes ? RpcProtocol.Http2
            : length < BeginningBytes ? RpcProtocol.Undecided
            : Http2Settings.Find(first[^Http2Settings.Bytes..], CallConnection.CallsSetting) == 1 ? RpcProtocol.Calls
            : RpcProtocol.Http2;
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
                if (protocol is RpcProtocol.Http2 or RpcProtocol.Calls)
                {
                    // Nothing is taken: who comes next sees it again.
                    input.AdvanceTo(read.Buffer.Start);
                    next = protocol == RpcProtocol.Calls ? calls : next;
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
