using System.Text;
using Praetor.Server.Catalog;
using Praetor.Server.Kv;
using Praetor.Server.Queries;
using Praetor.Server.State;
using Praetor.Server.Storage;
using Shouldly;
using Xunit;

namespace Unit.State;

public sealed class StandingQueryTests : IDisposable
{
    private static readonly TimeSpan Long = TimeSpan.FromMinutes(1);

    private readonly StateStore _store = new(new MemoryEngine());
    private readonly QueryHub _hub;
    private int _evaluations;

    public StandingQueryTests() => _hub = new QueryHub(_store, TimeProvider.System);

    public void Dispose() => _store.Dispose();

    [Fact]
    public async Task Equal_questions_are_answered_once_until_something_changes()
    {
        await StateStoreTests.Register(_store, "n1", "web");
        var first = _hub.Read("web", Web);
        _hub.Read("web", Web).ShouldBeSameAs(first);
        _evaluations.ShouldBe(1);
        await Put("unrelated");
        _hub.Read("web", Web).ShouldBeSameAs(first);
        await StateStoreTests.Register(_store, "n2", "web");
        var second = _hub.Read("web", Web);
        second.Index.ShouldBeGreaterThan(first.Index);
        Encoding.UTF8.GetString(second.Body).ShouldBe("n1 n2");
        _evaluations.ShouldBe(2);
    }

    [Fact]
    public async Task A_waiter_sleeps_through_what_does_not_concern_it()
    {
        await StateStoreTests.Register(_store, "n1", "web");
        var index = _hub.Read("web", Web).Index;
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
        var index = _hub.Read("web", Web).Index;
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
    public async Task A_wrong_question_is_refused_at_once_also_with_an_index()
    {
        static QueryAnswer Wrong(ReadView view) => new(view.Index, 400, "text/plain", []);
        (await _hub.WaitAsync("wrong", Wrong, false, 99, Long, CancellationToken.None)).Status.ShouldBe(400);
    }

    [Fact]
    public async Task Readers_get_answers_while_writers_never_pause()
    {
        using var stop = new CancellationTokenSource();
        var writer = Task.Run(async () =>
        {
            for (var i = 0; !stop.IsCancellationRequested; i++)
            {
                await StateStoreTests.Register(_store, $"n{i}", i % 2 == 0 ? "web" : "other");
            }
        });
        var last = 0UL;
        for (var i = 0; i < 50; i++)
        {
            last = (await _hub.WaitAsync("web", Web, false, last, Long, CancellationToken.None)).Index;
        }

        await stop.CancelAsync();
        await writer;
    }

    [Fact]
    public async Task Queries_that_nobody_waits_for_do_not_pile_up()
    {
        for (var i = 0; i < QueryHub.QueriesMax * 2; i++)
        {
            _hub.Read($"q{i}", Web);
        }

        _hub.Count.ShouldBeLessThan(QueryHub.QueriesMax + 100);
        await StateStoreTests.Register(_store, "n1", "web");
        Encoding.UTF8.GetString(_hub.Read("q1", Web).Body).ShouldBe("n1");
    }

    private QueryAnswer Web(ReadView view)
    {
        Interlocked.Increment(ref _evaluations);
        var nodes = CatalogQueries.Instances(view, "web", connect: false).Select(i => i.Node.Name);
        return new QueryAnswer(view.Index, 200, "text/plain", Encoding.UTF8.GetBytes(string.Join(' ', nodes)));
    }

    private Task Put(string key) => _store.SubmitAsync(new PutKey(key, [1], 0, null));
}
