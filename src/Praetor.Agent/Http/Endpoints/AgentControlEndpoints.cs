using System.Text.Json;
using Praetor.Agent.Local;
using Praetor.Agent.Membership;

namespace Praetor.Agent.Http.Endpoints;

/// <summary>What an agent is told to do by others; each delegate answers why it could not, or null.</summary>
internal sealed record AgentActions
{
    /// <summary>Reads the files again and takes over what changed.</summary>
    public required Func<CancellationToken, Task<string?>> ReloadAsync { get; init; }

    /// <summary>Leaves the cluster and ends the process.</summary>
    public required Func<CancellationToken, Task<string?>> LeaveAsync { get; init; }
}

/// <summary>/v1/agent: reload, maintenance, join, leave, force-leave, token.</summary>
internal sealed class AgentControlEndpoints(
    LocalAgent local, AgentActions actions, IMembership membership, bool hasAcls, bool keepsTokens)
{
    public void AddTo(RouteTable routes)
    {
        routes.Handle("PUT", "/v1/agent/reload", RouteRows.AgentWrite,
            async request => Done(await actions.ReloadAsync(request.Aborted)),
            "Reads the configuration files again.");
        routes.Handle("PUT", "/v1/agent/maintenance", RouteRows.NodeWrite, RouteRows.Written(MaintainAsync),
            "Takes the node out of use (enable=true), or back into it.");
        routes.Handle("PUT", "/v1/agent/join/{address}", RouteRows.AgentWrite,
            async request => Done((await membership.JoinAsync(
                [request.Name], request.Query.Has("wan"), request.Aborted)).Problem),
            "Joins the cluster that an address belongs to.");
        routes.Handle("PUT", "/v1/agent/leave", RouteRows.AgentWrite,
            async request => Done(await actions.LeaveAsync(request.Aborted)),
            "Leaves the cluster and ends the agent.");
        routes.Handle("PUT", "/v1/agent/force-leave/{node}", RouteRows.OperatorWrite,
            async request => Done(await membership.ForceLeaveAsync(
                request.Name, request.Query.Has("prune"), request.Query.Has("wan"), request.Aborted)),
            "Takes a member out that failed; prune forgets it, wan means the pool of all datacenters' servers.");
        routes.Handle("PUT", "/v1/agent/token/{name}", RouteRows.AgentWrite, RouteRows.Written(SetTokenAsync),
            "Sets a token that the agent uses by itself.");
    }

    private static Reply Done(string? problem) => problem is null ? Reply.Ok : Reply.Text(500, problem);

    private async ValueTask<Reply> MaintainAsync(ApiRequest request)
    {
        if (!AgentServicesEndpoints.TryEnable(request, out var enable, out var refusal))
        {
            return refusal;
        }

        await local.MaintainNodeAsync(enable, request.Query["reason"]);
        return Reply.Ok;
    }

    private async ValueTask<Reply> SetTokenAsync(ApiRequest request)
    {
        if (!hasAcls)
        {
            return Reply.Text(401, "ACL support disabled");
        }

        if (!TryReadToken(request.Body, out var token))
        {
            return Reply.BadRequest("Request decode failed: an object with Token is wanted");
        }

        if (AgentTokens.PurposeOf(request.Name) is not { } purpose)
        {
            return Reply.Text(404, $"Token \"{request.Name}\" is unknown");
        }

        await local.Tokens.SetAsync(purpose, token, keepsTokens);
        return Reply.Ok;
    }

    private static bool TryReadToken(ReadOnlyMemory<byte> body, out string token)
    {
        token = "";
        try
        {
            using var document = JsonDocument.Parse(body);
            if (document.RootElement.ValueKind != JsonValueKind.Object)
            {
                return false;
            }

            foreach (var member in document.RootElement.EnumerateObject())
            {
                if (member.Name.Equals("Token", StringComparison.OrdinalIgnoreCase)
                    && member.Value.ValueKind == JsonValueKind.String)
                {
                    token = member.Value.GetString()!;
                }
            }

            return true;
        }
        catch (JsonException)
        {
            return false;
        }
    }
}
