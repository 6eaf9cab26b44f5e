using System.Text;
using Praetor.Agent.Connect;
using Praetor.Agent.Http.Json;
using Praetor.Server.Connect;
using Praetor.Server.Queries;
using Praetor.Server.State;

namespace Praetor.Agent.Http.Endpoints;

/// <summary>/v1/connect/ca: roots and configuration of the certificate authority.</summary>
internal sealed class ConnectCaEndpoints(
    StateStore store, MeshAuthority authority, bool isEnabled, TimeProvider time)
{
    private const string PemType = "application/pem-certificate-chain";
    private const string AgentRoots = "/v1/agent/connect/ca/roots";

    public void AddTo(RouteTable routes)
    {
        AddRoots(routes, "/v1/connect/ca/roots", "The root certificates that the mesh trusts (pem: as PEM).");
        AddRoots(routes, AgentRoots, "The root certificates that the mesh trusts, for proxies.");
        routes.Handle("GET", "/v1/connect/ca/configuration", RouteRows.OperatorRead,
            request => ValueTask.FromResult(Configuration(request)),
            "How the certificate authority is set up; private keys are not shown.");
        routes.Handle("PUT", "/v1/connect/ca/configuration", RouteRows.OperatorWrite, ConfigureAsync,
            "Sets the certificate authority up; another key or root rotates.");
    }

    private void AddRoots(RouteTable routes, string pattern, string description) => routes.Add(new Route
    {
        Method = "GET",
        Pattern = pattern,
        Acl = AclRequirement.None,
        Scope = pattern == AgentRoots ? RouteScope.AgentUnlessFar : RouteScope.Catalog,
        Read = Roots,

        // The days that remain pass without a change of the state.
        KeepsAnswer = static _ => false,
        SaysCache = pattern == AgentRoots,
        Description = description,
    });

    private QueryAnswer Roots(ApiRequest request, ReadView view)
    {
        if (!isEnabled)
        {
            return RouteRows.Text(view, 500, MeshServer.Disabled);
        }

        if (CaQueries.Document(view) is not { } document)
        {
            return RouteRows.Text(view, 500, MeshAuthority.Uninitialized);
        }

        if (WantsPem(request.Query))
        {
            var pem = Encoding.ASCII.GetBytes(CertificateAuthority.RootsPem(document));
            return new QueryAnswer(view.Index, 200, PemType, pem);
        }

        var roots = CertificateAuthority.Roots(document, time.GetUtcNow());
        var body = ConnectBodies.Of(request.Pretty, roots, ConnectJson.Plain.CaRootsAnswer);
        return new QueryAnswer(view.Index, 200, Reply.JsonType, body);
    }

    private static bool WantsPem(QueryParameters query) =>
        query.Has("pem") && query["pem"].ToLowerInvariant() is not ("0" or "f" or "false");

    private Reply Configuration(ApiRequest request)
    {
        if (!isEnabled)
        {
            return Reply.Text(500, MeshServer.Disabled);
        }

        if (CaQueries.Document(new ReadView(store.Current, tracks: false)) is not { } document)
        {
            return Reply.Text(500, MeshAuthority.Uninitialized);
        }

        var configuration = CertificateAuthority.Answer(document);
        var body = ConnectBodies.Of(request.Pretty, configuration, ConnectJson.Plain.CaConfiguration);
        return new Reply(200, Reply.JsonType, body);
    }

    private async ValueTask<Reply> ConfigureAsync(ApiRequest request)
    {
        if (!isEnabled)
        {
            return Reply.Text(500, MeshServer.Disabled);
        }

        if (!CaConfigurationReader.TryRead(request.Body, out var configuration, out var unreadable))
        {
            return Reply.Refused(unreadable);
        }

        return await authority.ConfigureAsync(configuration) is { } refusal ? Reply.Refused(refusal) : Reply.Ok;
    }
}
