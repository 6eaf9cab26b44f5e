using System.Diagnostics.CodeAnalysis;
using System.Text;

namespace Praetor.Server.Connect;

/// <summary>An identity of the mesh: who the owner of a certificate is.</summary>
/// <remarks>
/// Read strictly. A name that could be read in two ways would let one service pass for another, so whatever is not
/// exactly of a known form is no identity at all: no user, port, query or fragment, no empty or dotted segments.
/// </remarks>
/// <param name="TrustDomain">The cluster, as <c>&lt;uuid&gt;.consul</c>.</param>
public abstract record SpiffeId(string TrustDomain)
{
    private const string Scheme = "spiffe://";
    private const int LengthMax = 2048;
    private const int HostLengthMax = 255;

    /// <summary>The identity as URI.</summary>
    public abstract string Uri { get; }

    /// <summary>The trust domain of a cluster.</summary>
    public static string TrustDomainOf(string clusterId) => clusterId + ".consul";

    /// <summary>Reads an identity.</summary>
    /// <returns>False: it is none that this product knows.</returns>
    public static bool TryParse([NotNullWhen(true)] string? uri, [NotNullWhen(true)] out SpiffeId? id)
    {
        id = null;
        if (uri is null || uri.Length > LengthMax || !uri.StartsWith(Scheme, StringComparison.Ordinal))
        {
            return false;
        }

        var rest = uri[Scheme.Length..];
        var slash = rest.IndexOf('/', StringComparison.Ordinal);
        var host = slash < 0 ? rest : rest[..slash];
        if (!IsHost(host))
        {
            return false;
        }

        if (slash < 0)
        {
            id = new SpiffeSigning(host);
            return true;
        }

        return TrySplit(rest[(slash + 1)..], out var parts) && TryMake(host, parts, out id);
    }

    /// <inheritdoc/>
    public sealed override string ToString() => Uri;

    /// <summary>A segment of the path as it stands in a URI.</summary>
    protected static string Escape(string segment) => System.Uri.EscapeDataString(segment);

    private static bool TryMake(string host, string[] parts, [NotNullWhen(true)] out SpiffeId? id)
    {
        id = parts switch
        {
            ["ns", var ns, "dc", var dc, "svc", var service] => new SpiffeService(host, ns, dc, service),
            ["agent", "client", "dc", var dc, "id", var agent] => new SpiffeAgent(host, dc, agent),
            _ => null,
        };
        return id is not null;
    }

    private static bool IsHost(string host) =>
        host.Length is > 0 and <= HostLengthMax &&
        host.All(static c => char.IsAsciiLetterLower(c) || char.IsAsciiDigit(c) || c is '-' or '.' or '_');

    private static bool TrySplit(string path, out string[] parts)
    {
        parts = path.Split('/');
        for (var i = 0; i < parts.Length; i++)
        {
            if (!TryUnescape(parts[i], out parts[i]))
            {
                return false;
            }
        }

        return true;
    }

    private static bool TryUnescape(string segment, out string text)
    {
        text = segment;
        if (segment.Length == 0 || segment.AsSpan().IndexOfAny("?#@:[] \"<>\\^`{|}") >= 0)
        {
            return false;
        }

        for (var i = segment.IndexOf('%', StringComparison.Ordinal); i >= 0; i = segment.IndexOf('%', i + 1))
        {
            if (i + 2 >= segment.Length || !char.IsAsciiHexDigit(segment[i + 1]) ||
                !char.IsAsciiHexDigit(segment[i + 2]))
            {
                return false;
            }
        }

        text = System.Uri.UnescapeDataString(segment);
        return text is not ("." or "..") && !text.Any(char.IsControl) &&
            !text.Contains('/', StringComparison.Ordinal) &&
            !text.Contains('\uFFFD', StringComparison.Ordinal) && text.IsNormalized(NormalizationForm.FormC);
    }
}

/// <summary>The identity of a service.</summary>
/// <param name="TrustDomain">The cluster.</param>
/// <param name="Namespace">Its namespace; <c>default</c> unless another product issued the certificate.</param>
/// <param name="Datacenter">The datacenter it runs in.</param>
/// <param name="Service">Its name.</param>
public sealed record SpiffeService(string TrustDomain, string Namespace, string Datacenter, string Service)
    : SpiffeId(TrustDomain)
{
    /// <inheritdoc/>
    public override string Uri =>
        $"spiffe://{TrustDomain}/ns/{Escape(Namespace)}/dc/{Escape(Datacenter)}/svc/{Escape(Service)}";

    /// <summary>The name that its certificate's subject has in Consul; for people, nothing decides by it.</summary>
    public string CommonName
    {
        get
        {
            // A common name has at most 64 characters; what must stay readable is the end, so the service gives way.
            const int CommonNameLengthMax = 64;
            var tail = $".svc.{Namespace}.{SpiffeSigning.ShortDomain(TrustDomain)}";
            var plain = new string([.. Service.ToLowerInvariant().Where(char.IsAsciiLetterOrDigit)]);
            return plain[..Math.Min(plain.Length, Math.Max(0, CommonNameLengthMax - tail.Length))] + tail;
        }
    }
}

/// <summary>The identity of an agent.</summary>
/// <param name="TrustDomain">The cluster.</param>
/// <param name="Datacenter">The datacenter it is in.</param>
/// <param name="Agent">Its node's id.</param>
public sealed record SpiffeAgent(string TrustDomain, string Datacenter, string Agent) : SpiffeId(TrustDomain)
{
    /// <inheritdoc/>
    public override string Uri => $"spiffe://{TrustDomain}/agent/client/dc/{Escape(Datacenter)}/id/{Escape(Agent)}";
}

/// <summary>The identity of a cluster's certificate authority.</summary>
/// <param name="TrustDomain">The cluster.</param>
public sealed record SpiffeSigning(string TrustDomain) : SpiffeId(TrustDomain)
{
    private const int ShortIdLength = 8;

    /// <inheritdoc/>
    public override string Uri => "spiffe://" + TrustDomain;

    /// <summary>The trust domain with its UUID cut to eight characters, as names in certificates carry it.</summary>
    internal static string ShortDomain(string trustDomain)
    {
        var dot = trustDomain.IndexOf('.', StringComparison.Ordinal);
        return dot <= ShortIdLength ? trustDomain : trustDomain[..ShortIdLength] + trustDomain[dot..];
    }
}
