using System.Net;
using Praetor.Client;
using Praetor.Proxy;
using Praetor.Proxy.Control;
using Praetor.Proxy.Net;
using Praetor.Proxy.Plane;
using Shouldly;
using Support;
using Xunit;

namespace Unit.Proxy;

public sealed class MeshPortTests : IDisposable
{
    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(20);

    private readonly PraetorClient _client = new(new ClientOptions { Address = "127.0.0.1:1" });
    private readonly ManualTime _time = new();
    private readonly FakeListener _listener = new();
    private readonly FakePort _port;

    public MeshPortTests() => _port = new FakePort(
        new ControlScope(_client, static (_, _) => { }, _time, new Chance(new Random(1))), _listener);

    public void Dispose() => _client.Dispose();

    [Fact]
    public async Task A_former_listener_is_followed_until_its_last_connection_is_over()
    {
        _port.Start("127.0.0.1", 0);
        await _listener.Used.Task.WaitAsync(Limit);
        _listener.Connections = 1;
        await _port.RetireAsync();
        _listener.EndsConnections.ShouldBe(false);
        _time.Advance(TimeSpan.FromMinutes(10));
        _port.Watching.Task.IsCompleted.ShouldBeFalse();

        await _time.TimersAsync(1).WaitAsync(Limit);
        _listener.Connections = 0;
        _time.Advance(TimeSpan.FromSeconds(1));
        await _port.Watching.Task.WaitAsync(Limit);

        await _port.CloseAsync(endConnections: true).WaitAsync(Limit);
        _port.IsDrained.ShouldBeTrue();
    }

    [Fact]
    public async Task A_former_listeners_connections_end_when_the_proxy_does()
    {
        _port.Start("127.0.0.1", 0);
        await _listener.Used.Task.WaitAsync(Limit);
        _listener.Connections = 1;
        await _port.RetireAsync();
        await _port.CloseAsync(endConnections: true).WaitAsync(Limit);
        _listener.EndsConnections.ShouldBe(true);
        _port.Watching.Task.IsCompleted.ShouldBeTrue();
    }

    private sealed class FakePort(ControlScope scope, IPlaneListener listener) : MeshPort(scope, "test")
    {
        public TaskCompletionSource Watching { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);

        protected override IPlaneListener Listen(IPEndPoint at) => listener;

        protected override async Task WatchAsync(CancellationToken stop)
        {
            var waiting = Task.Delay(Timeout.InfiniteTimeSpan, TimeProvider.System, stop);
            await waiting.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            Watching.SetResult();
        }

        protected override void SetIdentity(IReadyIdentity identity)
        {
        }
    }

    private sealed class FakeListener : IPlaneListener
    {
        private volatile int _connections;

        public TaskCompletionSource Used { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);

        public bool? EndsConnections { get; private set; }

        public IPEndPoint Address { get; } = new(IPAddress.Loopback, 1);

        public int Connections { get => _connections; set => _connections = value; }

        public void EdgeChanged() => Used.TrySetResult();

        public Task<IReadOnlyList<Peer>> ActivePeersAsync() => Task.FromResult<IReadOnlyList<Peer>>([]);

        public Task DenyAsync(Peer peer) => Task.CompletedTask;

        public Task CloseAsync(bool endConnections)
        {
            EndsConnections = endConnections;
            return Task.CompletedTask;
        }
    }
}
