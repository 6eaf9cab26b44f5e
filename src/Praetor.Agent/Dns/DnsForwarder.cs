using System.Buffers;
using System.Buffers.Binary;
using System.Net;
using System.Net.Sockets;
using System.Security.Cryptography;
using Codecs.Dns;

namespace Praetor.Agent.Dns;

/// <summary>
/// Asks one recursor one question. A forger has to guess a random id and a random port, the kernel drops what comes
/// from another address, and an answer to another question is passed over.
/// </summary>
internal sealed class DnsForwarder(TimeProvider time)
{
    /// <param name="query">A sound question; its id is replaced.</param>
    /// <returns>The whole answer, with an id of no meaning; null when none came in time.</returns>
    public async Task<byte[]?> AskAsync(
        ReadOnlyMemory<byte> query, bool isTcp, IPEndPoint recursor, TimeSpan timeout, CancellationToken stop)
    {
        using var limit = new CancellationTokenSource(timeout, time);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(limit.Token, stop);
        byte[] question = query.ToArray();
        BinaryPrimitives.WriteUInt16BigEndian(question, (ushort)RandomNumberGenerator.GetInt32(ushort.MaxValue + 1));
        try
        {
            return isTcp
                ? await AskTcpAsync(question, recursor, either.Token)
                : await AskUdpAsync(question, recursor, either.Token);
        }
        catch (SocketException)
        {
            return null;
        }
        catch (EndOfStreamException)
        {
            return null;
        }
        catch (IOException)
        {
            return null;
        }
        catch (OperationCanceledException) when (!stop.IsCancellationRequested)
        {
            return null;
        }
    }

    /// <summary>Whether <paramref name="answer"/> is the answer to <paramref name="question"/>.</summary>
    public static bool IsAnswerTo(ReadOnlySpan<byte> question, ReadOnlySpan<byte> answer)
    {
        Span<byte> asked = stackalloc byte[DnsLimits.NameBytesMax];
        Span<byte> answered = stackalloc byte[DnsLimits.NameBytesMax];
        return TryReadQuestion(question, asked, out DnsHeader askedHeader, out DnsQuestion askedFor, out int askedBytes)
            && TryReadQuestion(answer, answered, out DnsHeader header, out DnsQuestion about, out int bytes)
            && header.IsResponse && header.Id == askedHeader.Id
            && about.Type == askedFor.Type && about.Class == askedFor.Class
            && DnsName.EqualsIgnoreCase(asked[..askedBytes], answered[..bytes]);
    }

    private static bool TryReadQuestion(
        ReadOnlySpan<byte> message, Span<byte> name, out DnsHeader header, out DnsQuestion question, out int length)
    {
        var reader = new DnsMessageReader(message);
        question = default;
        length = 0;
        return reader.TryReadHeader(out header) && header.Questions == 1 && reader.TryReadQuestion(out question)
            && reader.TryExpandName(question.NameOffset, name, out length, out _);
    }

    private static async Task<byte[]?> AskUdpAsync(byte[] question, IPEndPoint recursor, CancellationToken stop)
    {
        using var socket = new Socket(recursor.AddressFamily, SocketType.Dgram, ProtocolType.Udp);
        await socket.ConnectAsync(recursor, stop);
        await socket.SendAsync(question, stop);
        byte[] buffer = ArrayPool<byte>.Shared.Rent(DnsLimits.MessageBytesMax);
        try
        {
            while (true)
            {
                int length = await socket.ReceiveAsync(buffer, stop);
                if (IsAnswerTo(question, buffer.AsSpan(0, length)))
                {
                    return buffer[..length];
                }
            }
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(buffer);
        }
    }

    private static async Task<byte[]?> AskTcpAsync(byte[] question, IPEndPoint recursor, CancellationToken stop)
    {
        using var socket = new Socket(recursor.AddressFamily, SocketType.Stream, ProtocolType.Tcp);
        await socket.ConnectAsync(recursor, stop);
        await using var stream = new NetworkStream(socket);
        var framed = new byte[question.Length + sizeof(ushort)];
        BinaryPrimitives.WriteUInt16BigEndian(framed, (ushort)question.Length);
        question.CopyTo(framed, sizeof(ushort));
        await stream.WriteAsync(framed, stop);
        await stream.ReadExactlyAsync(framed.AsMemory(0, sizeof(ushort)), stop);
        var answer = new byte[BinaryPrimitives.ReadUInt16BigEndian(framed)];
        await stream.ReadExactlyAsync(answer, stop);
        return IsAnswerTo(question, answer) ? answer : null;
    }
}
