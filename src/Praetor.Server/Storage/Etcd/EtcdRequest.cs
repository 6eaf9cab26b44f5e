using System.Buffers;
using System.Text;
using Codecs.Protobuf;

namespace Praetor.Server.Storage.Etcd;

/// <summary>A request as it goes over the wire: gRPC's frame and one message of etcd's <c>rpc.proto</c>.</summary>
/// <remarks>
/// The size is computed first and the message written once into a buffer from the pool. The buffer goes back by
/// <see cref="Release"/>, which is called only when the answer proves that the request was sent whole; after a failure
/// the transport may still be reading, so the buffer is left to the garbage collector.
/// </remarks>
internal sealed class EtcdRequest
{
    // Numbers of fields in etcd's rpc.proto; they never change their meaning.
    private const int Key = 1;
    private const int RangeEnd = 2;
    private const int PutValue = 2;
    private const int OpRange = 1;
    private const int OpPut = 2;
    private const int OpDelete = 3;
    private const int CompareTarget = 2;
    private const int CompareKey = 3;
    private const int CompareModRevision = 6;
    private const ulong TargetModRevision = 2;
    private const int TxnCompare = 1;
    private const int TxnSuccess = 2;
    private const int TxnFailure = 3;
    private const int WatchCreate = 1;
    private const int WatchStart = 3;
    private const int WatchFragment = 8;
    private const int AddUrl = 1;
    private const int AddIsLearner = 2;

    private byte[]? _buffer;

    private EtcdRequest(int messageBytes)
    {
        Length = GrpcFrame.HeaderBytes + messageBytes;
        _buffer = ArrayPool<byte>.Shared.Rent(Length);
        GrpcFrame.WriteHeader(_buffer, messageBytes);
    }

    /// <summary>Bytes of the frame and the message.</summary>
    public int Length { get; }

    /// <summary>The bytes.</summary>
    public ReadOnlyMemory<byte> Bytes => _buffer.AsMemory(0, Length);

    private ProtobufWriter Writer => new(_buffer.AsSpan(GrpcFrame.HeaderBytes, Length - GrpcFrame.HeaderBytes));

    /// <summary>How many bytes a transaction's message takes.</summary>
    public static long SizeOf(EtcdTxn txn)
    {
        long size = 0;
        foreach (var compare in txn.If)
        {
            size += ProtobufFormat.SizeOfBytes(TxnCompare, SizeOf(compare));
        }

        foreach (var op in txn.Then)
        {
            size += ProtobufFormat.SizeOfBytes(TxnSuccess, SizeOfNested(op));
        }

        foreach (var op in txn.Else)
        {
            size += ProtobufFormat.SizeOfBytes(TxnFailure, SizeOfNested(op));
        }

        return size;
    }

    /// <summary>TxnRequest.</summary>
    /// <param name="txn">The transaction.</param>
    /// <param name="size">What <see cref="SizeOf(EtcdTxn)"/> gave.</param>
    public static EtcdRequest Of(EtcdTxn txn, int size)
    {
        var request = new EtcdRequest(size);
        var writer = request.Writer;
        foreach (var compare in txn.If)
        {
            writer.WriteMessageHeader(TxnCompare, SizeOf(compare));
            writer.WriteNumber(CompareTarget, TargetModRevision);
            writer.WriteBytes(CompareKey, compare.Key);
            writer.WriteNumber(CompareModRevision, (ulong)compare.ModRevision);
        }

        foreach (var op in txn.Then)
        {
            Write(ref writer, TxnSuccess, op);
        }

        foreach (var op in txn.Else)
        {
            Write(ref writer, TxnFailure, op);
        }

        return request;
    }

    /// <summary>WatchRequest with a WatchCreateRequest; what is too large for one answer comes in parts.</summary>
    public static EtcdRequest Watch(byte[] key, byte[] end, long fromRevision)
    {
        var size = ProtobufFormat.SizeOfBytes(Key, key.Length) + ProtobufFormat.SizeOfBytes(RangeEnd, end.Length)
            + ProtobufFormat.SizeOfNumber(WatchStart, (ulong)fromRevision)
            + ProtobufFormat.SizeOfNumber(WatchFragment, 1);
        var request = new EtcdRequest(ProtobufFormat.SizeOfBytes(WatchCreate, size));
        var writer = request.Writer;
        writer.WriteMessageHeader(WatchCreate, size);
        writer.WriteBytes(Key, key);
        writer.WriteBytes(RangeEnd, end);
        writer.WriteNumber(WatchStart, (ulong)fromRevision);
        writer.WriteNumber(WatchFragment, 1);
        return request;
    }

    /// <summary>MemberAddRequest of a learner.</summary>
    public static EtcdRequest AddLearner(string peerUrl)
    {
        var request = new EtcdRequest(
            ProtobufFormat.SizeOfBytes(AddUrl, Encoding.UTF8.GetByteCount(peerUrl))
            + ProtobufFormat.SizeOfNumber(AddIsLearner, 1));
        var writer = request.Writer;
        writer.WriteText(AddUrl, peerUrl);
        writer.WriteNumber(AddIsLearner, 1);
        return request;
    }

    /// <summary>A request that consists of numbers, the first in field 1, the second in field 2, and so on.</summary>
    public static EtcdRequest Numbers(params ReadOnlySpan<ulong> values)
    {
        var size = 0;
        for (var i = 0; i < values.Length; i++)
        {
            size += ProtobufFormat.SizeOfNumber(i + 1, values[i]);
        }

        var request = new EtcdRequest(size);
        var writer = request.Writer;
        for (var i = 0; i < values.Length; i++)
        {
            writer.WriteNumber(i + 1, values[i]);
        }

        return request;
    }

    /// <summary>Gives the buffer back to the pool.</summary>
    public void Release()
    {
        if (Interlocked.Exchange(ref _buffer, null) is { } buffer)
        {
            ArrayPool<byte>.Shared.Return(buffer);
        }
    }

    private static int SizeOf(EtcdCompare compare) =>
        ProtobufFormat.SizeOfNumber(CompareTarget, TargetModRevision)
        + ProtobufFormat.SizeOfBytes(CompareKey, compare.Key.Length)
        + ProtobufFormat.SizeOfNumber(CompareModRevision, (ulong)compare.ModRevision);

    // RequestOp is a choice of requests, each a message within it.
    private static int SizeOfNested(EtcdOp op) => ProtobufFormat.SizeOfBytes(FieldOf(op), SizeOf(op));

    private static int SizeOf(EtcdOp op) => op switch
    {
        EtcdPut put => ProtobufFormat.SizeOfBytes(Key, put.Key.Length)
            + ProtobufFormat.SizeOfBytes(PutValue, put.Value.Length),
        EtcdDelete delete => SizeOf(delete.Key, delete.End),
        EtcdRange range => SizeOf(range.Key, range.End),
        _ => throw new NotSupportedException($"{op.GetType().Name} is no operation of etcd's"),
    };

    private static int SizeOf(byte[] key, byte[]? end) => ProtobufFormat.SizeOfBytes(Key, key.Length)
        + (end is null ? 0 : ProtobufFormat.SizeOfBytes(RangeEnd, end.Length));

    private static int FieldOf(EtcdOp op) => op switch
    {
        EtcdPut => OpPut,
        EtcdDelete => OpDelete,
        _ => OpRange,
    };

    private static void Write(ref ProtobufWriter writer, int branch, EtcdOp op)
    {
        writer.WriteMessageHeader(branch, SizeOfNested(op));
        writer.WriteMessageHeader(FieldOf(op), SizeOf(op));
        switch (op)
        {
            case EtcdPut put:
                writer.WriteBytes(Key, put.Key);
                writer.WriteBytes(PutValue, put.Value);
                break;
            case EtcdDelete delete:
                WriteRange(ref writer, delete.Key, delete.End);
                break;
            case EtcdRange range:
                WriteRange(ref writer, range.Key, range.End);
                break;
        }
    }

    private static void WriteRange(ref ProtobufWriter writer, byte[] key, byte[]? end)
    {
        writer.WriteBytes(Key, key);
        if (end is not null)
        {
            writer.WriteBytes(RangeEnd, end);
        }
    }
}
