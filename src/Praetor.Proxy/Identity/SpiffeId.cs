namespace Praetor.Proxy.Identity;

/// <summary>The identity of a service in the mesh: <c>spiffe://domain/ns/default/dc/dc1/svc/web</c>.</summary>
/// <param name="TrustDomain">The cluster's trust domain, in lower case.</param>
/// <param name="Namespace">The namespace; <c>default</c> everywhere but in Consul Enterprise.</param>
/// <param name="Datacenter">The datacenter.</param>
/// <param name="Service">The service's name.</param>
internal sealed record SpiffeId(string TrustDomain, string Namespace, string Datacenter, string Service)
{
    private const string Scheme = "spiffe://";

    // trust domain, "ns", namespace, "dc", datacenter, "svc", service
    private const int Parts = 7;

    /// <summary>The namespace of everything outside Consul Enterprise.</summary>
    public const string DefaultNamespace = "default";

    /// <summary>Reads an identity; null when the text is not exactly a service's.</summary>
    public static SpiffeId? Parse(string uri)
    {
        if (!uri.StartsWith(Scheme, StringComparison.OrdinalIgnoreCase))
        {
            return null;
        }

        var parts = uri[Scheme.Length..].Split('/');
        if (parts.Length != Parts || parts[1] != "ns" || parts[3] != "dc" || parts[5] != "svc" || !IsDomain(parts[0]))
        {
            return null;
        }

        var space = Segment(parts[2]);
        var datacenter = Segment(parts[4]);
        var service = Segment(parts[6]);
        return space is null || datacenter is null || service is null
            ? null
            : new SpiffeId(parts[0].ToLowerInvariant(), space, datacenter, service);
    }

    /// <summary>Whether the identity belongs to a trust domain.</summary>
    public bool IsIn(string trustDomain) =>
        trustDomain.Length > 0 && TrustDomain.Equals(trustDomain, StringComparison.OrdinalIgnoreCase);

    /// <inheritdoc/>
    public override string ToString() =>
        $"{Scheme}{TrustDomain}/ns/{Uri.EscapeDataString(Namespace)}/dc/{Uri.EscapeDataString(Datacenter)}"
        + $"/svc/{Uri.EscapeDataString(Service)}";

    private static bool IsDomain(string text) =>
        text.Length > 0 && text.All(static c => char.IsAsciiLetterOrDigit(c) || c is '.' or '-' or '_');

    // A separator, a query or a control character inside a name, written out or escaped, would make two readers see
    // two different names.
    private static string? Segment(string text)
    {
        if (text.AsSpan().IndexOfAny('?', '#') >= 0)
        {
            return null;
        }

        var plain = Uri.UnescapeDataString(text);
        return plain.Length == 0 || plain.Any(static c => c is '/' or '*' || char.IsControl(c)) ? null : plain;
    }
}
