using System.Text;
using Praetor.Client;
using Praetor.Client.Locks;
using Shouldly;
using Support;
using Unit.Forwarding;
using Xunit;

namespace Unit.Sessions;

/// <summary>Locks and semaphores of the client, against a server in this process.</summary>
public sealed class ClientLockTests
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(60);
    private static readonly LockOptions NoDelay = new() { LockDelay = TimeSpan.Zero };

    [Fact]
    public async Task A_lock_goes_from_one_to_the_next_with_ever_larger_tokens()
    {
        await using var server = await ServerAsync();
        using var client = Client(server);
        var tokens = new List<ulong>();
        var holders = 0;
        await Task.WhenAll(Enumerable.Range(0, 8).Select(async _ =>
        {
            var one = new KeyLock(client, "job/.lock", NoDelay);
            for (var i = 0; i < 3; i++)
            {
                await using var hold = (await one.AcquireAsync()).ShouldNotBeNull();
                Interlocked.Increment(ref holders).ShouldBe(1);
                tokens.Add(hold.Token);
                await server.PutAsync("/v1/kv/busy", $"{hold.Token}");
                Interlocked.Decrement(ref holders).ShouldBe(0);
            }
        })).WaitAsync(Patience);
        tokens.Count.ShouldBe(24);
        tokens.ShouldBe(tokens.Order());
        tokens.Distinct().Count().ShouldBe(24);
        (await new KeyLock(client, "job/.lock").CleanUpAsync()).ShouldBe(LockCleanUp.Done);
        (await client.GetKeyAsync("job/.lock")).Value.ShouldBeNull();
        (await client.SessionsAsync()).Value.ShouldBeEmpty();
    }

    [Fact]
    public async Task A_semaphore_has_as_many_holders_as_it_says_and_no_more()
    {
        await using var server = await ServerAsync();
        using var client = Client(server);
        var holders = 0;
        var met = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        await Task.WhenAll(Enumerable.Range(0, 8).Select(async _ =>
        {
            var some = new KeySemaphore(client, "jobs", 3, NoDelay);
            for (var i = 0; i < 2; i++)
            {
                await using var hold = (await some.AcquireAsync()).ShouldNotBeNull();
                var now = Interlocked.Increment(ref holders);
                now.ShouldBeLessThanOrEqualTo(3);
                if (now > 1)
                {
                    met.TrySetResult();
                }

                // The first one holds on until another holds a place beside it.
                await met.Task;
                Interlocked.Decrement(ref holders);
            }
        })).WaitAsync(Patience);
        (await new KeySemaphore(client, "jobs", 3).CleanUpAsync()).ShouldBe(LockCleanUp.Done);
        (await client.ListKeysAsync("jobs")).Value.ShouldBeNull();
    }

    [Fact]
    public async Task A_holder_whose_session_is_ended_is_told_and_another_gets_the_lock()
    {
        await using var server = await ServerAsync();
        using var client = Client(server);
        await using var hold = (await new KeyLock(client, "k", NoDelay).AcquireAsync()).ShouldNotBeNull();
        var lost = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        await using var told = hold.Lost.Register(lost.SetResult);
        var next = new KeyLock(client, "k", NoDelay).AcquireAsync();
        await server.PutAsync($"/v1/session/destroy/{hold.SessionId}");
        await lost.Task.WaitAsync(Patience);
        await using var second = (await next.WaitAsync(Patience)).ShouldNotBeNull();
        second.Token.ShouldBeGreaterThan(hold.Token);
    }

    [Fact]
    public async Task Whoever_gives_up_gets_nothing_and_leaves_nothing()
    {
        await using var server = await ServerAsync();
        using var client = Client(server);
        await using var hold = (await new KeyLock(client, "k", NoDelay).AcquireAsync()).ShouldNotBeNull();
        var impatient = NoDelay with { GiveUpAfter = TimeSpan.FromMilliseconds(50) };
        (await new KeyLock(client, "k", impatient).AcquireAsync().WaitAsync(Patience)).ShouldBeNull();
        (await client.SessionsAsync()).Value!.Length.ShouldBe(1);
        using var stop = new CancellationTokenSource();
        var waiting = new KeySemaphore(client, "s", 1, NoDelay).AcquireAsync(stop.Token);
        await using var place = (await waiting.WaitAsync(Patience)).ShouldNotBeNull();
        var second = new KeySemaphore(client, "s", 1, NoDelay).AcquireAsync(stop.Token);
        await stop.CancelAsync();
        await Should.ThrowAsync<OperationCanceledException>(() => second.WaitAsync(Patience));
        (await client.SessionsAsync()).Value!.Length.ShouldBe(2);
    }

    [Fact]
    public void What_is_left_of_a_wait_is_never_sent_as_nothing_which_would_be_minutes()
    {
        var time = new ManualTime();
        var patience = new global::Praetor.Client.Locks.Patience(time, TimeSpan.FromMilliseconds(50));
        patience.Cut(TimeSpan.FromSeconds(1)).ShouldBe(TimeSpan.FromMilliseconds(50));
        time.Advance(TimeSpan.FromMilliseconds(49.5));
        patience.IsOver.ShouldBeFalse();
        patience.Cut(TimeSpan.FromSeconds(1)).ShouldBe(TimeSpan.FromMilliseconds(1));
        time.Advance(TimeSpan.FromMilliseconds(1));
        patience.IsOver.ShouldBeTrue();
        patience.Cut(TimeSpan.FromSeconds(1)).ShouldBe(TimeSpan.FromMilliseconds(1));
    }

    [Fact]
    public async Task A_key_that_is_no_lock_is_left_alone()
    {
        await using var server = await ServerAsync();
        using var client = Client(server);
        await client.PutKeyAsync("k", "x"u8.ToArray());
        await client.PutKeyAsync("s/.lock", "x"u8.ToArray());
        (await Should.ThrowAsync<LockConflictException>(() => new KeyLock(client, "k").AcquireAsync()))
            .Message.ShouldBe("Existing key does not match lock use");
        (await Should.ThrowAsync<LockConflictException>(() => new KeySemaphore(client, "s", 2).AcquireAsync()))
            .Message.ShouldBe("Existing key does not match semaphore use");
        await using var two = (await new KeySemaphore(client, "t", 2).AcquireAsync()).ShouldNotBeNull();
        (await Should.ThrowAsync<LockConflictException>(() => new KeySemaphore(client, "t", 3).AcquireAsync()))
            .Message.ShouldBe("semaphore limit conflict (lock: 2, local: 3)");
        (await new KeySemaphore(client, "t", 2).CleanUpAsync()).ShouldBe(LockCleanUp.InUse);
    }

    [Fact]
    public async Task A_place_whose_holder_is_gone_does_not_count()
    {
        await using var server = await ServerAsync();
        using var client = Client(server);
        var gone = "00000000-0000-0000-0000-00000000dead";
        await client.PutKeyAsync(
            "s/.lock", Encoding.UTF8.GetBytes($$$"""{"Limit":1,"Holders":{"{{{gone}}}":true}}"""),
            new KvWrite { Flags = KeySemaphore.Flags });
        await using var hold = await new KeySemaphore(client, "s", 1, NoDelay).AcquireAsync().WaitAsync(Patience);
        hold.ShouldNotBeNull();
        Encoding.UTF8.GetString((await client.GetKeyAsync("s/.lock")).Value!.Value!)
            .ShouldBe($$$"""{"Limit":1,"Holders":{"{{{hold.SessionId}}}":true}}""");
    }

    [Fact]
    public async Task A_session_made_through_a_client_agent_lives_on_that_agents_node()
    {
        await using var server = await ServerAsync();
        await using var client = await Agent.ClientAsync(server.Peer);
        await server.PutAsync(
            "/v1/catalog/register",
            """{"Node":"c1","Address":"10.0.0.2","Check":{"CheckID":"serfHealth","Name":"s","Status":"passing"}}""");
        await client.PutAsync("/v1/session/create", "{}");
        (await server.JsonAsync("/v1/session/list"))[0].GetProperty("Node").GetString().ShouldBe("c1");
    }

    private static async Task<Agent> ServerAsync()
    {
        var server = await Agent.ServerAsync();
        await server.UntilAsync("/v1/health/node/s1", static checks => checks.EnumerateArray().Any(
            static c => c.GetProperty("CheckID").GetString() == "serfHealth"));
        return server;
    }

    private static PraetorClient Client(Agent agent) =>
        new(new ClientOptions { Address = agent.Address.ToString() });
}
