namespace Gossip.Swim;

/// <summary>Something that is to happen at a time.</summary>
internal abstract class Deadline
{
    /// <summary>When. Changed only while not in a heap.</summary>
    public TimeSpan At { get; set; }

    /// <summary>Breaks ties, so that a run can be replayed.</summary>
    public long Order { get; set; }

    /// <summary>Where it stands in the heap; -1: in none.</summary>
    public int Index { get; set; } = -1;
}

/// <summary>
/// Deadlines, the next one first. Any of them can be taken out, so that it holds nothing that is over.
/// </summary>
internal sealed class DeadlineHeap
{
    private readonly List<Deadline> _heap = [];
    private long _orders;

    public int Count => _heap.Count;

    public Deadline? Next => _heap.Count == 0 ? null : _heap[0];

    /// <summary>Puts it in, or moves it, to the time.</summary>
    public void Set(Deadline deadline, TimeSpan at)
    {
        Remove(deadline);
        deadline.At = at;
        deadline.Order = _orders++;
        deadline.Index = _heap.Count;
        _heap.Add(deadline);
        Rise(deadline.Index);
    }

    public void Remove(Deadline deadline)
    {
        var index = deadline.Index;
        if (index < 0)
        {
            return;
        }
        deadline.Index = -1;
        var last = _heap[^1];
        _heap.RemoveAt(_heap.Count - 1);
        if (ReferenceEquals(last, deadline))
        {
            return;
        }
        Put(last, index);
        Sink(index);
        Rise(last.Index);
    }

    private static bool IsBefore(Deadline left, Deadline right) =>
        left.At < right.At || (left.At == right.At && left.Order < right.Order);

    private void Put(Deadline deadline, int index)
    {
        _heap[index] = deadline;
        deadline.Index = index;
    }

    private void Rise(int index)
    {
        var deadline = _heap[index];
        while (index > 0 && IsBefore(deadline, _heap[(index - 1) / 2]))
        {
            Put(_heap[(index - 1) / 2], index);
            index = (index - 1) / 2;
        }
        Put(deadline, index);
    }

    private void Sink(int index)
    {
        var deadline = _heap[index];
        while ((2 * index) + 1 is var child && child < _heap.Count)
        {
            if (child + 1 < _heap.Count && IsBefore(_heap[child + 1], _heap[child]))
            {
                child++;
            }
            if (!IsBefore(_heap[child], deadline))
            {
                break;
            }
            Put(_heap[child], index);
            index = child;
        }
        Put(deadline, index);
    }
}
