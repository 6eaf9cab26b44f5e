namespace Gossip.Swim;

/// <summary>All known members, in random order, found by name.</summary>
/// <remarks>
/// One array holds them in the order in which they are probed; an open-addressing index of positions finds them.
/// Members are shared and never changed, so a table costs about 16 bytes for each: that is what lets 10,000 tables
/// of 10,000 members stand in one simulation.
/// </remarks>
internal sealed class MemberTable(Random random)
{
    private const int SlotsMin = 16;

    private Member[] _members = new Member[SlotsMin / 2];

    /// <summary>Position + 1 of a member; 0 is free. The length is a power of two.</summary>
    private int[] _slots = new int[SlotsMin];

    public int Count { get; private set; }

    public Member this[int index] => _members[index];

    public ReadOnlySpan<Member> All => _members.AsSpan(0, Count);

    public Member? Find(string name)
    {
        var position = _slots[SlotOf(name, name.GetHashCode(StringComparison.Ordinal))];
        return position == 0 ? null : _members[position - 1];
    }

    /// <summary>Puts the member in place of the one with its name.</summary>
    public void Replace(Member member) => _members[_slots[SlotOf(member.Name, member.NameHash)] - 1] = member;

    /// <summary>
    /// Adds a member at a random place, so that the time until its first probe is even among members.
    /// </summary>
    public void Add(Member member)
    {
        if (Count == _members.Length)
        {
            Array.Resize(ref _members, Count * 2);
        }
        _members[Count++] = member;
        if (Count * 4 > _slots.Length * 3)
        {
            _slots = new int[_slots.Length * 2];
            Index();
        }
        else
        {
            _slots[SlotOf(member.Name, member.NameHash)] = Count;
        }
        Swap(random.Next(Count), Count - 1);
    }

    /// <summary>Takes many over at once; the table is empty before.</summary>
    public void Load(IReadOnlyList<Member> members)
    {
        _members = [.. members];
        Count = _members.Length;
        var slots = SlotsMin;
        while (Count * 4 > slots * 3)
        {
            slots *= 2;
        }
        _slots = new int[slots];
        random.Shuffle(_members.AsSpan(0, Count));
        Index();
    }

    /// <summary>Forgets those of whom the condition holds and shuffles the rest for the next round of probes.</summary>
    public void ForgetAndShuffle(Predicate<Member> isForgotten)
    {
        var kept = 0;
        for (var i = 0; i < Count; i++)
        {
            if (!isForgotten(_members[i]))
            {
                _members[kept++] = _members[i];
            }
        }
        _members.AsSpan(kept, Count - kept).Clear();
        Count = kept;
        random.Shuffle(_members.AsSpan(0, Count));
        Array.Clear(_slots);
        Index();
    }

    /// <summary>
    /// Picks different members at random of whom the condition holds; as many as there is room for, or fewer.
    /// </summary>
    public int Choose(Span<Member> chosen, Func<Member, bool> isWanted)
    {
        // In small tables random tries miss members too often: walk all of them, from a random shuffle.
        var isSmall = Count < chosen.Length * 3;
        Span<int> order = stackalloc int[isSmall ? Count : 0];
        Shuffle(order);
        var tries = isSmall ? Count : 3 * Count;
        var found = 0;
        for (var i = 0; i < tries && found < chosen.Length; i++)
        {
            var member = _members[isSmall ? order[i] : random.Next(Count)];
            if (isWanted(member) && !Holds(chosen[..found], member))
            {
                chosen[found++] = member;
            }
        }
        return found;
    }

    private static bool Holds(Span<Member> chosen, Member member)
    {
        foreach (var other in chosen)
        {
            if (ReferenceEquals(other, member))
            {
                return true;
            }
        }
        return false;
    }

    private void Shuffle(Span<int> order)
    {
        for (var i = 0; i < order.Length; i++)
        {
            order[i] = i;
        }
        random.Shuffle(order);
    }

    private void Swap(int first, int second)
    {
        if (first == second)
        {
            return;
        }
        var firstSlot = SlotOf(_members[first].Name, _members[first].NameHash);
        var secondSlot = SlotOf(_members[second].Name, _members[second].NameHash);
        (_members[first], _members[second]) = (_members[second], _members[first]);
        (_slots[firstSlot], _slots[secondSlot]) = (second + 1, first + 1);
    }

    private void Index()
    {
        for (var i = 0; i < Count; i++)
        {
            _slots[SlotOf(_members[i].Name, _members[i].NameHash)] = i + 1;
        }
    }

    /// <summary>The slot that holds the name, or the free one where it would go.</summary>
    private int SlotOf(string name, int hash)
    {
        var mask = _slots.Length - 1;
        var slot = hash & mask;
        while (_slots[slot] is var position && position != 0)
        {
            var member = _members[position - 1];
            if (member.NameHash == hash && member.Name == name)
            {
                return slot;
            }
            slot = (slot + 1) & mask;
        }
        return slot;
    }
}
