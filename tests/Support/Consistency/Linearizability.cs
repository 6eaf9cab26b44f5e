using System.Text;

namespace Support.Consistency;

/// <summary>How a thing behaves when one after the other uses it.</summary>
/// <typeparam name="TState">Its state; equal states must be equal by <c>Equals</c>.</typeparam>
/// <typeparam name="TIn">What is asked.</typeparam>
/// <typeparam name="TOut">What is answered.</typeparam>
public interface IModel<TState, in TIn, in TOut>
    where TState : notnull
    where TOut : class
{
    /// <summary>How it begins.</summary>
    TState Initial { get; }

    /// <summary>Whether this answer is right in a state.</summary>
    /// <param name="state">The state.</param>
    /// <param name="input">What is asked.</param>
    /// <param name="output">The answer. Null: any.</param>
    /// <param name="next">The state afterwards.</param>
    bool Allows(TState state, TIn input, TOut? output, out TState next);
}

/// <summary>What a check found.</summary>
/// <param name="IsLinearizable">Whether there is an order. Null: the search was given up.</param>
/// <param name="Steps">How many steps were tried.</param>
/// <param name="Problem">Where every order that was tried got stuck. Empty: there is one.</param>
public sealed record Verdict(bool? IsLinearizable, long Steps, string Problem);

/// <summary>Looks for an order in which calls that overlapped could have been made one after the other.</summary>
/// <remarks>
/// The problem: clients that work side by side see answers; is there an order of their calls that keeps what was over
/// before another began, in which each answer is right?
/// The idea (Wing and Gong; Lowe's memory): take any call that began before the first end among those left, if the
/// model allows its answer, and go on; go back when stuck. Which calls were taken and the state they made say all
/// about what can follow, so a pair that was met before is not tried again. Calls with an unknown outcome have no
/// end: they may be taken at any time from their beginning on, or never, so the search is over when all others are
/// taken.
/// Keys that do not touch each other are checked each alone by the caller, as their orders are independent.
/// </remarks>
public static class Linearizability
{
    /// <summary>So many steps are tried until the search is given up.</summary>
    public const long StepsMax = 20_000_000;

    /// <summary>Checks one thing's history.</summary>
    public static Verdict Check<TState, TIn, TOut>(
        IModel<TState, TIn, TOut> model, IEnumerable<Call<TIn, TOut>> calls, long stepsMax = StepsMax)
        where TState : notnull
        where TOut : class =>
        new Search<TState, TIn, TOut>(model, [.. calls.OrderBy(static c => c.Begin)]).Run(stepsMax);

    private sealed class Search<TState, TIn, TOut>
        where TState : notnull
        where TOut : class
    {
        private const int BitsPerWord = 64;
        private const int Around = 12;

        private readonly IModel<TState, TIn, TOut> _model;
        private readonly Call<TIn, TOut>[] _calls;
        private readonly int[] _byEnd;
        private readonly ulong[] _taken;
        private readonly HashSet<(Taken, TState)> _met = [];
        private readonly Stack<Frame> _frames = new();
        private int _left;
        private int _most;
        private (string State, long FirstEnd) _stuck = ("", 0);

        public Search(IModel<TState, TIn, TOut> model, Call<TIn, TOut>[] calls)
        {
            (_model, _calls) = (model, calls);
            _byEnd = [.. Enumerable.Range(0, calls.Length).Where(i => calls[i].IsKnown).OrderBy(i => calls[i].End)];
            _taken = new ulong[(calls.Length / BitsPerWord) + 1];
            _left = _byEnd.Length;
        }

        public Verdict Run(long stepsMax)
        {
            var steps = 0L;
            var frame = FrameAt(_model.Initial, firstOpen: 0, firstEnd: 0);
            while (_left > 0)
            {
                if (++steps > stepsMax)
                {
                    return new Verdict(null, steps, $"given up after {steps} steps, with {_left} calls left");
                }

                if (TryNext(frame, out var taken, out var next))
                {
                    _frames.Push(frame with { Taken = taken });
                    frame = FrameAt(next, frame.FirstOpen, frame.FirstEnd);
                    continue;
                }

                if (_frames.Count == 0)
                {
                    return new Verdict(false, steps, Explain());
                }

                frame = _frames.Pop();
                Put(frame.Taken, isTaken: false);
            }

            return new Verdict(true, steps, "");
        }

        // What may come next: who began before the first of those left had ended. Those whose end is near come first,
        // those that may never have been at last.
        private Frame FrameAt(TState state, int firstOpen, int firstEnd)
        {
            while (firstEnd < _byEnd.Length && IsTaken(_byEnd[firstEnd]))
            {
                firstEnd++;
            }

            while (firstOpen < _calls.Length && IsTaken(firstOpen))
            {
                firstOpen++;
            }

            var limit = firstEnd < _byEnd.Length ? _calls[_byEnd[firstEnd]].End : long.MaxValue;
            var candidates = new List<int>();
            for (var i = firstOpen; i < _calls.Length && _calls[i].Begin <= limit; i++)
            {
                if (!IsTaken(i))
                {
                    candidates.Add(i);
                }
            }

            candidates.Sort((a, b) => (_calls[a].End, _calls[a].Begin).CompareTo((_calls[b].End, _calls[b].Begin)));
            Note(state, limit);
            return new Frame(state, [.. candidates], firstOpen, firstEnd);
        }

        private bool TryNext(Frame frame, out int taken, out TState next)
        {
            while (frame.At.Value < frame.Candidates.Length)
            {
                taken = frame.Candidates[frame.At.Value++];
                var call = _calls[taken];
                if (!_model.Allows(frame.State, call.Input, call.Output, out next)
                    || (!call.IsKnown && next.Equals(frame.State)))
                {
                    continue;
                }

                Put(taken, isTaken: true);
                if (_met.Add((new Taken([.. _taken]), next)))
                {
                    return true;
                }

                Put(taken, isTaken: false);
            }

            (taken, next) = (-1, frame.State);
            return false;
        }

        private void Put(int call, bool isTaken)
        {
            _taken[call / BitsPerWord] ^= 1UL << (call % BitsPerWord);
            _left -= !_calls[call].IsKnown ? 0 : isTaken ? 1 : -1;
        }

        private bool IsTaken(int call) => (_taken[call / BitsPerWord] & (1UL << (call % BitsPerWord))) != 0;

        private void Note(TState state, long limit)
        {
            var done = _byEnd.Length - _left;
            if (done >= _most)
            {
                _most = done;
                _stuck = (state.ToString() ?? "", limit);
            }
        }

        private string Explain()
        {
            var text = new StringBuilder();
            text.Append($"no order: stuck after {_most} of {_byEnd.Length} calls, in the state {_stuck.State}, ")
                .AppendLine($"before the end {_stuck.FirstEnd}; the calls around it:");
            var near = _calls.Where(c => c.Begin <= _stuck.FirstEnd && c.End >= _stuck.FirstEnd - Around)
                .Concat(_calls.Where(c => !c.IsKnown && c.Begin <= _stuck.FirstEnd)).Distinct();
            var before = _calls.Where(c => c.End < _stuck.FirstEnd).OrderBy(static c => c.End).TakeLast(Around);
            foreach (var call in before.Concat(near).Distinct().OrderBy(static c => c.Begin))
            {
                text.AppendLine(call.ToString());
            }

            return text.ToString();
        }

        private sealed record Frame(TState State, int[] Candidates, int FirstOpen, int FirstEnd)
        {
            public Counter At { get; init; } = new();

            public int Taken { get; init; } = -1;
        }

        private sealed class Counter
        {
            public int Value;
        }

        private readonly struct Taken(ulong[] words) : IEquatable<Taken>
        {
            private readonly ulong[] _words = words;

            public bool Equals(Taken other) => _words.AsSpan().SequenceEqual(other._words);

            public override bool Equals(object? obj) => obj is Taken other && Equals(other);

            public override int GetHashCode()
            {
                var hash = default(HashCode);
                foreach (var word in _words)
                {
                    hash.Add(word);
                }

                return hash.ToHashCode();
            }
        }
    }
}
