using System.Text;
using Praetor.Server.Catalog;
using Praetor.Server.Kv;
using Praetor.Server.Queries;
using Praetor.Server.State;
using Praetor.Server.Storage;
using Shouldly;
using Support;
using Xunit;

namespace Unit.State;

public sealed class StandingQueryTests : IDisposable
{
    private static readonly TimeSpan Long = TimeSpan.FromMinutes(1);
    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(20);
    private static readonly TimeSpan Glimpse = TimeSpan.FromMilliseconds(50);

    private readonly StateStore _store = new(new MemoryEngine());
    private readonly QueryHub _hub;
    private Action _duringWeb = static () => { };
    private int _evaluations;

    public StandingQueryTests() => _hub = new QueryHub(_store, TimeProvider.System);

    public void Dispose() => _store.Dispose();

    [Fact]
    public async Task Equal_questions_are_answered_once_until_something_changes()
    {
        await StateStoreTests.Register(_store, "n1", "web");
        var first = await _hub.ReadAsync("web", Web);
        (await _hub.ReadAsync("web", Web)).ShouldBeSameAs(first);
        _evaluations.ShouldBe(1);
        await Put("unrelated");
        (await _hub.ReadAsync("web", Web)).ShouldBeSameAs(first);
        await StateStoreTests.Register(_store, "n2", "web");
        var second = await _hub.ReadAsync("web", Web);
        second.Index.ShouldBeGreaterThan(first.Index);
        Encoding.UTF8.GetString(second.Body).ShouldBe("n1 n2");
        _evaluations.ShouldBe(2);
    }

    [Fact]
    public async Task A_waiter_sleeps_through_what_does_not_concern_it()
    {
        await StateStoreTests.Register(_store, "n1", "web");
        var index = (await _hub.ReadAsync("web", Web)).Index;
        var waiting = _hub.WaitAsync("web", Web, false, index, Long, CancellationToken.None);
        for (var i = 0; i < 100; i++)
        {
            await Put($"k{i}");
            await StateStoreTests.Register(_store, $"n{i}", "other");
        }

        waiting.IsCompleted.ShouldBeFalse();
        await StateStoreTests.Register(_store, "n500", "web");
        (await waiting).Index.ShouldBeGreaterThan(index);
    }

    [Fact]
    public async Task A_thousand_waiters_are_woken_by_one_evaluation()
    {
        await StateStoreTests.Register(_store, "n1", "web");
        var index = (await _hub.ReadAsync("web", Web)).Index;
        var waiting = Enumerable.Range(0, 1000)
            .Select(_ => _hub.WaitAsync("web", Web, false, index, Long, CancellationToken.None)).ToList();
        await StateStoreTests.Register(_store, "n2", "web");
        var answers = await Task.WhenAll(waiting);
        answers.Distinct().Count().ShouldBe(1);
        _evaluations.ShouldBe(2);
    }

    [Fact]
    public async Task No_change_is_lost_between_a_read_and_the_wait_behind_it()
    {
        var last = 0UL;
        var writer = Task.Run(async () =>
        {
            for (var i = 0; i < 500; i++)
            {
                await StateStoreTests.Register(_store, $"n{i}", "web");
            }
        });
        while (true)
        {
            var answer = await _hub.WaitAsync("web", Web, false, last, Long, CancellationToken.None);
            answer.Index.ShouldBeGreaterThan(last);
            last = answer.Index;
            if (Encoding.UTF8.GetString(answer.Body).Split(' ').Length == 500)
            {
                break;
            }
        }

        await writer;
    }

    [Fact]
    public async Task While_an_answer_is_made_anew_nobody_gets_the_one_of_before()
    {
        await StateStoreTests.Register(_store, "n1", "web");
        var first = await _hub.ReadAsync("web", Web);
        await StateStoreTests.Register(_store, "n2", "web");
        var isIn = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        using var goOn = new ManualResetEventSlim();
        _duringWeb = () =>
        {
            isIn.TrySetResult();
            goOn.Wait(Limit, TestContext.Current.CancellationToken).ShouldBeTrue();
        };
        var making = Task.Run(async () => await _hub.ReadAsync("web", Web));
        await isIn.Task.WaitAsync(Limit, TestContext.Current.CancellationToken);

        // What was written is there for whoever asks from now on, and who waits for it must not sleep through it.
        var read = Task.Run(async () => await _hub.ReadAsync("web", Web));
        var waiting = Task.Run(() => _hub.WaitAsync("web", Web, false, first.Index, Long, CancellationToken.None));
        (await Task.WhenAny(read, Task.Delay(Glimpse, TimeProvider.System))).ShouldNotBe(read);
        goOn.Set();
        Encoding.UTF8.GetString((await making.WaitAsync(Limit)).Body).ShouldBe("n1 n2");
        Encoding.UTF8.GetString((await read.WaitAsync(Limit)).Body).ShouldBe("n1 n2");
        Encoding.UTF8.GetString((await waiting.WaitAsync(Limit)).Body).ShouldBe("n1 n2");
    }

    [Fact]
    public async Task A_wrong_question_is_refused_at_once_also_with_an_index()
    {
        static QueryAnswer Wrong(ReadView view) => new(view.Index, 400, "text/plain", []);
        (await _hub.WaitAsync("wrong", Wrong, false, 99, Long, CancellationToken.None)).Status.ShouldBe(400);
    }

    [Fact]
    public async Task Readers_get_answers_while_writers_never_pause()
    {
        // The nodes repeat: were there ever more, each answer would take longer than the one before, and the writer
        // would add more meanwhile than on the way to that one.
        const int Nodes = 100;
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(TestContext.Current.CancellationToken);
        var writer = Task.Run(async () =>
        {
            for (var i = 0; !stop.IsCancellationRequested; i++)
            {
                await StateStoreTests.Register(_store, $"n{i % Nodes}", i % 2 == 0 ? "web" : "other", port: i);
            }
        });
        try
        {
            var last = 0UL;
            for (var i = 0; i < 50; i++)
            {
                last = (await _hub.WaitAsync("web", Web, false, last, Long, CancellationToken.None)).Index;
            }
        }
        finally
        {
            await stop.CancelAsync();
            await writer;
        }
    }

    [Fact]
    public async Task Queries_that_nobody_waits_for_do_not_pile_up()
    {
        for (var i = 0; i < QueryHub.QueriesMax * 2; i++)
        {
            await _hub.ReadAsync($"q{i}", Web);
        }

        _hub.Count.ShouldBeLessThan(QueryHub.QueriesMax + 100);
        await StateStoreTests.Register(_store, "n1", "web");
        Encoding.UTF8.GetString((await _hub.ReadAsync("q1", Web)).Body).ShouldBe("n1");
    }

    [Fact]
    public async Task A_long_evaluation_holds_up_nobody_and_all_who_ask_meanwhile_share_it()
    {
        using var begun = new SemaphoreSlim(0);
        using var goOn = new ManualResetEventSlim();
        QueryAnswer Slow(ReadView view)
        {
            begun.Release();
            goOn.Wait(Limit);
            return Web(view);
        }

        var first = _hub.ReadAsync("slow", Slow).AsTask();
        (await begun.WaitAsync(Limit, TestContext.Current.CancellationToken)).ShouldBeTrue();
        var others = Enumerable.Range(0, 100).Select(_ => _hub.ReadAsync("slow", Slow).AsTask()).ToList();
        first.IsCompleted.ShouldBeFalse();
        goOn.Set();
        (await Task.WhenAll([first, .. others]).WaitAsync(Limit)).Distinct().Count().ShouldBe(1);
        _evaluations.ShouldBe(1);
    }

    [Fact]
    public async Task What_was_quick_the_last_time_is_answered_where_it_is_asked()
    {
        var time = new ManualTime();
        var hub = new QueryHub(_store, time);
        using var goOn = new ManualResetEventSlim(initialState: true);
        var takes = TimeSpan.Zero;
        QueryAnswer Timed(ReadView view)
        {
            goOn.Wait(Limit);
            time.Advance(takes);
            return Web(view);
        }

        await hub.ReadAsync("web", Timed);
        takes = StandingQuery.QuickMax * 2;
        await StateStoreTests.Register(_store, "n1", "web");
        hub.ReadAsync("web", Timed).IsCompleted.ShouldBeTrue();

        // That took long, so the next one is left to another thread.
        await StateStoreTests.Register(_store, "n2", "web");
        goOn.Reset();
        var aside = hub.ReadAsync("web", Timed).AsTask();
        aside.IsCompleted.ShouldBeFalse();
        goOn.Set();
        Encoding.UTF8.GetString((await aside.WaitAsync(Limit)).Body).ShouldBe("n1 n2");
    }

    [Fact]
    public async Task Who_follows_a_query_that_fails_asks_again_after_a_pause()
    {
        var time = new ManualTime();
        var hub = new QueryHub(_store, time);
        using var stop = new CancellationTokenSource();
        var isBroken = true;
        QueryAnswer Broken(ReadView view)
        {
            var answer = Web(view);
            return isBroken ? throw new InvalidOperationException("broken") : answer;
        }

        var taken = new TaskCompletionSource<QueryAnswer>(TaskCreationOptions.RunContinuationsAsynchronously);
        var following = hub.FollowAsync("web", Broken, answer => taken.TrySetResult(answer), stop.Token);
        await time.TimersAsync(1).WaitAsync(Limit);
        isBroken = false;
        await StateStoreTests.Register(_store, "n1", "web");
        taken.Task.IsCompleted.ShouldBeFalse();

        time.Advance(TimeSpan.FromSeconds(1));
        Encoding.UTF8.GetString((await taken.Task.WaitAsync(Limit)).Body).ShouldBe("n1");
        await stop.CancelAsync();
        await following.WaitAsync(Limit);
    }

    private QueryAnswer Web(ReadView view)
    {
        Interlocked.Increment(ref _evaluations);
        _duringWeb();
        var nodes = CatalogQueries.Instances(view, "web", connect: false).Select(i => i.Node.Name);
        return new QueryAnswer(view.Index, 200, "text/plain", Encoding.UTF8.GetBytes(string.Join(' ', nodes)));
    }

    private Task Put(string key) => _store.SubmitAsync(new PutKey(key, [1], 0, null));
}
