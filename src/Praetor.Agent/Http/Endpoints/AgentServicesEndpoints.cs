using Praetor.Agent.Config;
using Praetor.Agent.Http.Json;
using Praetor.Agent.Local;
using Praetor.Server.Model;

namespace Praetor.Agent.Http.Endpoints;

/// <summary>/v1/agent/service…: the services of this agent.</summary>
internal sealed class AgentServicesEndpoints(
    LocalAgent local, OutsideProxies proxies, TimeProvider time, Random random)
{
    /// <summary>What a definition may weigh: 512 KiB, as in today's Consul.</summary>
    public const int DefinitionBodyMax = 512 * 1024;

    public void AddTo(RouteTable routes)
    {
        routes.Handle("GET", "/v1/agent/services", RouteRows.ServiceRead, List, "The services of this agent.");
        routes.HandleWaiting("/v1/agent/service/{id}", RouteRows.ServiceRead, GetAsync,
            "One service of this agent; waits for a change with hash=.");
        routes.Handle("GET", "/v1/agent/health/service/name/{name}", RouteRows.ServiceRead, HealthByName,
            "The health of a service's instances on this agent, also as the answer's status.");
        routes.Handle("GET", "/v1/agent/health/service/id/{id}", RouteRows.ServiceRead, HealthById,
            "The health of one instance on this agent, also as the answer's status.");
        routes.Add(new Route
        {
            Method = "PUT",
            Pattern = "/v1/agent/service/register",
            Acl = RouteRows.ServiceWrite,
            Handle = RouteRows.Written(RegisterAsync),
            BodyMax = DefinitionBodyMax,
            Description = "Registers a service with its checks and its sidecar; it is in the catalog when answered.",
        });
        routes.Handle("PUT", "/v1/agent/service/deregister/{id}", RouteRows.ServiceWrite,
            RouteRows.Written(DeregisterAsync),
            "Takes a service out, with its checks and its sidecar.");
        routes.Handle("PUT", "/v1/agent/service/maintenance/{id}", RouteRows.ServiceWrite,
            RouteRows.Written(MaintainAsync),
            "Takes a service out of use (enable=true), or back into it.");
    }

    /// <summary>The worst of some checks; a maintenance mode stands above all.</summary>
    public static string Aggregate(IEnumerable<LocalCheck> checks)
    {
        var worst = CheckStatuses.Passing;
        foreach (var check in checks)
        {
            if (check.Record.Type == "maintenance")
            {
                return "maintenance";
            }

            worst = Rank(check.Record.Status) > Rank(worst) ? check.Record.Status : worst;
        }

        return worst;
    }

    private ValueTask<Reply> List(ApiRequest request)
    {
        if (!AgentFilters.TryRead(request, CatalogFilters.Service, out var filter, out var refusal))
        {
            return ValueTask.FromResult(refusal);
        }

        return ValueTask.FromResult(Reply.Json(request.Pretty, json =>
        {
            json.WriteStartObject();
            foreach (var (id, service) in local.State.Current.Services)
            {
                if (filter.Matches(service.Record))
                {
                    json.WritePropertyName(id);
                    AgentJson.WriteService(json, service.Record, hash: null, Datacenter);
                }
            }

            json.WriteEndObject();
        }));
    }

    private string Datacenter => local.Options.Node.Datacenter;

    private async ValueTask<Reply> GetAsync(ApiRequest request)
    {
        if (!ReadOptions.TryParse(request.Query, out var options, out var problem))
        {
            return Reply.BadRequest(problem);
        }

        await proxies.AsksForRegistrationAsync(request);
        var known = request.Query["hash"];
        var ends = time.GetUtcNow() + WaitLimits.Usual.Of(options.Wait, random);
        while (true)
        {
            if (!local.State.Current.Services.TryGetValue(request.Name, out var service))
            {
                return Reply.Text(404, $"unknown service ID: {request.Name}");
            }

            var hash = AgentJson.HashOf(service.Record);
            if (known.Length == 0 || hash != known || !await ChangesAsync(service, ends, request.Aborted))
            {
                return Reply.Json(
                        request.Pretty, json => AgentJson.WriteService(json, service.Record, hash, Datacenter))
                    .With("X-Consul-ContentHash", hash);
            }
        }
    }

    private async ValueTask<bool> ChangesAsync(LocalService seen, DateTimeOffset ends, CancellationToken left)
    {
        // Only who knows the service may wait, so that asking for names that do not exist leaves nothing behind.
        using var change = local.Watches.Enter(seen.Record.Id);
        if (!ReferenceEquals(local.State.Current.Services.GetValueOrDefault(seen.Record.Id), seen))
        {
            return true;
        }

        var wait = ends - time.GetUtcNow();
        if (wait <= TimeSpan.Zero)
        {
            return false;
        }

        try
        {
            await change.Next.WaitAsync(wait, time, left);
            return true;
        }
        catch (Exception e) when (e is TimeoutException or OperationCanceledException)
        {
            return false;
        }
    }

    private ValueTask<Reply> HealthByName(ApiRequest request)
    {
        if (request.Name.Length == 0)
        {
            return ValueTask.FromResult(Reply.BadRequest("Missing service Name"));
        }

        var now = local.State.Current;
        var services = now.Services.Values.Where(s => s.Record.Name == request.Name).ToList();
        if (services.Count == 0)
        {
            return Missing(request, $"ServiceName {request.Name} Not Found", static json =>
            {
                json.WriteStartArray();
                json.WriteEndArray();
            });
        }

        var worst = Aggregate(services.SelectMany(s => now.ChecksFor(s.Record.Id)));
        return Health(request, worst, json =>
        {
            json.WriteStartArray();
            foreach (var service in services)
            {
                Write(json, now, service);
            }

            json.WriteEndArray();
        });
    }

    private ValueTask<Reply> HealthById(ApiRequest request)
    {
        if (request.Name.Length == 0)
        {
            return ValueTask.FromResult(Reply.BadRequest("Missing serviceID"));
        }

        var now = local.State.Current;
        if (!now.Services.TryGetValue(request.Name, out var service))
        {
            return Missing(request, $"ServiceId {request.Name} not found", static json =>
            {
                json.WriteStartObject();
                json.WriteString("AggregatedStatus", CheckStatuses.Critical);
                json.WriteNull("Service");
                json.WriteNull("Checks");
                json.WriteEndObject();
            });
        }

        return Health(request, Aggregate(now.ChecksFor(request.Name)), json => Write(json, now, service));
    }

    private void Write(System.Text.Json.Utf8JsonWriter json, LocalSnapshot now, LocalService service)
    {
        var checks = now.ChecksFor(service.Record.Id).ToList();
        AgentJson.WriteHealth(json, Aggregate(checks), service.Record, checks, Datacenter);
    }

    private static ValueTask<Reply> Health(
        ApiRequest request, string status, Action<System.Text.Json.Utf8JsonWriter> write)
    {
        var code = status switch
        {
            CheckStatuses.Passing => 200,
            CheckStatuses.Warning => 429,
            _ => 503,
        };
        var reply = request.Query["format"] == "text"
            ? new Reply(code, "text/plain", System.Text.Encoding.UTF8.GetBytes(status))
            : Reply.Json(request.Pretty, write, code);
        return ValueTask.FromResult(reply.With("X-Consul-Reason", status));
    }

    private static ValueTask<Reply> Missing(
        ApiRequest request, string reason, Action<System.Text.Json.Utf8JsonWriter> write)
    {
        // Consul quotes the reason as JSON in place of plain text here; readers look at the status.
        var reply = request.Query["format"] == "text"
            ? Reply.Json(request.Pretty, json => json.WriteStringValue(reason), 404)
            : Reply.Json(request.Pretty, write, 404);
        // The name in it came with the request, and a header takes printable ASCII only.
        var header = new string([.. reason.Where(static c => c is >= ' ' and < '\u007f')]);
        return ValueTask.FromResult(reply.With("X-Consul-Reason", header));
    }

    private async ValueTask<Reply> RegisterAsync(ApiRequest request)
    {
        var body = DefinitionBody.Service(request.Body.Span);
        if (body.Error is { } error)
        {
            return Reply.BadRequest(error);
        }

        var plan = new DefinitionPlanner(local.Options.Node, LocalOrigin.Api, local.Options.CheckOutputMax)
            .Plan(body.Value!, request.Token, request.Query.Has("replace-existing-checks"));
        var refusal = await local.RegisterAsync(plan);
        return refusal is null ? Reply.Ok : Reply.Refused(refusal);
    }

    private async ValueTask<Reply> DeregisterAsync(ApiRequest request)
    {
        if (request.Name.Length == 0)
        {
            return Reply.Text(500, "ServiceID missing");
        }

        // What is not there is gone already.
        await local.DeregisterServiceAsync(request.Name);
        return Reply.Ok;
    }

    private async ValueTask<Reply> MaintainAsync(ApiRequest request)
    {
        if (request.Name.Length == 0)
        {
            return Reply.BadRequest("Missing service ID");
        }

        if (!TryEnable(request, out var enable, out var refusal))
        {
            return refusal;
        }

        return await local.MaintainServiceAsync(request.Name, enable, request.Query["reason"])
            ? Reply.Ok
            : Reply.Text(404, $"No service registered with ID \"{request.Name}\"");
    }

    /// <summary>Reads enable=, which both kinds of maintenance want.</summary>
    public static bool TryEnable(ApiRequest request, out bool enable, out Reply refusal)
    {
        var text = request.Query["enable"];
        enable = text is "1" or "t" or "T" or "true" or "TRUE" or "True";
        refusal = text.Length == 0
            ? Reply.BadRequest("Missing value for enable")
            : Reply.BadRequest($"Invalid value for enable: \"{text}\"");
        return enable || text is "0" or "f" or "F" or "false" or "FALSE" or "False";
    }

    private static int Rank(string status) => status switch
    {
        CheckStatuses.Passing => 0,
        CheckStatuses.Warning => 1,
        _ => 2,
    };
}
