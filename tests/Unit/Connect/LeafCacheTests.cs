using Microsoft.Extensions.Logging.Abstractions;
using Praetor.Agent.Connect;
using Praetor.Server.Connect;
using Praetor.Server.State;
using Shouldly;
using Support;
using Unit.Checks;
using Xunit;

namespace Unit.Connect;

public sealed class LeafCacheTests : IAsyncDisposable
{
    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(20);
    private static readonly TimeSpan Wait = TimeSpan.FromMinutes(5);

    private readonly ManualTime _time = new(new DateTimeOffset(2026, 11, 21, 12, 0, 0, TimeSpan.Zero));
    private readonly LeafCache _cache;
    private CaState _state = CertificateAuthorityTests.Fresh();
    private volatile bool _isAway;
    private int _signed;

    public LeafCacheTests() => _cache = new LeafCache(
        Sign,
        (s, _) => ValueTask.FromResult(new SpiffeService(_state.Document.TrustDomain, "default", "dc1", s)),
        _time,
        new Random(7),
        NullLogger.Instance);

    public ValueTask DisposeAsync() => _cache.DisposeAsync();

    [Fact]
    public async Task A_service_has_one_certificate_and_its_key()
    {
        var first = await Read("web");
        var again = await Read("web");
        first.Leaf.PrivateKeyPem!.ShouldStartWith("-----BEGIN EC PRIVATE KEY-----");
        again.Leaf.ShouldBe(first.Leaf);
        (first.IsHit, again.IsHit).ShouldBe((false, true));
        _signed.ShouldBe(1);
    }

    [Fact]
    public async Task Many_first_readers_share_one_signature()
    {
        await Task.WhenAll(Enumerable.Range(0, 20).Select(_ => Read("web")));
        _signed.ShouldBe(1);
    }

    [Fact]
    public async Task A_blocked_reader_wakes_when_the_certificate_is_renewed_between_60_and_80_percent_of_its_life()
    {
        var first = await Read("web");
        var next = Blocked("web", first.Index, TimeSpan.FromHours(72));
        await Advance(TimeSpan.FromHours(43), next);
        next.IsCompleted.ShouldBeFalse();
        await Advance(TimeSpan.FromHours(15), next);
        var renewed = (await next.WaitAsync(Limit)).Value;
        renewed.Index.ShouldBeGreaterThan(first.Index);
        renewed.Leaf.SerialNumber.ShouldNotBe(first.Leaf.SerialNumber);
        renewed.Leaf.PrivateKeyPem.ShouldNotBe(first.Leaf.PrivateKeyPem);
    }

    [Fact]
    public async Task Another_root_renews_all_certificates_within_a_short_while()
    {
        var first = await Read("web");
        var next = Blocked("web", first.Index, Wait);
        _state = CertificateAuthorityTests.Configure(_state, new() { ["PrivateKeyBits"] = 384 });
        _cache.RootsChanged(_state.Document.Active.Id);
        await Advance(TimeSpan.FromSeconds(15), next);
        (await next.WaitAsync(Limit)).Value.Leaf.RootId.ShouldBe(_state.Document.Active.Id);
    }

    [Fact]
    public async Task While_signing_fails_the_old_certificate_is_answered_and_recovery_takes_seconds()
    {
        var first = await Read("web");
        var next = Blocked("web", first.Index, TimeSpan.FromHours(200));
        _isAway = true;
        await Advance(TimeSpan.FromHours(71), next);
        (await Read("web")).Leaf.ShouldBe(first.Leaf);
        _isAway = false;
        await Advance(TimeSpan.FromSeconds(5), next);
        (await next.WaitAsync(Limit)).Value.Leaf.SerialNumber.ShouldNotBe(first.Leaf.SerialNumber);
    }

    [Fact]
    public async Task A_refused_service_is_not_kept()
    {
        _isAway = true;
        var outcome = await _cache.ReadAsync("web", 0, Wait, CancellationToken.None);
        outcome.Refusal!.Text.ShouldBe("away");
        _cache.Count.ShouldBe(0);
        _isAway = false;
        (await Read("web")).Leaf.Service.ShouldBe("web");
    }

    [Fact]
    public async Task A_wait_ends_with_the_same_certificate()
    {
        var first = await Read("web");
        var next = Blocked("web", first.Index, TimeSpan.FromSeconds(10));
        await Advance(TimeSpan.FromSeconds(10), next);
        (await next.WaitAsync(Limit)).Value.Index.ShouldBe(first.Index);
    }

    [Fact]
    public async Task A_renewal_that_is_due_within_a_millisecond_is_slept_for()
    {
        const double HalfAMillisecondOfFifteenSeconds = 1.0 / 30_000;
        await using var cache = new LeafCache(
            Sign,
            (s, _) => ValueTask.FromResult(new SpiffeService(_state.Document.TrustDomain, "default", "dc1", s)),
            _time,
            new FixedRandom(HalfAMillisecondOfFifteenSeconds), NullLogger.Instance);
        var first = await cache.ReadAsync("web", 0, Wait, CancellationToken.None).WaitAsync(Limit);
        cache.RootsChanged("another root");

        // The loop sleeps for that, and the cache of the class has none.
        await _time.TimersAsync(1).WaitAsync(Limit);
        _time.Advance(TimeSpan.FromMilliseconds(2));
        var next = await cache.ReadAsync("web", first.Value.Index, Wait, CancellationToken.None).WaitAsync(Limit);
        next.Value.Leaf.SerialNumber.ShouldNotBe(first.Value.Leaf.SerialNumber);
    }

    private Task<Outcome<IssuedLeaf>> Sign(string service, string csr, string token, CancellationToken stop)
    {
        if (_isAway)
        {
            return Task.FromResult<Outcome<IssuedLeaf>>(Refusal.Failed("away"));
        }

        Interlocked.Increment(ref _signed);
        using var signer = new LeafSigner(_state, "dc1");
        signer.TrySign(csr, service, _time.GetUtcNow(), 7, out var leaf, out var refusal).ShouldBeTrue(refusal?.Text);
        return Task.FromResult<Outcome<IssuedLeaf>>(leaf!);
    }

    private async Task<LeafAnswer> Read(string service)
    {
        var outcome = await _cache.ReadAsync(service, 0, Wait, CancellationToken.None).WaitAsync(Limit);
        outcome.Refusal.ShouldBeNull();
        return outcome.Value;
    }

    private Task<Outcome<LeafAnswer>> Blocked(string service, ulong index, TimeSpan wait) =>
        _cache.ReadAsync(service, index, wait, CancellationToken.None);

    // Loops go on in the thread pool: each step waits until the cache's loop and the reader sleep again, or are done.
    private async Task Advance(TimeSpan span, Task reader)
    {
        const int LoopAndReader = 2;
        var step = TimeSpan.FromTicks(Math.Max(span.Ticks / 400, TimeSpan.FromMilliseconds(100).Ticks));
        for (var gone = TimeSpan.Zero; gone < span; gone += step)
        {
            _time.Advance(step);
            await Task.WhenAny(reader, _time.TimersAsync(LoopAndReader)).WaitAsync(Limit);
        }
    }
}
