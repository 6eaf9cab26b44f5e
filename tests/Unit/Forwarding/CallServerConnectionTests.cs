using System.Net;
using System.Net.Sockets;
using System.Text;
using Codecs.Http2;
using Praetor.Agent.Forwarding;
using Shouldly;
using Support;
using Xunit;

namespace Unit.Forwarding;

/// <summary>The server's end of a connection for calls, against the client's.</summary>
public sealed class CallServerConnectionTests : IAsyncLifetime
{
    private const string Path = "/v1/calls";

    private readonly ManualTime _time = new();
    private NetworkStream _to = null!;
    private CallServerConnection _server = null!;
    private CallClientConnection _client = null!;

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    public async ValueTask InitializeAsync()
    {
        using var listener = new Socket(SocketType.Stream, ProtocolType.Tcp);
        listener.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        listener.Listen(1);
        var own = new Socket(SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
        await own.ConnectAsync(listener.LocalEndPoint!, Stop);
        _to = new NetworkStream(own, ownsSocket: true);
        var came = new NetworkStream(await listener.AcceptAsync(Stop), ownsSocket: true);
        _server = new CallServerConnection(came, came, Path, _time);
        _client = new CallClientConnection(_to, _time);
    }

    public ValueTask DisposeAsync()
    {
        _client.Dispose();
        _server.Dispose();
        return ValueTask.CompletedTask;
    }

    [Fact]
    public async Task What_either_end_sends_comes_to_the_other()
    {
        await BeginAsync(Path);
        var serving = _server.ReadAsync().AsTask();
        await _client.SendAsync("calls"u8.ToArray(), Stop);
        (await serving).ShouldBeTrue();
        Encoding.ASCII.GetString(_server.Body.Span).ShouldBe("calls");
        _server.Advance(_server.Body.Length);

        var hearing = _client.ReadAsync().AsTask();
        await _server.SendAsync("answers"u8.ToArray(), Stop);
        (await hearing).ShouldBeTrue();
        Encoding.ASCII.GetString(_client.Body.Span).ShouldBe("answers");
    }

    [Fact]
    public async Task Much_more_than_a_window_goes_both_ways_at_once()
    {
        const int Bytes = 30 * 1024 * 1024;
        await BeginAsync(Path);
        var serving = _server.ReadAsync().AsTask();
        await _client.SendAsync(new byte[1], Stop);
        (await serving).ShouldBeTrue();
        _server.Advance(1);

        await Task.WhenAll(
            SendAllAsync(_client, Bytes), TakenAsync(_server, Bytes),
            SendAllAsync(_server, Bytes), TakenAsync(_client, Bytes));
    }

    [Fact]
    public async Task A_server_that_goes_away_is_left_by_whoever_calls_next()
    {
        await BeginAsync(Path);
        var serving = _server.ReadAsync().AsTask();
        await _client.SendAsync(new byte[1], Stop);
        (await serving).ShouldBeTrue();
        _server.GoAway();
        await _server.SendAsync(new byte[1], Stop);

        (await _client.ReadAsync()).ShouldBeTrue();
        _client.IsLeaving.ShouldBeTrue();
    }

    [Theory]
    [InlineData("/v1/kv/a")]
    [InlineData("/v1/call")]
    public async Task A_request_for_anything_else_is_refused(string path)
    {
        await BeginAsync(path);

        await Should.ThrowAsync<InvalidDataException>(async () => await _server.ReadAsync());
    }

    [Theory]
    [InlineData("a second request", Http2FrameType.Headers, Http2Frame.EndHeaders, "83", 3)]
    [InlineData("a second block of headers", Http2FrameType.Headers, Http2Frame.EndHeaders, "83", 1)]
    [InlineData("more of no block", Http2FrameType.Continuation, 0, "83", 1)]
    [InlineData("a body of another request", Http2FrameType.Data, 0, "00", 3)]
    public async Task What_a_caller_must_not_send_ends_the_connection(
        string what, Http2FrameType type, byte flags, string payload, int stream)
    {
        await BeginAsync(Path);
        await SendAsync(type, flags, Convert.FromHexString(payload), stream);

        await Should.ThrowAsync<InvalidDataException>(async () => await _server.ReadAsync(), what);
    }

    [Fact]
    public async Task A_body_without_headers_is_refused()
    {
        await _to.WriteAsync(Http2Frame.Preface.ToArray(), Stop);
        await SendAsync(Http2FrameType.Data, 0, [1, 2, 3], 1);
        await _server.BeginAsync(Stop);

        await Should.ThrowAsync<InvalidDataException>(async () => await _server.ReadAsync());
    }

    [Fact]
    public async Task A_block_of_headers_in_endless_empty_parts_is_refused()
    {
        await _to.WriteAsync(Http2Frame.Preface.ToArray(), Stop);
        await SendAsync(Http2FrameType.Headers, 0, [0x83], 1);
        await SendAsync(Http2FrameType.Continuation, 0, [], 1);
        await _server.BeginAsync(Stop);

        await Should.ThrowAsync<InvalidDataException>(async () => await _server.ReadAsync());
    }

    [Fact]
    public async Task Who_asks_for_confirmations_and_reads_none_is_left()
    {
        await BeginAsync(Path);
        var asking = Task.Run(
            async () =>
            {
                var pings = new MemoryStream();
                for (var i = 0; i < 1000; i++)
                {
                    pings.Write(Http2Bytes.Frame(Http2FrameType.Ping, 0, new byte[8], 0));
                }

                while (true)
                {
                    await _to.WriteAsync(pings.ToArray(), Stop);
                }
            }, Stop);

        await Should.ThrowAsync<IOException>(async () => await _server.ReadAsync());

        _server.Dispose();
        await Should.ThrowAsync<IOException>(asking);
    }

    [Fact]
    public async Task Many_confirmations_go_to_who_reads_them()
    {
        const int Pings = 500;
        await BeginAsync(Path);
        var serving = _server.ReadAsync().AsTask();
        for (var wave = 0; wave < 100; wave++)
        {
            for (var i = 0; i < Pings; i++)
            {
                await SendAsync(Http2FrameType.Ping, 0, new byte[8], 0);
            }

            await CountPingsAsync(Pings);
        }

        serving.IsCompleted.ShouldBeFalse();
        await SendAsync(Http2FrameType.Data, 0, [1], 1);
        (await serving).ShouldBeTrue();
    }

    [Fact]
    public async Task How_long_an_answer_waits_for_its_reader_is_known()
    {
        await BeginAsync(Path);
        _server.SendTime.ShouldBe(TimeSpan.Zero);
        await _server.SendAsync(new byte[100], Stop);
        _server.SendTime.ShouldBe(TimeSpan.Zero);

        _time.Advance(TimeSpan.FromSeconds(1));
        var sending = _server.SendAsync(new byte[100_000], Stop).AsTask();
        _time.Advance(TimeSpan.FromSeconds(3));
        sending.IsCompleted.ShouldBeFalse("the caller has opened no window yet that the server has read of");
        _server.SendTime.ShouldBe(TimeSpan.FromSeconds(3));
    }

    [Fact]
    public async Task More_than_the_window_that_was_told_is_refused()
    {
        const int Frames = 16 * 1024 * 1024 / Http2Frame.PayloadBytesDefault;
        var bytes = new MemoryStream();
        bytes.Write(Http2Frame.Preface);
        bytes.Write(Http2Bytes.Frame(Http2FrameType.Settings, 0, [], 0));
        byte[] block = [0x44, (byte)Path.Length, .. Encoding.ASCII.GetBytes(Path)];
        bytes.Write(Http2Bytes.Frame(Http2FrameType.Headers, Http2Frame.EndHeaders, block, 1));
        for (var i = 0; i < Frames; i++)
        {
            bytes.Write(Http2Bytes.Frame(Http2FrameType.Data, 0, new byte[Http2Frame.PayloadBytesDefault], 1));
        }

        bytes.Position = 0;
        using var connection = new CallServerConnection(bytes, new Unread(), Path, _time);
        var end = await EndOfAsync(connection);

        end.ShouldBe("malformed");
        bytes.Position.ShouldBeLessThan(bytes.Length, "not all of it was taken first");
    }

    [Fact]
    public async Task Any_bytes_end_in_calls_or_an_error()
    {
        var random = new Random(12);
        byte[] block = [0x44, (byte)Path.Length, .. Encoding.ASCII.GetBytes(Path)];
        byte[] sound = [.. Http2Frame.Preface,
            .. Http2Bytes.Frame(Http2FrameType.Settings, 0, new byte[6], 0),
            .. Http2Bytes.Frame(Http2FrameType.Headers, Http2Frame.EndHeaders, block, 1),
            .. Http2Bytes.Frame(Http2FrameType.Data, Http2Frame.Padded, [2, 1, 2, 3, 0, 0], 1),
            .. Http2Bytes.Frame(Http2FrameType.Ping, 0, new byte[8], 0),
            .. Http2Bytes.Frame(Http2FrameType.WindowUpdate, 0, new byte[4], 1),
            .. Http2Bytes.Frame(Http2FrameType.GoAway, 0, [0, 0, 0, 1, 0, 0, 0, 0], 0),
            .. Http2Bytes.Frame(Http2FrameType.Data, Http2Frame.EndStream, [9], 1)];
        var ends = new Dictionary<string, int>();
        for (var i = 0; i < 50_000; i++)
        {
            var bytes = sound.ToArray();
            for (var n = random.Next(4); n > 0; n--)
            {
                bytes[random.Next(bytes.Length)] = (byte)random.Next(256);
            }

            var some = new MemoryStream(bytes[..random.Next(1, bytes.Length + 1)]);
            using var connection = new CallServerConnection(some, Stream.Null, Path, _time);
            var end = await EndOfAsync(connection);
            ends[end] = ends.GetValueOrDefault(end) + 1;
        }

        ends.Keys.Order().ShouldBe(["broken", "malformed", "over"]);
    }

    [Fact]
    public async Task Silence_is_measured_from_what_came_last()
    {
        await BeginAsync(Path);
        _time.Advance(TimeSpan.FromSeconds(5));
        _server.Silence.ShouldBe(TimeSpan.FromSeconds(5));
        await _client.SendAsync(new byte[1], Stop);

        (await _server.ReadAsync()).ShouldBeTrue();

        _server.Silence.ShouldBe(TimeSpan.Zero);
    }

    private async Task SendAsync(Http2FrameType type, byte flags, byte[] payload, int stream) =>
        await _to.WriteAsync(Http2Bytes.Frame(type, flags, payload, stream), Stop);

    private async Task CountPingsAsync(int count)
    {
        var header = new byte[Http2Frame.HeaderBytes];
        for (var seen = 0; seen < count;)
        {
            await _to.ReadExactlyAsync(header, Stop);
            var frame = Http2Frame.Read(header);
            await _to.ReadExactlyAsync(new byte[frame.Length], Stop);
            seen += frame.Type == Http2FrameType.Ping ? 1 : 0;
        }
    }

    private static async Task<string> EndOfAsync(CallServerConnection connection)
    {
        try
        {
            await connection.BeginAsync(Stop);
            while (await connection.ReadAsync())
            {
                connection.Advance(connection.Body.Length);
            }

            return "over";
        }
        catch (InvalidDataException)
        {
            return "malformed";
        }
        catch (IOException)
        {
            return "broken";
        }
    }

    private static async Task SendAllAsync(CallConnection connection, int bytes)
    {
        for (var sent = 0; sent < bytes; sent += 1024 * 1024)
        {
            await connection.SendAsync(new byte[1024 * 1024], Stop);
        }
    }

    private static Task TakenAsync(CallConnection connection, int bytes)
    {
        var taken = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        _ = ReadOnAsync(connection, bytes, taken);
        return taken.Task;
    }

    // Until the connection ends: whoever sends needs what the other end says of its windows.
    private static async Task ReadOnAsync(CallConnection connection, int bytes, TaskCompletionSource taken)
    {
        try
        {
            for (var left = bytes; await connection.ReadAsync();)
            {
                left -= connection.Body.Length;
                connection.Advance(connection.Body.Length);
                if (left <= 0)
                {
                    taken.TrySetResult();
                }
            }
        }
        catch (Exception e) // supervisor: whoever waits is told, unless all has come
        {
            taken.TrySetException(e);
        }
    }

    private async Task BeginAsync(string path)
    {
        await _client.BeginAsync("10.0.0.1:8300", path, [], Stop);
        await _server.BeginAsync(Stop);
    }

    /// <summary>Takes bytes that nobody reads: what is written never ends.</summary>
    private sealed class Unread : MemoryStream
    {
        public override ValueTask WriteAsync(
            ReadOnlyMemory<byte> buffer, CancellationToken cancellationToken = default) =>
            new(new TaskCompletionSource().Task);
    }
}
