namespace Praetor.Server.State;

/// <summary>Enumerates the values at and below a node in key order.</summary>
internal struct RadixScan<T>
    where T : class
{
    private readonly Stack<RadixNode<T>>? _left;
    private T? _current;

    internal RadixScan(RadixNode<T>? start)
    {
        if (start is null)
        {
            return;
        }

        _left = new Stack<RadixNode<T>>();
        _left.Push(start);
    }

    public readonly T Current => _current!;

    public readonly RadixScan<T> GetEnumerator() => this;

    public bool MoveNext()
    {
        if (_left is null)
        {
            return false;
        }

        while (_left.TryPop(out var node))
        {
            var children = node.Children;
            for (var i = children.Length - 1; i >= 0; i--)
            {
                _left.Push(children[i]);
            }

            if (node.Value is not null)
            {
                _current = node.Value;
                return true;
            }
        }

        return false;
    }
}
