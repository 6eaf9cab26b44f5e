using System.IO.Pipelines;
using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Connections.Features;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;
using Praetor.Agent.Forwarding;
using Shouldly;
using Support;
using Xunit;

namespace Unit.Forwarding;

/// <summary>Which connections for calls a server goes on serving, and what ends them.</summary>
public sealed class CallServerTests : IAsyncLifetime
{
    private static readonly TimeSpan Second = TimeSpan.FromSeconds(1);

    private readonly ManualTime _time = new();
    private readonly Errors _errors = new();

    // What is sent has been read, and answered if it can be, when the sending returns.
    private readonly Pipe _in = new(new PipeOptions(
        readerScheduler: PipeScheduler.Inline, writerScheduler: PipeScheduler.Inline, pauseWriterThreshold: 0,
        useSynchronizationContext: false));

    private readonly Pipe _out = new(new PipeOptions(pauseWriterThreshold: 4096, resumeWriterThreshold: 2048));
    private readonly Lifetime _lifetime = new();
    private readonly Transport _transport;
    private readonly CallClientConnection _client;
    private Func<HttpContext, Task> _answer = static _ => Task.CompletedTask;
    private Task _serving = Task.CompletedTask;

    public CallServerTests()
    {
        _transport = new Transport(new Duplex(_in.Reader, _out.Writer));
        _transport.Features.Set<IConnectionLifetimeNotificationFeature>(_lifetime);
        _client = new CallClientConnection(new Both(_out.Reader.AsStream(), _in.Writer.AsStream()), _time);
    }

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    public ValueTask InitializeAsync()
    {
        var server = new CallServer(context => _answer(context), _time, _errors);
        _serving = server.ServeAsync(_transport);
        return ValueTask.CompletedTask;
    }

    public async ValueTask DisposeAsync()
    {
        _client.Dispose();
        _transport.Abort();
        await _serving;
        _lifetime.Dispose();
        await _transport.DisposeAsync();
    }

    [Fact]
    public async Task A_call_is_answered()
    {
        _answer = static async context => await context.Response.WriteAsync("here", Stop);
        await BeginAsync();
        await CallAsync();

        (await _client.ReadAsync()).ShouldBeTrue();
        System.Text.Encoding.Latin1.GetString(_client.Body.Span).ShouldEndWith("here");
        _transport.IsAborted.ShouldBeFalse();
    }

    [Fact]
    public void Who_begins_nothing_is_left_after_ten_seconds()
    {
        _time.Advance(9 * Second);
        _transport.IsAborted.ShouldBeFalse();
        _time.Advance(Second);
        _transport.IsAborted.ShouldBeTrue();
    }

    [Fact]
    public async Task Who_says_nothing_is_left_after_half_a_minute()
    {
        await BeginAsync();
        await CallAsync();
        (await _client.ReadAsync()).ShouldBeTrue();
        _time.Advance(29 * Second);
        _transport.IsAborted.ShouldBeFalse();
        _time.Advance(Second);
        _transport.IsAborted.ShouldBeTrue();
    }

    [Fact]
    public async Task Who_does_not_read_its_answers_is_left_although_it_calls_on()
    {
        _answer = static async context => await context.Response.WriteAsync(new string('a', 10_000), Stop);
        await BeginAsync();
        for (var i = 0; i < 40 && !_transport.IsAborted; i++)
        {
            _time.Advance(Second);
            await CallAsync();
        }

        _transport.IsAborted.ShouldBeTrue();
    }

    [Fact]
    public async Task What_is_no_call_ends_the_connection()
    {
        await BeginAsync();
        await _client.SendAsync(new byte[] { 0, 0, 0, 5, 1, 2, 3, 4, 255 }, Stop);

        await _serving;
        _transport.IsAborted.ShouldBeTrue();
        _errors.Lines.ShouldHaveSingleItem().ShouldContain("a call cannot be read");
    }

    [Fact]
    public async Task A_server_that_stops_says_so_and_answers_what_comes_still()
    {
        await BeginAsync();
        _lifetime.RequestClose();
        await CallAsync();

        (await _client.ReadAsync()).ShouldBeTrue();
        _client.IsLeaving.ShouldBeTrue();
        _transport.IsAborted.ShouldBeFalse();
    }

    [Fact]
    public async Task Calls_of_more_bytes_than_a_connection_may_have_under_way_wait_for_others()
    {
        const int BodyBytes = 512 * 1024;
        var fit = CallServer.CallBytesMax / (BodyBytes + 1024);
        var begun = 0;
        var done = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        var last = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        _answer = async _ =>
        {
            if (Interlocked.Increment(ref begun) == fit + 1)
            {
                last.SetResult();
            }

            await done.Task;
        };
        await BeginAsync();
        var reading = ReadAllAsync();
        for (var i = 0; i <= fit; i++)
        {
            await CallAsync(BodyBytes);
        }

        Volatile.Read(ref begun).ShouldBe(fit);
        done.SetResult();
        await last.Task;
        _client.Dispose();
        await reading;
    }

    [Fact]
    public async Task That_a_caller_left_is_no_failure_of_its_call()
    {
        var called = new TaskCompletionSource();
        _answer = async context =>
        {
            called.SetResult();
            await Task.Delay(Timeout.InfiniteTimeSpan, _time, context.RequestAborted);
        };
        await BeginAsync();
        await CallAsync();
        await called.Task;

        _transport.Abort();
        _client.Dispose();

        await _serving;
        _errors.Lines.ShouldBeEmpty();
    }

    private Task BeginAsync() => _client.BeginAsync("10.0.0.1:8300", RpcRoutes.Calls, [], Stop);

    // A caller that does not read hears of no room for more.
    private async Task ReadAllAsync()
    {
        try
        {
            while (await _client.ReadAsync())
            {
                _client.Advance(_client.Body.Length);
            }
        }
        catch (Exception e) when (e is IOException or ObjectDisposedException or InvalidOperationException)
        {
            // The end of the test.
        }
    }

    private async Task CallAsync(int bodyBytes = 0)
    {
        var frames = new System.Buffers.ArrayBufferWriter<byte>();
        var call = new ServerCall
        {
            Method = "GET", Target = "/v1/kv/a", Datacenter = "dc1", Body = new byte[bodyBytes],
        };
        CallFrames.WriteCall(frames, 1, call, "");
        await _client.SendAsync(frames.WrittenMemory, Stop);
    }

    private sealed record Duplex(PipeReader Input, PipeWriter Output) : IDuplexPipe;

    private sealed class Transport(IDuplexPipe pipe) : DefaultConnectionContext("1", pipe, pipe)
    {
        private readonly CancellationTokenSource _closed = new();

        public bool IsAborted => _closed.IsCancellationRequested;

        public override CancellationToken ConnectionClosed
        {
            get => _closed.Token;
            set
            {
                // The base sets one of its own.
            }
        }

        public override void Abort(ConnectionAbortedException abortReason) => _closed.Cancel();

        public override void Abort() => _closed.Cancel();
    }

    private sealed class Lifetime : IConnectionLifetimeNotificationFeature, IDisposable
    {
        private readonly CancellationTokenSource _requested = new();

        public CancellationToken ConnectionClosedRequested
        {
            get => _requested.Token;
            set => throw new NotSupportedException();
        }

        public void RequestClose() => _requested.Cancel();

        public void Dispose() => _requested.Dispose();
    }

    /// <summary>Reads from one stream and writes to another.</summary>
    private sealed class Both(Stream input, Stream output) : MemoryStream
    {
        public override ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default) =>
            input.ReadAsync(buffer, cancellationToken);

        public override ValueTask WriteAsync(
            ReadOnlyMemory<byte> buffer, CancellationToken cancellationToken = default) =>
            output.WriteAsync(buffer, cancellationToken);

        protected override void Dispose(bool disposing)
        {
            output.Dispose();
            input.Dispose();
            base.Dispose(disposing);
        }
    }

    /// <summary>What was logged as wrong.</summary>
    private sealed class Errors : ILogger
    {
        public List<string> Lines { get; } = [];

        public IDisposable? BeginScope<TState>(TState state)
            where TState : notnull => null;

        public bool IsEnabled(LogLevel logLevel) => true;

        public void Log<TState>(
            LogLevel logLevel, EventId eventId, TState state, Exception? exception,
            Func<TState, Exception?, string> formatter) => Lines.Add(formatter(state, exception));
    }
}
