namespace Praetor.Server.State;

/// <summary>Makes the next version of a <see cref="RadixTree{T}"/>. Used by one thread, then thrown away.</summary>
internal sealed class RadixEditor<T>(RadixTree<T> from)
    where T : class
{
    private readonly object _owner = new();
    private RadixNode<T> _root = from.Root;
    private int _count = from.Count;
    private bool _changed;

    /// <summary>The version made so far; the editor must not be used afterwards.</summary>
    public RadixTree<T> Finish() => _changed ? new RadixTree<T>(_root, _count) : from;

    /// <summary>A view of what was made so far, for reading in between; it changes with the next edit.</summary>
    public RadixTree<T> Peek() => _changed ? new RadixTree<T>(_root, _count) : from;

    /// <summary>Puts a value and notes the index on the way down.</summary>
    public void Set(ReadOnlySpan<byte> key, T value, ulong index)
    {
        _changed = true;
        _root = Set(_root, key, value, index);
    }

    /// <summary>Removes the value at a key, if there is one, and notes the index on the way down.</summary>
    public bool Remove(ReadOnlySpan<byte> key, ulong index)
    {
        if (new RadixTree<T>(_root, _count).Get(key) is null)
        {
            return false;
        }

        _changed = true;
        _count--;
        _root = RemoveBelow(_root, key[_root.Prefix.Length..], index);
        return true;
    }

    // key begins with node.Prefix for the root only; below it, the split decides.
    private RadixNode<T> Set(RadixNode<T> node, ReadOnlySpan<byte> key, T value, ulong index)
    {
        var common = key.CommonPrefixLength(node.Prefix);
        if (common < node.Prefix.Length)
        {
            return Split(node, key, common, value, index);
        }

        var own = Own(node);
        own.LastIndex = Math.Max(own.LastIndex, index);
        var rest = key[common..];
        if (rest.IsEmpty)
        {
            _count += own.Value is null ? 1 : 0;
            own.Value = value;
            return own;
        }

        var at = own.FindChild(rest[0]);
        own.Children = at >= 0
            ? Replaced(own, at, Set(own.Children[at], rest, value, index))
            : Inserted(own.Children, ~at, Leaf(rest, value, index));
        return own;
    }

    private RadixNode<T> Split(RadixNode<T> node, ReadOnlySpan<byte> key, int common, T value, ulong index)
    {
        var lower = Own(node);
        var shared = key[..common].ToArray();
        lower.Prefix = node.Prefix[common..];
        var fork = new RadixNode<T>
        {
            Prefix = shared,
            Owner = _owner,
            LastIndex = Math.Max(lower.LastIndex, index),
        };
        if (common == key.Length)
        {
            fork.Value = value;
            fork.Children = [lower];
            _count++;
            return fork;
        }

        var leaf = Leaf(key[common..], value, index);
        fork.Children = leaf.Prefix[0] < lower.Prefix[0] ? [leaf, lower] : [lower, leaf];
        return fork;
    }

    private RadixNode<T> Leaf(ReadOnlySpan<byte> rest, T value, ulong index)
    {
        _count++;
        return new RadixNode<T> { Prefix = rest.ToArray(), Value = value, LastIndex = index, Owner = _owner };
    }

    // rest is the key behind node.Prefix; the value is known to be there.
    private RadixNode<T> RemoveBelow(RadixNode<T> node, ReadOnlySpan<byte> rest, ulong index)
    {
        var own = Own(node);
        own.LastIndex = Math.Max(own.LastIndex, index);
        if (rest.IsEmpty)
        {
            own.Value = null;
            return own;
        }

        var at = own.FindChild(rest[0]);
        var child = RemoveBelow(own.Children[at], rest[own.Children[at].Prefix.Length..], index);
        if (child.Value is null && child.Children.Length == 0)
        {
            own.Children = Without(own.Children, at);
            return own;
        }

        own.Children = Replaced(own, at, Merged(child));
        return own;
    }

    // A node with no value and one child says nothing that the child cannot say itself.
    private RadixNode<T> Merged(RadixNode<T> node)
    {
        if (node.Value is not null || node.Children.Length != 1)
        {
            return node;
        }

        var only = Own(node.Children[0]);
        only.Prefix = [.. node.Prefix, .. only.Prefix];
        only.LastIndex = Math.Max(only.LastIndex, node.LastIndex);
        return only;
    }

    private RadixNode<T> Own(RadixNode<T> node) => ReferenceEquals(node.Owner, _owner) ? node : node.CopyFor(_owner);

    // An owned node may still share its child array with the version before, so an array is changed in place only
    // when the child in it is already ours: then the array was copied when that child came in.
    private RadixNode<T>[] Replaced(RadixNode<T> parent, int at, RadixNode<T> child)
    {
        var children = parent.Children;
        if (ReferenceEquals(children[at], child))
        {
            return children;
        }

        if (!ReferenceEquals(children[at].Owner, _owner))
        {
            children = [.. children];
        }

        children[at] = child;
        return children;
    }

    private static RadixNode<T>[] Inserted(RadixNode<T>[] children, int at, RadixNode<T> child)
    {
        var next = new RadixNode<T>[children.Length + 1];
        children.AsSpan(0, at).CopyTo(next);
        next[at] = child;
        children.AsSpan(at).CopyTo(next.AsSpan(at + 1));
        return next;
    }

    private static RadixNode<T>[] Without(RadixNode<T>[] children, int at)
    {
        var next = new RadixNode<T>[children.Length - 1];
        children.AsSpan(0, at).CopyTo(next);
        children.AsSpan(at + 1).CopyTo(next.AsSpan(at));
        return next;
    }
}
