namespace Praetor.Agent.Http;

/// <summary>All routes: the router, the ACL matrix, the limits and the reference are made from it.</summary>
internal sealed class RouteTable
{
    private readonly List<Route> _routes = [];
    private readonly Node _root = new();

    public IReadOnlyList<Route> Routes => _routes;

    public void Add(Route route)
    {
        var node = _root;
        foreach (var segment in route.Pattern.TrimStart('/').Split('/'))
        {
            node = node.Child(segment);
        }

        node.Times ??= new RequestTimes(route.Pattern);
        if (!node.Methods.TryAdd(route.Method, route))
        {
            throw new InvalidOperationException($"{route.Method} {route.Pattern} stands in the route table twice");
        }

        _routes.Add(route);
    }

    /// <summary>Finds the rows for a raw path; the parameters are decoded.</summary>
    /// <returns>Null: there is no such path.</returns>
    public Match? Find(ReadOnlySpan<char> rawPath)
    {
        var values = new List<string>(2);
        var node = _root;
        var rest = rawPath.StartsWith("/") ? rawPath[1..] : rawPath;
        while (true)
        {
            var slash = rest.IndexOf('/');
            var segment = slash < 0 ? rest : rest[..slash];
            if (node.Literals.GetAlternateLookup<ReadOnlySpan<char>>().TryGetValue(segment, out var literal))
            {
                node = literal;
            }
            else if (node.Tail is not null)
            {
                return PercentCoding.TryDecode(rest, plusIsSpace: false, out var all)
                    ? new Match(node.Tail.Methods, [.. values, all], node.Tail.Times)
                    : Match.Undecodable;
            }
            else if (node.Parameter is not null)
            {
                if (!PercentCoding.TryDecode(segment, plusIsSpace: false, out var value))
                {
                    return Match.Undecodable;
                }

                values.Add(value);
                node = node.Parameter;
            }
            else
            {
                return null;
            }

            if (slash < 0)
            {
                return node.Methods.Count > 0 ? new Match(node.Methods, [.. values], node.Times) : null;
            }

            rest = rest[(slash + 1)..];
        }
    }

    /// <summary>The rows of a path, by method, and where their durations go. Null: nowhere.</summary>
    public sealed record Match(
        IReadOnlyDictionary<string, Route> Methods, string[] Values, RequestTimes? Times = null)
    {
        public static readonly Match Undecodable = new(new Dictionary<string, Route>(StringComparer.Ordinal), []);
    }

    private sealed class Node
    {
        public Dictionary<string, Node> Literals { get; } = new(StringComparer.Ordinal);

        public Node? Parameter { get; private set; }

        public Node? Tail { get; private set; }

        public Dictionary<string, Route> Methods { get; } = new(StringComparer.Ordinal);

        /// <summary>Null: no row ends here.</summary>
        public RequestTimes? Times { get; set; }

        public Node Child(string segment)
        {
            if (segment.EndsWith("*}", StringComparison.Ordinal))
            {
                return Tail ??= new Node();
            }

            if (segment.StartsWith('{'))
            {
                return Parameter ??= new Node();
            }

            if (!Literals.TryGetValue(segment, out var child))
            {
                Literals.Add(segment, child = new Node());
            }

            return child;
        }
    }
}
