using System.Runtime.CompilerServices;
using System.Threading.Channels;
using Praetor.Proxy;
using Shouldly;
using Support;
using Xunit;

namespace Unit.Proxy;

public sealed class StandInTests : IAsyncLifetime
{
    private const int RolePort = 21000;
    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(20);
    private static readonly ProxyConfig Config = new()
    {
        Service = "web",
        PublicListener = new PublicListenerConfig
        {
            BindPort = RolePort,
            LocalServiceAddress = "127.0.0.1",
            LocalServicePort = 80,
        },
        Upstreams = [new UpstreamConfig { Name = "db", BindPort = 9003 }],
    };

    private readonly ManualTime _time = new();
    private readonly CancellationTokenSource _stop = new();
    private readonly Source _source = new();
    private readonly StandIn _standIn;
    private readonly IAsyncEnumerator<ProxyConfig> _shown;
    private volatile bool _isTaken;

    public StandInTests()
    {
        _standIn = new StandIn(
            "web-sidecar-proxy", _source, static (_, _) => { }, _time, at => _isTaken && at.Port == RolePort);
        _shown = _standIn.ReadAsync(_stop.Token).GetAsyncEnumerator(CancellationToken.None);
    }

    public ValueTask InitializeAsync() => ValueTask.CompletedTask;

    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync();
        await NextAsync();
        await _shown.DisposeAsync();
        _stop.Dispose();
    }

    [Fact]
    public async Task Who_asks_for_the_place_is_answered_when_the_listeners_are_closed()
    {
        _source.Give(Config);
        (await NextAsync()).ShouldBe(Config);
        var next = NextAsync();
        var asked = _standIn.MakeRoomAsync(isFollowing: true, CancellationToken.None);

        var idle = (await next).ShouldNotBeNull();
        idle.PublicListener.ShouldBeNull();
        idle.Upstreams.ShouldBeEmpty();
        idle.Service.ShouldBe("web");
        asked.IsCompleted.ShouldBeFalse();

        // Coming for the next one says that this one is in force.
        var back = NextAsync();
        await asked.WaitAsync(Limit);
        await AdvanceUntilAsync(back);
        (await back).ShouldBe(Config);
    }

    [Fact]
    public async Task Who_asks_while_nothing_listens_does_not_wait()
    {
        await _standIn.MakeRoomAsync(isFollowing: true, CancellationToken.None).WaitAsync(Limit);
        _source.Give(Config);
        (await NextAsync())!.PublicListener.ShouldBeNull();
        await _standIn.MakeRoomAsync(isFollowing: true, CancellationToken.None).WaitAsync(Limit);
    }

    [Fact]
    public async Task A_change_of_the_registration_while_it_stands_by_is_what_it_begins_with()
    {
        _isTaken = true;
        _source.Give(Config);
        (await NextAsync())!.PublicListener.ShouldBeNull();
        var changed = Config with { Upstreams = [] };
        _source.Give(changed);
        (await NextAsync())!.PublicListener.ShouldBeNull();
        var next = NextAsync();
        _isTaken = false;
        await AdvanceUntilAsync(next);
        (await next).ShouldBe(changed);
    }

    private async Task<ProxyConfig?> NextAsync() =>
        await _shown.MoveNextAsync().AsTask().WaitAsync(Limit) ? _shown.Current : null;

    private async Task AdvanceUntilAsync(Task done)
    {
        while (!done.IsCompleted)
        {
            _time.Advance(TimeSpan.FromSeconds(1));
            await Task.Yield();
        }
    }

    private sealed class Source : IProxyConfigSource
    {
        private readonly Channel<ProxyConfig> _given = Channel.CreateBounded<ProxyConfig>(8);

        public void Give(ProxyConfig config) => _given.Writer.TryWrite(config).ShouldBeTrue();

        public async IAsyncEnumerable<ProxyConfig> ReadAsync([EnumeratorCancellation] CancellationToken stop)
        {
            await foreach (var config in _given.Reader.ReadAllAsync(stop))
            {
                yield return config;
            }
        }
    }
}
