using Praetor.Agent.Checks;
using Praetor.Agent.Config;
using Praetor.Agent.Http.Json;
using Praetor.Agent.Local;

namespace Praetor.Agent.Http.Endpoints;

/// <summary>/v1/agent/check…: the checks of this agent.</summary>
internal sealed class AgentChecksEndpoints(LocalAgent local)
{
    public void AddTo(RouteTable routes)
    {
        routes.Handle("GET", "/v1/agent/checks", RouteRows.NodeRead, List, "The checks of this agent.");
        routes.Add(new Route
        {
            Method = "PUT",
            Pattern = "/v1/agent/check/register",
            Acl = RouteRows.NodeWrite,
            Handle = RouteRows.Written(RegisterAsync),
            BodyMax = AgentServicesEndpoints.DefinitionBodyMax,
            Description = "Registers a check of the node or of a service; it is in the catalog when answered.",
        });
        routes.Handle("PUT", "/v1/agent/check/deregister/{id}", RouteRows.NodeWrite, RouteRows.Written(DeregisterAsync),
            "Takes a check out.");
        AddReport(routes, "pass", CheckStatus.Passing);
        AddReport(routes, "warn", CheckStatus.Warning);
        AddReport(routes, "fail", CheckStatus.Critical);
        routes.Add(new Route
        {
            Method = "PUT",
            Pattern = "/v1/agent/check/update/{id}",
            Acl = RouteRows.NodeWrite,
            Handle = RouteRows.Written(UpdateAsync),
            BodyMax = AgentServicesEndpoints.DefinitionBodyMax,
            Description = "Reports status and output of a TTL check.",
        });
    }

    private void AddReport(RouteTable routes, string word, CheckStatus status) => routes.Handle(
        "PUT", $"/v1/agent/check/{word}/{{id}}", RouteRows.NodeWrite,
        RouteRows.Written(request => ReportAsync(request, status, request.Query["note"])),
        $"Reports that a TTL check is {CheckStatusText.Of(status)}.");

    private ValueTask<Reply> List(ApiRequest request)
    {
        if (!AgentFilters.TryRead(request, CatalogFilters.Check, out var filter, out var refusal))
        {
            return ValueTask.FromResult(refusal);
        }

        return ValueTask.FromResult(Reply.Json(request.Pretty, json =>
        {
            json.WriteStartObject();
            foreach (var (id, check) in local.State.Current.Checks)
            {
                if (filter.Matches(check.Record))
                {
                    json.WritePropertyName(id);
                    CatalogJson.WriteCheck(json, check.Record);
                }
            }

            json.WriteEndObject();
        }));
    }

    private async ValueTask<Reply> RegisterAsync(ApiRequest request)
    {
        var body = DefinitionBody.Check(request.Body.Span);
        if (body.Error is { } error)
        {
            return Reply.BadRequest(error);
        }

        var planner = new DefinitionPlanner(local.Options.Node, LocalOrigin.Api, local.Options.CheckOutputMax);
        var refusal = await local.RegisterAsync(planner.PlanAlone(body.Value!, request.Token));
        return refusal is null ? Reply.Ok : Reply.Refused(refusal);
    }

    private async ValueTask<Reply> DeregisterAsync(ApiRequest request)
    {
        if (request.Name.Length == 0)
        {
            return Reply.Text(500, "CheckID missing");
        }

        await local.DeregisterCheckAsync(request.Name);
        return Reply.Ok;
    }

    private async ValueTask<Reply> UpdateAsync(ApiRequest request)
    {
        if (BodyObject.Parse(request.Body, out var unreadable) is not { } body)
        {
            return Reply.BadRequest($"Request decode failed: {unreadable}");
        }

        var (status, output) = (body.Text("Status"), body.Text("Output"));
        body.Finish();
        if (body.Problem is { } problem)
        {
            return Reply.BadRequest($"Request decode failed: {problem}");
        }

        return CheckStatusText.TryParse(status, out var parsed)
            ? await ReportAsync(request, parsed, output)
            : Reply.BadRequest($"Invalid check status: '{status}'");
    }

    private async ValueTask<Reply> ReportAsync(ApiRequest request, CheckStatus status, string output) =>
        await local.ReportAsync(request.Name, status, output)
            ? Reply.Ok
            : Reply.Text(500, CheckEngine.NoTtl(request.Name));
}
