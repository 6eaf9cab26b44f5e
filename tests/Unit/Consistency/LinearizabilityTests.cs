using System.Collections.Immutable;
using Shouldly;
using Support.Consistency;
using Xunit;

namespace Unit.Consistency;

/// <summary>The checker finds what must not be, and lets pass what may be.</summary>
public sealed class LinearizabilityTests
{
    private const long Never = long.MaxValue;

    [Fact]
    public void Reads_that_overlap_a_write_may_see_it_or_not() => Kv(
        Put("a", 1, 2), Put("b", 3, 10), Get("a", 4, 5), Get("b", 6, 7), Get("b", 11, 12)).ShouldBeNull();

    [Fact]
    public void A_stale_read_is_found() => Kv(
        Put("a", 1, 2), Put("b", 3, 4), Get("a", 5, 6)).ShouldNotBeNull();

    [Fact]
    public void A_read_that_goes_back_behind_another_is_found() => Kv(
        Put("a", 1, 2), Put("b", 3, 10), Get("b", 4, 5), Get("a", 6, 7)).ShouldNotBeNull();

    [Fact]
    public void A_write_that_was_acknowledged_and_is_lost_is_found() => Kv(
        Put("a", 1, 2), Get(null, 3, 4)).ShouldNotBeNull();

    [Fact]
    public void A_write_that_was_done_twice_is_found() => Kv(
        Put("a", 1, 20), Get("a", 2, 3), Put("b", 4, 5), Get("b", 6, 7), Get("a", 8, 9)).ShouldNotBeNull();

    [Fact]
    public void A_deleted_key_that_comes_back_is_found() => Kv(
        Put("a", 1, 2), Delete(3, 4), Get("a", 5, 6)).ShouldNotBeNull();

    [Fact]
    public void A_write_whose_outcome_is_unknown_may_show_late_or_never()
    {
        Kv(Put("a", 1, 2), Lost("b", 3), Get("a", 4, 5), Get("b", 6, 7), Get("b", 8, 9)).ShouldBeNull();
        Kv(Put("a", 1, 2), Lost("b", 3), Get("a", 4, 5), Get("a", 8, 9)).ShouldBeNull();
        Kv(Put("a", 1, 2), Lost("b", 3), Get("b", 4, 5), Get("a", 6, 7)).ShouldNotBeNull();
    }

    [Fact]
    public void Two_that_both_replaced_the_same_version_are_found() => Kv(
        Put("a", 1, 2), Cas("b", "a", true, 3, 6), Cas("c", "a", true, 4, 7)).ShouldNotBeNull();

    [Fact]
    public void A_condition_that_held_and_is_said_not_to_have_is_found()
    {
        Kv(Put("a", 1, 2), Cas("b", "a", false, 3, 4)).ShouldNotBeNull();
        Kv(Put("a", 1, 2), Cas("b", "x", false, 3, 4), Get("a", 5, 6)).ShouldBeNull();
    }

    [Fact]
    public void A_version_with_two_indexes_is_found() => Kv(
        Put("a", 1, 2), Get("a", 3, 4, index: 7), Get("a", 5, 6, index: 8)).ShouldNotBeNull();

    [Fact]
    public void Keys_are_checked_each_alone() => Kv(
        Put("a", 1, 2), Put("b", 3, 4) with { Input = new KvInput(KvVerb.Put, "other", "b") },
        Get("a", 5, 6)).ShouldBeNull();

    [Fact]
    public void Two_holders_of_a_lock_are_found()
    {
        Lock(Acquire(1, true, 1, 2), Acquire(2, false, 3, 4), Release(1, 5, 6), Acquire(2, true, 7, 8)).ShouldBeNull();
        Lock(Acquire(1, true, 1, 2), Acquire(2, true, 3, 4)).ShouldNotBeNull();
    }

    [Fact]
    public void A_hold_without_a_larger_number_is_found()
    {
        Lock(Acquire(1, true, 1, 2), Release(1, 3, 4), Acquire(2, true, 5, 6), Holds(2, 2, 7, 8)).ShouldBeNull();
        Lock(Acquire(1, true, 1, 2), Release(1, 3, 4), Acquire(2, true, 5, 6), Holds(2, 1, 7, 8)).ShouldNotBeNull();
    }

    [Fact]
    public void An_ended_session_gives_its_lock_back_and_gets_none()
    {
        Lock(Acquire(1, true, 1, 2), End(1, 3, 4), Acquire(2, true, 5, 6)).ShouldBeNull();
        Lock(End(1, 1, 2), Acquire(1, true, 3, 4)).ShouldNotBeNull();
        Lock(Acquire(1, true, 1, 2), End(1, 3, Never), Acquire(2, true, 5, 6)).ShouldBeNull();
    }

    [Fact]
    public void A_transaction_that_was_done_by_half_is_found()
    {
        var moved = Transfer([Set(0, "0"), Set(1, "2")], 1, 2);
        Transfers(moved, ReadBoth("0", "2", 3, 4)).ShouldBeTrue();
        Transfers(moved, ReadBoth("0", "1", 3, 4)).ShouldBeFalse();
        Transfers(Transfer([Set(0, "0"), Set(1, "2")], 1, 9), ReadBoth("1", "1", 3, 4), ReadBoth("0", "2", 5, 6))
            .ShouldBeTrue();
        Transfers(Transfer([Set(0, "0"), Set(1, "2")], 1, 9), ReadBoth("0", "1", 3, 4)).ShouldBeFalse();
    }

    [Fact]
    public void A_transaction_that_was_rolled_back_changes_nothing_and_has_a_reason()
    {
        TransferStep[] steps = [new("cas", 0, "0", "x"), Set(1, "2")];
        Transfers(Transfer(steps, 1, 2, isDone: false), ReadBoth("1", "1", 3, 4)).ShouldBeTrue();
        Transfers(Transfer(steps, 1, 2, isDone: false), ReadBoth("1", "2", 3, 4)).ShouldBeFalse();
        Transfers(Transfer([Set(1, "2")], 1, 2, isDone: false)).ShouldBeFalse();
    }

    /// <summary>Many clients, many unknown outcomes: the search must not explode.</summary>
    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    public void A_long_history_of_a_right_register_passes_and_one_wrong_read_in_it_is_found(int seed)
    {
        var calls = RightHistory(new Random(seed), 600);
        Kv([.. calls]).ShouldBeNull();
        var at = calls.FindLastIndex(static c => c.Input.Verb == KvVerb.Get);
        var old = calls.First(static c => c.Input.Verb == KvVerb.Put).Input.Value;
        calls[at] = calls[at] with { Output = new KvOutput(true, old, 1) };
        Kv([.. calls]).ShouldNotBeNull();
    }

    // Each call takes effect at a moment of its own between its beginning and its end.
    private static List<Call<KvInput, KvOutput>> RightHistory(Random random, int count)
    {
        const int Clients = 8;
        var free = new long[Clients];
        var plans = new List<(int Client, long Begin, long At, long End, bool IsKnown, bool IsGet)>();
        for (var i = 0; i < count; i++)
        {
            var client = random.Next(Clients);
            var begin = free[client] + random.Next(1, 20);
            var at = begin + random.Next(1, 50);
            free[client] = at + random.Next(1, 50);
            plans.Add((client, begin, at, free[client], random.Next(100) > 0, random.Next(2) == 0));
        }

        var (value, index, calls) = ((string?)null, 0UL, new List<Call<KvInput, KvOutput>>());
        foreach (var (client, begin, _, end, isKnown, isGet) in plans.OrderBy(static p => p.At))
        {
            if (isGet)
            {
                calls.Add(new(client, new KvInput(KvVerb.Get, "k"), begin, new KvOutput(true, value, index), end));
                continue;
            }

            var put = new KvInput(KvVerb.Put, "k", $"v{calls.Count}");
            (value, index) = isKnown || random.Next(2) == 0 ? (put.Value, index + 1) : (value, index);
            calls.Add(new(client, put, begin, isKnown ? new KvOutput(true) : null, isKnown ? end : Never));
        }

        return calls;
    }

    private static string? Kv(params Call<KvInput, KvOutput>[] calls) => KvModel.ProblemOf(calls);

    private static Call<KvInput, KvOutput> Put(string value, long begin, long end) =>
        new(1, new KvInput(KvVerb.Put, "k", value), begin, new KvOutput(true), end);

    private static Call<KvInput, KvOutput> Lost(string value, long begin) =>
        new(2, new KvInput(KvVerb.Put, "k", value), begin, null, Never);

    private static Call<KvInput, KvOutput> Delete(long begin, long end) =>
        new(1, new KvInput(KvVerb.Delete, "k"), begin, new KvOutput(true), end);

    private static Call<KvInput, KvOutput> Get(string? value, long begin, long end, ulong? index = null) => new(
        3, new KvInput(KvVerb.Get, "k"), begin, new KvOutput(true, value, index ?? (value is null ? 0UL : value[0])),
        end);

    private static Call<KvInput, KvOutput> Cas(string value, string expected, bool isDone, long begin, long end) =>
        new(4, new KvInput(KvVerb.Cas, "k", value, expected, 1), begin, new KvOutput(isDone), end);

    private static string? Lock(params Call<LockInput, LockOutput>[] calls) => LockModel.ProblemOf(calls);

    private static Call<LockInput, LockOutput> Acquire(int session, bool isDone, long begin, long end) =>
        new(session, new LockInput(LockVerb.Acquire, "l", session), begin, new LockOutput(isDone), end);

    private static Call<LockInput, LockOutput> Release(int session, long begin, long end) =>
        new(session, new LockInput(LockVerb.Release, "l", session), begin, new LockOutput(true), end);

    private static Call<LockInput, LockOutput> End(int session, long begin, long end) => new(
        session, new LockInput(LockVerb.End, "l", session), begin, end == Never ? null : new LockOutput(true), end);

    private static Call<LockInput, LockOutput> Holds(int session, ulong number, long begin, long end) =>
        new(9, new LockInput(LockVerb.Read, "l", 0), begin, new LockOutput(true, session, number), end);

    private static TransferStep Set(int account, string value) => new("set", account, value);

    private static Call<TransferInput, TransferOutput> Transfer(
        TransferStep[] steps, long begin, long end, bool isDone = true) => new(
        1, new TransferInput([.. steps]), begin,
        isDone ? new TransferOutput(true, [], []) : TransferOutput.RolledBack, end);

    private static Call<TransferInput, TransferOutput> ReadBoth(string first, string second, long begin, long end) =>
        new(2, new TransferInput([new("get", 0), new("get", 1)]), begin,
            new TransferOutput(true, ImmutableArray.Create(first, second), []), end);

    private static bool Transfers(params Call<TransferInput, TransferOutput>[] calls) =>
        Linearizability.Check(new TransferModel(["1", "1"]), calls).IsLinearizable == true;
}
