using System.Diagnostics.CodeAnalysis;
using Praetor.Server.State;

namespace Praetor.Server.Connect;

/// <summary>Signs services' certificates with one state of the authority. Make a new one when the state
/// changes.</summary>
public sealed class LeafSigner : IDisposable
{
    private readonly AuthorityRoot _root;
    private readonly CaRoot _record;
    private readonly string _trustDomain;
    private readonly string _datacenter;
    private readonly Lock _signing = new();

    /// <summary>A signer for one state.</summary>
    public LeafSigner(CaState state, string datacenter)
    {
        _root = AuthorityRoot.Load(state);
        _record = state.Document.Active;
        _trustDomain = state.Document.TrustDomain;
        _datacenter = datacenter;
        CaSettings.TryRead(state.Document.Configuration.Config, out var settings, out _);
        Settings = settings;
    }

    /// <summary>The settings it signs by.</summary>
    public CaSettings Settings { get; }

    /// <summary>The identity that a service has in this cluster.</summary>
    public SpiffeService IdentityOf(string service) => new(_trustDomain, "default", _datacenter, service);

    /// <summary>Signs a request.</summary>
    /// <param name="csr">The request, PEM.</param>
    /// <param name="service">The service that the caller may act for; the request must ask for exactly this
    /// one.</param>
    /// <param name="now">The time.</param>
    /// <param name="index">The state's index, shown as the certificate's.</param>
    /// <param name="leaf">The certificate.</param>
    /// <param name="refusal">Why it was not signed.</param>
    public bool TrySign(
        string csr,
        string service,
        DateTimeOffset now,
        ulong index,
        [NotNullWhen(true)] out IssuedLeaf? leaf,
        [NotNullWhen(false)] out Refusal? refusal)
    {
        leaf = null;
        if (!SigningRequest.TryRead(csr, out var request, out var problem))
        {
            refusal = Refusal.BadRequest(problem);
            return false;
        }

        if (!TryIdentify(request.Uri, service, out var identity, out refusal))
        {
            return false;
        }

        if (_root.NotAfter <= now)
        {
            refusal = Refusal.Failed(
                "the active root certificate has expired; set a new CA configuration to rotate it");
            return false;
        }

        leaf = Sign(request, identity, now, index);
        return true;
    }

    /// <inheritdoc/>
    public void Dispose() => _root.Dispose();

    private bool TryIdentify(
        string uri,
        string service,
        [NotNullWhen(true)] out SpiffeService? identity,
        [NotNullWhen(false)] out Refusal? refusal)
    {
        identity = null;
        refusal = null;
        if (!SpiffeId.TryParse(uri, out var id))
        {
            refusal = Refusal.Failed("SPIFFE ID is not in the expected format: " + uri);
        }
        else if (id is not SpiffeService asked)
        {
            refusal = Refusal.Failed("SPIFFE ID in CSR must be a service ID");
        }
        else if (asked.TrustDomain != _trustDomain)
        {
            refusal = Refusal.Failed(
                $"SPIFFE ID in CSR from a different trust domain: {asked.TrustDomain}, we are {_trustDomain}");
        }
        else if (asked.Datacenter != _datacenter)
        {
            refusal = Refusal.Failed(
                $"SPIFFE ID in CSR from a different datacenter: {asked.Datacenter}, we are {_datacenter}");
        }
        else if (asked != IdentityOf(service))
        {
            refusal = new Refusal(403,
                $"Permission denied: the CSR asks for {uri}, allowed is {IdentityOf(service).Uri}");
        }
        else
        {
            identity = asked;
        }

        return identity is not null;
    }

    private IssuedLeaf Sign(SigningRequest request, SpiffeService identity, DateTimeOffset now, ulong index)
    {
        var serial = Certificates.NewSerial();

        // The key object of the platform must not be used by two threads at once.
        lock (_signing)
        {
            using var certificate = _root.Sign(request.Key, identity, now, Settings.LeafTtl, serial);
            return new IssuedLeaf
            {
                SerialNumber = Certificates.Hex(serial),
                CertPem = Certificates.Pem(certificate) + string.Concat(_record.IntermediateCerts ?? []),
                Service = identity.Service,
                ServiceUri = identity.Uri,
                ValidAfter = certificate.NotBefore.ToUniversalTime(),
                ValidBefore = certificate.NotAfter.ToUniversalTime(),
                CreateIndex = index,
                ModifyIndex = index,
                RootId = _record.Id,
            };
        }
    }
}
