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

    [Fact]
    public async Task A_second_request_is_refused()
    {
        await BeginAsync(Path);
        var frame = new byte[Http2Frame.HeaderBytes];
        new Http2Frame(0, Http2FrameType.Headers, Http2Frame.EndHeaders, 3).Write(frame);
        await _to.WriteAsync(frame, Stop);

        await Should.ThrowAsync<InvalidDataException>(async () => await _server.ReadAsync());
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
        catch (Exception e) // whoever waits is told, unless all has come
        {
            taken.TrySetException(e);
        }
    }

    private async Task BeginAsync(string path)
    {
        await _client.BeginAsync("10.0.0.1:8300", path, [], Stop);
        await _server.BeginAsync(Stop);
    }
}
