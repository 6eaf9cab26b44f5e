using System.Buffers;
using System.Net.Sockets;
using System.Security.Authentication;
using System.Security.Cryptography;
using Codecs.Http2;
using Codecs.Protobuf;

namespace Praetor.Server.Storage.Etcd;

/// <summary>Transactions on one endpoint, one at a time, on the thread of the caller, who waits.</summary>
/// <remarks>
/// The problem: who writes to the log has one thread and one transaction under way, and each waits for the one before.
/// Over the base library's HTTP/2 a transaction passes six threads, and waking each costs as much as etcd itself takes.
/// The idea: a connection of its own, written to and read from by the thread that waits anyway: two system calls.
/// Made anew when it broke; every failure but a refusal says nothing about whether the transaction was done.
/// </remarks>
/// <param name="endpoint">One of the options' endpoints.</param>
/// <param name="options">How it is reached.</param>
/// <param name="time">Measures the limits.</param>
internal sealed class EtcdLane(string endpoint, EtcdClientOptions options, TimeProvider time) : IDisposable
{
    private readonly EtcdLaneRequest _request = new(endpoint, options.CallLimit);
    private EtcdLaneConnection? _connection;

    /// <summary>Sends a transaction and waits for its answer.</summary>
    /// <param name="txn">The framed TxnRequest; given back to the pool only when it was answered.</param>
    /// <param name="within">How long it may take.</param>
    /// <exception cref="EtcdRefusedException">It was not done.</exception>
    /// <exception cref="EtcdUnknownException">It may have been done.</exception>
    public EtcdTxnAnswer Ask(EtcdRequest txn, TimeSpan within)
    {
        try
        {
            _connection = Usable() ?? EtcdLaneConnection.Open(endpoint, options, within, time);
            var answer = _connection.Ask(_request, txn.Bytes.Span, within);
            var told = Decode(answer);
            txn.Release();
            return told;
        }
        catch (Exception e)
            when (e is IOException or SocketException or InvalidDataException or AuthenticationException
                or TimeoutException or OperationCanceledException or CryptographicException
                or UnauthorizedAccessException)
        {
            Close();
            throw new EtcdUnknownException($"{endpoint}: {e.Message}", e);
        }
    }

    /// <summary>Closes the connection.</summary>
    public void Dispose() => Close();

    private EtcdLaneConnection? Usable()
    {
        if (_connection is { IsUsable: false })
        {
            Close();
        }

        return _connection;
    }

    private void Close()
    {
        _connection?.Dispose();
        _connection = null;
    }

    private static EtcdTxnAnswer Decode(EtcdLaneAnswer answer)
    {
        if (EtcdStatusCode.ProblemOf(answer.HttpStatus, answer.GrpcStatus, answer.GrpcMessage) is { } problem)
        {
            throw problem;
        }

        var message = answer.Body.Span;
        return GrpcFrame.TryReadHeader(message, out var length)
            && length == message.Length - GrpcFrame.HeaderBytes
            && EtcdAnswers.TryReadTxn(message[GrpcFrame.HeaderBytes..], out var told)
                ? told
                : throw new InvalidDataException("what it answered cannot be read; is this an etcd?");
    }
}

/// <summary>What a call was answered; valid until the next one.</summary>
/// <param name="HttpStatus">The HTTP status; 0: none came.</param>
/// <param name="GrpcStatus">gRPC's status. Null: none came.</param>
/// <param name="GrpcMessage">gRPC's words for it, as they were sent. Null: none came.</param>
/// <param name="Body">The message in its frame.</param>
internal readonly record struct EtcdLaneAnswer(
    int HttpStatus, string? GrpcStatus, string? GrpcMessage, ReadOnlyMemory<byte> Body);

/// <summary>The headers of a lane's requests, which are always the same.</summary>
internal sealed class EtcdLaneRequest
{
    /// <param name="endpoint">Where they go.</param>
    /// <param name="limit">After which time etcd need not go on.</param>
    public EtcdLaneRequest(string endpoint, TimeSpan limit)
    {
        var isSecure = endpoint.StartsWith("https:", StringComparison.Ordinal);
        var block = new ArrayBufferWriter<byte>();
        HpackWriter.WriteIndexed(block, HpackWriter.MethodPost);
        HpackWriter.WriteIndexed(block, isSecure ? HpackWriter.SchemeHttps : HpackWriter.SchemeHttp);
        var authority = EtcdClientOptions.SocketOf(endpoint) is null ? new Uri(endpoint).Authority : "localhost";
        HpackWriter.Write(block, HpackWriter.Authority, authority);
        HpackWriter.Write(block, HpackWriter.Path, "/etcdserverpb.KV/Txn");
        HpackWriter.Write(block, "content-type", "application/grpc");
        HpackWriter.Write(block, "te", "trailers");
        HpackWriter.Write(
            block, "grpc-timeout", FormattableString.Invariant($"{(long)limit.TotalMilliseconds}m"));
        Headers = block.WrittenMemory;
    }

    /// <summary>The block of headers.</summary>
    public ReadOnlyMemory<byte> Headers { get; }
}
