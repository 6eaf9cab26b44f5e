using System.Threading.Channels;
using Microsoft.Extensions.Logging.Abstractions;
using Praetor.Agent.Checks;
using Shouldly;
using Xunit;

namespace Integration.Checks;

/// <summary>The whole of health checking as the agent uses it, by the machine's clock.</summary>
public sealed class CheckEngineTests : IAsyncDisposable
{
    private readonly ChannelSink _sink = new();
    private readonly CheckEngine _engine;

    public CheckEngineTests() => _engine = new CheckEngine(
        new CheckEngineOptions { Random = new Random(1) }, _sink, new NoAliases(), NullLogger.Instance);

    [Fact]
    public async Task A_web_server_is_watched_through_failure_and_recovery()
    {
        await using var target = new HttpTarget();
        target.On("/health", "200 OK", "up");
        _engine.Put(new CheckSpec
        {
            Id = "web",
            Http = $"{target.Url}/health",
            Interval = TimeSpan.FromSeconds(1),
            FailuresBeforeCritical = 2,
        });
        (await _sink.UntilAsync(CheckStatus.Passing)).ShouldBe("HTTP GET " + target.Url + "/health: 200 OK Output: up");
        target.On("/health", "503 Service Unavailable", "down");
        (await _sink.UntilAsync(CheckStatus.Critical)).ShouldEndWith("503 Service Unavailable Output: down");
        target.On("/health", "200 OK", "up");
        await _sink.UntilAsync(CheckStatus.Passing);
    }

    [Fact]
    public async Task A_check_may_change_its_type()
    {
        _engine.Put(new CheckSpec { Id = "c", Ttl = TimeSpan.FromHours(1) });
        _engine.Pass("c", "fine").ShouldBeTrue();
        (await _sink.UntilAsync(CheckStatus.Passing)).ShouldBe("fine");
        _engine.Put(new CheckSpec { Id = "c", Tcp = "127.0.0.1:1", Interval = TimeSpan.FromSeconds(1) });
        _engine.Pass("c", "fine").ShouldBeFalse();
        await _sink.UntilAsync(CheckStatus.Critical);
        _engine.Put(new CheckSpec { Id = "c", AliasService = "web" });
        (await _sink.UntilAsync(CheckStatus.Passing)).ShouldBe("No checks found.");
        _engine.Remove("c").ShouldBeTrue();
        _engine.Remove("c").ShouldBeFalse();
    }

    [Fact]
    public void A_check_of_nothing_is_refused() =>
        Should.Throw<ArgumentException>(() => _engine.Put(new CheckSpec { Id = "c" }));

    public ValueTask DisposeAsync() => _engine.DisposeAsync();

    private sealed class ChannelSink : ICheckSink
    {
        private const int UpdatesMax = 1000;
        private readonly Channel<(CheckStatus Status, string Output)> _updates =
            Channel.CreateBounded<(CheckStatus, string)>(UpdatesMax);

        public void Update(string checkId, CheckStatus status, string output) =>
            _updates.Writer.TryWrite((status, output));

        public async Task<string> UntilAsync(CheckStatus status)
        {
            while (true)
            {
                var update = await _updates.Reader.ReadAsync(TestContext.Current.CancellationToken);
                if (update.Status == status)
                {
                    return update.Output;
                }
            }
        }
    }

    private sealed class NoAliases : IAliasSource
    {
        public AliasView Look(string node, string serviceId) => new(Exists: true, []);

        public IDisposable Subscribe(string node, string serviceId, Action changed) => new MemoryStream();
    }
}
