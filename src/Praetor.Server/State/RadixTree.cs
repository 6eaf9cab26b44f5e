namespace Praetor.Server.State;

/// <summary>
/// An immutable ordered map from byte strings to values. A reader holds a version for as long as it likes; the
/// writer makes the next version with a <see cref="RadixEditor{T}"/>, sharing all that did not change.
/// </summary>
/// <remarks>
/// Every node knows the index of the last change at or below it, removals included, so "when did anything under this
/// prefix change?" costs one walk down the tree. For a prefix under which nothing stands, the answer is that of the
/// nearest node above: never too low (a removal leaves its index there), at times too high, which costs a blocking
/// reader one early return and never a lost one.
/// </remarks>
internal sealed class RadixTree<T>
    where T : class
{
    public static readonly RadixTree<T> Empty = new(new RadixNode<T> { Prefix = [] }, 0);

    internal RadixTree(RadixNode<T> root, int count)
    {
        Root = root;
        Count = count;
    }

    /// <summary>How many values there are.</summary>
    public int Count { get; }

    /// <summary>The index of the last change to anything in the tree.</summary>
    public ulong LastIndex => Root.LastIndex;

    internal RadixNode<T> Root { get; }

    /// <summary>The value at exactly this key, or null.</summary>
    public T? Get(ReadOnlySpan<byte> key)
    {
        var node = Root;
        while (true)
        {
            if (!key.StartsWith(node.Prefix))
            {
                return null;
            }

            key = key[node.Prefix.Length..];
            if (key.IsEmpty)
            {
                return node.Value;
            }

            var at = node.FindChild(key[0]);
            if (at < 0)
            {
                return null;
            }

            node = node.Children[at];
        }
    }

    /// <summary>The index of the last change under a prefix, or of the nearest node above when nothing is
    /// there.</summary>
    public ulong LastIndexUnder(ReadOnlySpan<byte> prefix)
    {
        var found = Find(prefix, out var above);
        return found?.LastIndex ?? above;
    }

    /// <summary>Values whose keys begin with a prefix, in the byte order of their keys.</summary>
    public RadixScan<T> Scan(ReadOnlySpan<byte> prefix) => new(Find(prefix, out _));

    /// <summary>Values put after an index and some on the way to them, in the byte order of their keys; branches in
    /// which nothing changed are not visited.</summary>
    public IEnumerable<T> ScanSince(ulong index)
    {
        var left = new Stack<RadixNode<T>>();
        left.Push(Root);
        while (left.TryPop(out var node))
        {
            if (node.LastIndex <= index)
            {
                continue;
            }

            for (var i = node.Children.Length - 1; i >= 0; i--)
            {
                left.Push(node.Children[i]);
            }

            if (node.Value is { } value)
            {
                yield return value;
            }
        }
    }

    /// <summary>
    /// Visits values under a prefix in order with the rest of their key; the visitor may skip what is below a group.
    /// </summary>
    /// <param name="prefix">Where to begin.</param>
    /// <param name="groupEnd">Keys that agree up to and with this byte, behind the prefix, form one group.</param>
    /// <param name="visit">Gets the key behind the prefix, up to and with the group's end, and the value of a whole
    /// key.</param>
    public void WalkGroups(ReadOnlySpan<byte> prefix, ReadOnlySpan<byte> groupEnd, GroupVisitor visit)
    {
        var start = Find(prefix, out _, out var overhang);
        if (start is null)
        {
            return;
        }

        Walk(start, [.. overhang], groupEnd, visit);
    }

    /// <summary>Sees a key or, with a null value, a group of keys.</summary>
    public delegate void GroupVisitor(ReadOnlySpan<byte> rest, T? value);

    private static void Walk(RadixNode<T> node, byte[] path, ReadOnlySpan<byte> groupEnd, GroupVisitor visit)
    {
        if (!groupEnd.IsEmpty && path.AsSpan().IndexOf(groupEnd) is var end and >= 0)
        {
            visit(path.AsSpan(0, end + groupEnd.Length), null);
            return;
        }

        if (node.Value is not null)
        {
            visit(path, node.Value);
        }

        foreach (var child in node.Children)
        {
            Walk(child, [.. path, .. child.Prefix], groupEnd, visit);
        }
    }

    private RadixNode<T>? Find(ReadOnlySpan<byte> prefix, out ulong above) => Find(prefix, out above, out _);

    // The topmost node below which all keys begin with the prefix; overhang is the part of its bytes behind the prefix.
    private RadixNode<T>? Find(ReadOnlySpan<byte> prefix, out ulong above, out ReadOnlySpan<byte> overhang)
    {
        var node = Root;
        above = Root.LastIndex;
        while (true)
        {
            ReadOnlySpan<byte> here = node.Prefix;
            if (prefix.Length <= here.Length)
            {
                overhang = here[Math.Min(prefix.Length, here.Length)..];
                return here.StartsWith(prefix) ? node : null;
            }

            overhang = default;
            if (!prefix.StartsWith(here))
            {
                return null;
            }

            above = node.LastIndex;
            prefix = prefix[here.Length..];
            var at = node.FindChild(prefix[0]);
            if (at < 0)
            {
                return null;
            }

            node = node.Children[at];
        }
    }
}
