using Praetor.Agent.Http.Json;
using Praetor.Server.Catalog;
using Praetor.Server.ConfigEntries;
using Praetor.Server.Model;
using Praetor.Server.State;

namespace Praetor.Agent.Http.Endpoints;

/// <summary>/v1/catalog, the writing half: for what no agent of ours looks after.</summary>
/// <param name="store">The state.</param>
/// <param name="datacenter">This datacenter.</param>
/// <param name="elsewhere">Asks another datacenter, which the body names.</param>
internal sealed class CatalogWrites(
    StateStore store, string datacenter, Func<ApiRequest, string, ValueTask<Reply>> elsewhere)
{
    private const int BodyMax = 512 * 1024;
    private const int UuidLength = 36;

    public void AddTo(RouteTable routes)
    {
        routes.Add(new Route
        {
            Method = "PUT",
            Pattern = "/v1/catalog/register",
            Acl = RouteRows.NodeWrite,
            Handle = RegisterAsync,
            BodyMax = BodyMax,
            Description = "Puts a node, a service and checks into the catalog.",
        });
        routes.Add(new Route
        {
            Method = "PUT",
            Pattern = "/v1/catalog/deregister",
            Acl = RouteRows.NodeWrite,
            Handle = DeregisterAsync,
            Description = "Takes a service, a check or a whole node out of the catalog.",
        });
    }

    /// <summary>What is wrong with a registration. Null: nothing.</summary>
    internal static string? Problem(Registration registration)
    {
        var node = registration.Node;
        if (node.Name.Length == 0)
        {
            return "Must provide node";
        }

        if (node.Address.Length == 0 && !registration.SkipNodeUpdate)
        {
            return "Must provide address if SkipNodeUpdate is not set";
        }

        if (node.Id.Length > 0 && !Guid.TryParseExact(node.Id, "D", out _))
        {
            return "Bad node ID: uuid "
                + (node.Id.Length == UuidLength ? "is improperly formatted" : "string is wrong length");
        }

        if (registration.Service is { } service && ServiceProblem(service) is { } problem)
        {
            return problem;
        }

        if (Names(registration).Any(NameRules.IsBad))
        {
            return NameRules.Problem;
        }

        return registration.Checks.Any(static c => c.Name.Length == 0 && c.Id.Length == 0)
            ? "Must provide check name or id"
            : null;
    }

    private static IEnumerable<string> Names(Registration registration) =>
    [
        registration.Node.Name,
        registration.Service?.Id ?? "",
        registration.Service?.Name ?? "",
        registration.Service?.Proxy?.DestinationServiceName ?? "",
        .. registration.Checks.SelectMany(static c => new[] { c.Id, c.Name, c.ServiceId, c.ServiceName }),
    ];

    /// <summary>What is wrong with a service. Null: nothing.</summary>
    internal static string? ServiceProblem(ServiceRecord service)
    {
        if (service.Name.Length == 0)
        {
            return service.Id.Length > 0 ? "Must provide service name with ID" : "Must provide service name";
        }

        if (service.Kind == ServiceRecord.ConnectProxyKind)
        {
            var problems = new List<string>(2);
            if (string.IsNullOrEmpty(service.Proxy?.DestinationServiceName))
            {
                problems.Add("Proxy.DestinationServiceName must be non-empty for Connect proxy services");
            }

            if (service.Port == 0 && service.SocketPath.Length == 0)
            {
                problems.Add("Port or SocketPath must be set for a connect-proxy");
            }

            return problems.Count > 0 ? ProblemText.List(problems) : null;
        }

        return null;
    }

    // Null: here.
    private string? Elsewhere(BodyObject body) =>
        body.Text("Datacenter") is { Length: > 0 } dc && dc != datacenter ? dc : null;

    private async ValueTask<Reply> RegisterAsync(ApiRequest request)
    {
        if (BodyObject.Parse(request.Body, out var unreadable) is not { } body)
        {
            return Reply.BadRequest($"Request decode failed: {unreadable}");
        }

        var other = Elsewhere(body);
        var registration = CatalogBodies.Registration(body, datacenter);
        body.Finish();
        if (body.Problem is { } wrong)
        {
            return Reply.BadRequest($"Request decode failed: {wrong}");
        }

        if (other is not null)
        {
            return await elsewhere(request, other);
        }

        if (Problem(registration) is { } problem)
        {
            return Reply.Text(500, problem);
        }

        return Reply.Of(await store.SubmitAsync(new Register(Filled(registration))));
    }

    // A check that stands beside a service without naming one is about that service.
    private static Registration Filled(Registration registration) => registration with
    {
        Checks = registration.Checks
            .Select(c => c.ServiceId.Length == 0 && registration.Service is { } service && c.ServiceName == service.Name
                ? c with { ServiceId = service.Id }
                : c)
            .ToList(),
    };

    private async ValueTask<Reply> DeregisterAsync(ApiRequest request)
    {
        if (BodyObject.Parse(request.Body, out var unreadable) is not { } body)
        {
            return Reply.BadRequest($"Request decode failed: {unreadable}");
        }

        var other = Elsewhere(body);
        var node = body.Text("Node");
        var service = body.Text("ServiceID");
        var check = body.Text("CheckID");
        foreach (var unused in new[] { "Address", "Namespace", "Partition", "PeerName" })
        {
            _ = body.Text(unused);
        }

        _ = body.Raw("WriteRequest");
        body.Finish();
        if (body.Problem is { } wrong)
        {
            return Reply.BadRequest($"Request decode failed: {wrong}");
        }

        return other is not null ? await elsewhere(request, other)
            : node.Length == 0
            ? Reply.Text(500, "Must provide node")
            : Reply.Of(await store.SubmitAsync(new Deregister(node, service, check)));
    }
}
