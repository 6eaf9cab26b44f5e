using System.Buffers.Binary;
using System.Net;
using System.Net.Sockets;
using System.Text;
using Codecs.Http2;
using Praetor.Agent.Forwarding;
using Shouldly;
using Support;
using Xunit;

namespace Unit.Forwarding;

/// <summary>The client's end of a stream of calls, against a server that is made of frames by hand.</summary>
public sealed class CallConnectionTests : IAsyncLifetime
{
    private static readonly TimeSpan Second = TimeSpan.FromSeconds(1);
    private static readonly byte[] Status200 = [0x88];

    private readonly ManualTime _time = new();
    private NetworkStream _server = null!;
    private CallClientConnection _connection = null!;

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    public async ValueTask InitializeAsync()
    {
        using var listener = new Socket(SocketType.Stream, ProtocolType.Tcp);
        listener.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        listener.Listen(1);
        var own = new Socket(SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
        await own.ConnectAsync(listener.LocalEndPoint!, Stop);
        _server = new NetworkStream(await listener.AcceptAsync(Stop), ownsSocket: true);
        _connection = new CallClientConnection(new NetworkStream(own, ownsSocket: true), _time);
    }

    public ValueTask DisposeAsync()
    {
        _connection.Dispose();
        _server.Dispose();
        return ValueTask.CompletedTask;
    }

    [Fact]
    public async Task A_request_begins_with_its_headers_and_stays_open()
    {
        await BeginAsync();
        var preface = new byte[Http2Frame.Preface.Length];
        await _server.ReadExactlyAsync(preface, Stop);
        preface.ShouldBe(Http2Frame.Preface.ToArray());
        var (settings, said) = await FrameAsync();
        settings.Type.ShouldBe(Http2FrameType.Settings);
        Http2Settings.Find(said, Http2Setting.HeaderTableSize).ShouldBe(0);
        Http2Settings.Find(said[..Http2Settings.Bytes], CallConnection.CallsSetting).ShouldBe(1, "before all else");
        (await FrameAsync()).Frame.Type.ShouldBe(Http2FrameType.WindowUpdate);
        var (headers, block) = await FrameAsync();
        (headers.Type, headers.Flags).ShouldBe((Http2FrameType.Headers, Http2Frame.EndHeaders));
        FieldsOf(block).ShouldBe(
            ":method: POST|:scheme: http|:authority: 10.0.0.1:8300|:path: /v1/calls|x-trail: " + new string('a', 300));
    }

    [Fact]
    public async Task What_is_sent_waits_for_the_windows_of_the_server()
    {
        await ServeAsync();
        var sent = _connection.SendAsync(new byte[100_000], Stop).AsTask();
        (await DataAsync(Http2Frame.WindowDefault)).ShouldBe(Http2Frame.WindowDefault);
        sent.IsCompleted.ShouldBeFalse();

        var reading = _connection.ReadAsync().AsTask();
        await WindowAsync(0, 1_000_000);
        sent.IsCompleted.ShouldBeFalse();
        await WindowAsync(1, 1_000_000);
        (await DataAsync(100_000 - Http2Frame.WindowDefault)).ShouldBe(100_000 - Http2Frame.WindowDefault);
        await sent;
        await AnswerAsync("done"u8.ToArray());
        (await reading).ShouldBeTrue();
    }

    [Fact]
    public async Task An_answer_comes_in_pieces_and_what_was_not_taken_stays()
    {
        await ServeAsync();
        await SendAsync(Http2FrameType.Headers, Http2Frame.EndHeaders, Status200);
        await SendAsync(Http2FrameType.Data, 0, "one tw"u8.ToArray());
        (await TextAsync()).ShouldBe("one tw");
        _connection.Advance(4);
        await SendAsync(Http2FrameType.Data, Http2Frame.Padded, [3, (byte)'o', 0, 0, 0]);
        (await TextAsync()).ShouldBe("two");
        _connection.Advance(3);
        await SendAsync(Http2FrameType.Data, Http2Frame.EndStream, []);
        (await _connection.ReadAsync()).ShouldBeFalse();
    }

    [Fact]
    public async Task The_window_is_opened_again_for_as_much_as_came()
    {
        await ServeAsync();
        await SendAsync(Http2FrameType.Headers, Http2Frame.EndHeaders, Status200);
        var piece = new byte[Http2Frame.PayloadBytesDefault];
        var came = 0L;
        var opened = 0L;
        var serving = Task.Run(async () =>
        {
            for (var i = 0; i < 2_000; i++)
            {
                await SendAsync(Http2FrameType.Data, 0, piece);
            }
        }, Stop);
        var hearing = Task.Run(async () =>
        {
            while (opened < 16L * 1024 * 1024)
            {
                var (frame, payload) = await FrameAsync();
                opened += frame is { Type: Http2FrameType.WindowUpdate, Stream: 1 }
                    ? BinaryPrimitives.ReadInt32BigEndian(payload) : 0;
            }
        }, Stop);
        while (came < 2_000L * piece.Length)
        {
            (await _connection.ReadAsync()).ShouldBeTrue();
            came += _connection.Body.Length;
            _connection.Advance(_connection.Body.Length);
        }

        await Task.WhenAll(serving, hearing);
    }

    [Fact]
    public async Task Settings_and_pings_are_confirmed()
    {
        await ServeAsync();
        var reading = _connection.ReadAsync().AsTask();
        await SendAsync(Http2FrameType.Settings, 0, [], stream: 0);
        var (settings, _) = await FrameAsync();
        (settings.Type, settings.Flags).ShouldBe((Http2FrameType.Settings, Http2Frame.Ack));
        await SendAsync(Http2FrameType.Ping, 0, "12345678"u8.ToArray(), stream: 0);
        var (ping, same) = await FrameAsync();
        (ping.Type, ping.Flags).ShouldBe((Http2FrameType.Ping, Http2Frame.Ack));
        same.ShouldBe("12345678"u8.ToArray());
        await AnswerAsync([1]);
        (await reading).ShouldBeTrue();
    }

    [Fact]
    public async Task A_server_that_is_silent_is_pinged_and_then_given_up()
    {
        await ServeAsync();
        _connection.IsAlive(Second).ShouldBeTrue();
        _time.Advance(Second);
        _connection.IsAlive(Second).ShouldBeTrue();
        (await FrameAsync()).Frame.Type.ShouldBe(Http2FrameType.Ping);
        _time.Advance(Second / 2);
        _connection.IsAlive(Second).ShouldBeTrue();
        _time.Advance(Second / 2);
        _connection.IsAlive(Second).ShouldBeFalse();
    }

    [Fact]
    public async Task A_server_that_answers_the_ping_lives()
    {
        await ServeAsync();
        _time.Advance(Second);
        _connection.IsAlive(Second).ShouldBeTrue();
        var (_, bytes) = await FrameAsync();
        _time.Advance(Second / 2);
        await SendAsync(Http2FrameType.Ping, Http2Frame.Ack, bytes, stream: 0);
        await AnswerAsync([1]);
        (await _connection.ReadAsync()).ShouldBeTrue();
        _time.Advance(Second / 2);
        _connection.IsAlive(Second).ShouldBeTrue();
    }

    [Fact]
    public async Task A_server_that_goes_away_ends_what_it_has_begun()
    {
        await ServeAsync();
        await SendAsync(Http2FrameType.GoAway, 0, [0, 0, 0, 1, 0, 0, 0, 0], stream: 0);
        await AnswerAsync([1]);
        (await _connection.ReadAsync()).ShouldBeTrue();
        _connection.IsLeaving.ShouldBeTrue();
    }

    [Theory]
    [InlineData("another status", Http2FrameType.Headers, Http2Frame.EndHeaders, "8d", 1)]
    [InlineData("malformed headers", Http2FrameType.Headers, Http2Frame.EndHeaders, "ff", 1)]
    [InlineData("more filling than bytes", Http2FrameType.Data, Http2Frame.Padded, "09aa", 1)]
    [InlineData("broken off", Http2FrameType.ResetStream, 0, "00000008", 1)]
    [InlineData("gone before it began", Http2FrameType.GoAway, 0, "0000000000000000", 0)]
    [InlineData("another request", Http2FrameType.Headers, Http2Frame.EndHeaders, "88", 3)]
    [InlineData("a promise", Http2FrameType.PushPromise, 0, "00000002", 1)]
    public async Task What_a_server_must_not_send_ends_the_connection(
        string what, Http2FrameType type, byte flags, string payload, int stream)
    {
        await ServeAsync();
        await SendAsync(type, flags, Convert.FromHexString(payload), stream);
        var failure = await Should.ThrowAsync<Exception>(async () => await _connection.ReadAsync(), what);
        (failure is IOException or InvalidDataException).ShouldBeTrue(what);
    }

    [Fact]
    public async Task Any_bytes_end_in_an_answer_or_an_error()
    {
        var random = new Random(11);
        byte[] sound = [.. Http2Bytes.Frame(Http2FrameType.Settings, 0, new byte[6], 0),
            .. Http2Bytes.Frame(Http2FrameType.Headers, Http2Frame.EndHeaders, Status200, 1),
            .. Http2Bytes.Frame(Http2FrameType.Data, Http2Frame.Padded, [2, 1, 2, 3, 0, 0], 1),
            .. Http2Bytes.Frame(Http2FrameType.Ping, 0, new byte[8], 0),
            .. Http2Bytes.Frame(Http2FrameType.WindowUpdate, 0, new byte[4], 1),
            .. Http2Bytes.Frame(Http2FrameType.GoAway, 0, [0, 0, 0, 1, 0, 0, 0, 0], 0),
            .. Http2Bytes.Frame(Http2FrameType.Data, Http2Frame.EndStream, [9], 1)];
        var ends = new Dictionary<string, int>();
        for (var i = 0; i < 100_000; i++)
        {
            var bytes = sound.ToArray();
            for (var n = random.Next(4); n >= 0; n--)
            {
                bytes[random.Next(bytes.Length)] = (byte)random.Next(256);
            }

            using var connection = new CallClientConnection(new OneWay(bytes[..random.Next(1, bytes.Length)]), _time);
            var end = await EndOfAsync(connection);
            ends[end] = ends.GetValueOrDefault(end) + 1;
        }

        ends.Keys.Order().ShouldBe(["broken", "malformed", "over"]);
    }

    private static async Task<string> EndOfAsync(CallConnection connection)
    {
        try
        {
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

    private static string FieldsOf(byte[] block)
    {
        var reader = new HpackReader(block, new byte[1024]);
        var fields = new List<string>();
        while (reader.Next())
        {
            fields.Add($"{Encoding.ASCII.GetString(reader.Name)}: {Encoding.ASCII.GetString(reader.Value)}");
        }

        reader.IsMalformed.ShouldBeFalse();
        return string.Join('|', fields);
    }

    private Task BeginAsync() => _connection.BeginAsync(
        "10.0.0.1:8300", "/v1/calls", [new("x-trail", new string('a', 300))], Stop);

    // Reads what a request begins with.
    private async Task ServeAsync()
    {
        await BeginAsync();
        await _server.ReadExactlyAsync(new byte[Http2Frame.Preface.Length], Stop);
        while ((await FrameAsync()).Frame.Type != Http2FrameType.Headers)
        {
            // Settings and a window.
        }
    }

    private async Task SendAsync(Http2FrameType type, byte flags, byte[] payload, int stream = 1) =>
        await _server.WriteAsync(Http2Bytes.Frame(type, flags, payload, stream), Stop);

    private async Task AnswerAsync(byte[] bytes)
    {
        await SendAsync(Http2FrameType.Headers, Http2Frame.EndHeaders, Status200);
        await SendAsync(Http2FrameType.Data, 0, bytes);
    }

    private Task WindowAsync(int stream, int bytes)
    {
        var number = new byte[4];
        BinaryPrimitives.WriteInt32BigEndian(number, bytes);
        return SendAsync(Http2FrameType.WindowUpdate, 0, number, stream);
    }

    private async Task<(Http2Frame Frame, byte[] Payload)> FrameAsync()
    {
        var header = new byte[Http2Frame.HeaderBytes];
        await _server.ReadExactlyAsync(header, Stop);
        var frame = Http2Frame.Read(header);
        var payload = new byte[frame.Length];
        await _server.ReadExactlyAsync(payload, Stop);
        return (frame, payload);
    }

    private async Task<int> DataAsync(int bytes)
    {
        var came = 0;
        while (came < bytes)
        {
            var (frame, _) = await FrameAsync();
            came += frame.Type == Http2FrameType.Data ? frame.Length : 0;
        }

        return came;
    }

    private async Task<string> TextAsync()
    {
        (await _connection.ReadAsync()).ShouldBeTrue();
        return Encoding.UTF8.GetString(_connection.Body.Span);
    }

    /// <summary>Gives some bytes and takes any.</summary>
    private sealed class OneWay(byte[] bytes) : MemoryStream(bytes, writable: false)
    {
        public override ValueTask WriteAsync(
            ReadOnlyMemory<byte> buffer, CancellationToken cancellationToken = default) => ValueTask.CompletedTask;
    }
}
