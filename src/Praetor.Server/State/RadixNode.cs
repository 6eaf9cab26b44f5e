namespace Praetor.Server.State;

/// <summary>A node of a <see cref="RadixTree{T}"/>: the bytes that lead to it, a value, children in byte
/// order.</summary>
/// <remarks>
/// Immutable once published. While a <see cref="RadixEditor{T}"/> builds the next version it changes the nodes that it
/// made itself (<see cref="Owner"/>) in place, and copies all others.
/// </remarks>
internal sealed class RadixNode<T>
    where T : class
{
    public static readonly RadixNode<T>[] NoChildren = [];

    public required byte[] Prefix { get; set; }

    public T? Value { get; set; }

    public RadixNode<T>[] Children { get; set; } = NoChildren;

    /// <summary>The highest index at which anything at or below this node was put or removed.</summary>
    public ulong LastIndex { get; set; }

    public object? Owner { get; init; }

    public RadixNode<T> CopyFor(object owner) => new()
    {
        Prefix = Prefix,
        Value = Value,
        Children = Children,
        LastIndex = LastIndex,
        Owner = owner,
    };

    /// <summary>The position of the child that begins with this byte, or the complement of where it would
    /// stand.</summary>
    public int FindChild(byte label)
    {
        var children = Children;
        int low = 0, high = children.Length - 1;
        while (low <= high)
        {
            var middle = (low + high) >> 1;
            var found = children[middle].Prefix[0];
            if (found == label)
            {
                return middle;
            }

            if (found < label)
            {
                low = middle + 1;
            }
            else
            {
                high = middle - 1;
            }
        }

        return ~low;
    }
}
