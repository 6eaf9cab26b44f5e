using Praetor.Client;
using Praetor.Client.Connect;
using Praetor.Proxy.Identity;
using Praetor.Proxy.Plane;

namespace Praetor.Proxy.Control;

/// <summary>Follows a service's leaf and the mesh's roots and makes an identity of them.</summary>
internal sealed class IdentityWatch(
    ControlScope scope, IDataPlane plane, string service, Action<IReadyIdentity> publish)
{
    // An operator needs time to act before a leaf that cannot be renewed runs out.
    private static readonly TimeSpan ExpiryWarning = TimeSpan.FromHours(1);

    private readonly Lock _lock = new();
    private LeafCertificate? _leaf;
    private TrustBundle? _roots;
    private MeshIdentity? _current;

    /// <summary>Follows until stopped.</summary>
    public Task RunAsync(CancellationToken stop) => Task.WhenAll(
        Watches.FollowAsync(scope, $"the leaf of {service}", ReadLeafAsync, ApplyAsync, Limits.QueryInterval, stop),
        Watches.FollowAsync(
            scope, "the roots", scope.Client.ConnectRootsAsync, ApplyAsync, Limits.QueryInterval, stop));

    private async Task<Answer<LeafCertificate>> ReadLeafAsync(QueryOptions query, CancellationToken stop)
    {
        try
        {
            return await scope.Client.ConnectLeafAsync(service, query, stop);
        }
        catch (Exception problem) when (Watches.IsOutage(problem) && !stop.IsCancellationRequested)
        {
            var left = _leaf is null ? ExpiryWarning : _leaf.ValidBefore - scope.Time.GetUtcNow();
            if (left < ExpiryWarning)
            {
                scope.Log(ProxyLogLevel.Error, $"the leaf of {service} cannot be renewed and ends in {left:h\\:mm}");
            }

            throw;
        }
    }

    private Task ApplyAsync(Answer<LeafCertificate> answer, CancellationToken stop)
    {
        lock (_lock)
        {
            _leaf = answer.Value ?? _leaf;
            Combine();
        }

        return Task.CompletedTask;
    }

    private Task ApplyAsync(Answer<TrustBundle> answer, CancellationToken stop)
    {
        lock (_lock)
        {
            _roots = answer.Value ?? _roots;
            Combine();
        }

        return Task.CompletedTask;
    }

    private void Combine()
    {
        if (_leaf is null || _roots is not { TrustDomain.Length: > 0, Roots.Count: > 0 })
        {
            return;
        }

        if (SpiffeId.Parse(_leaf.ServiceURI) is not { } id)
        {
            throw new IOException($"the agent gave a leaf for {_leaf.ServiceURI}, which is no service's identity");
        }

        var roots = _roots.Roots.Select(static r => r.RootCert).ToList();
        var next = new MeshIdentity(id, _leaf.CertPEM, _leaf.PrivateKeyPEM, roots, _roots.TrustDomain);
        if (next.IsSameAs(_current))
        {
            return;
        }

        publish(plane.Prepare(next));
        _current = next;
        scope.Log(ProxyLogLevel.Info, $"Parsed TLS identity: uri={id}");
    }
}
