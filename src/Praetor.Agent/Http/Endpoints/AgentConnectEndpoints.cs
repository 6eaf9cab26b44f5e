using System.Globalization;
using Praetor.Agent.Connect;
using Praetor.Agent.Http.Json;
using Praetor.Server.Connect;
using Praetor.Server.Intentions;
using Praetor.Server.State;

namespace Praetor.Agent.Http.Endpoints;

/// <summary>What the agent's certificate endpoints depend on beside the mesh's own parts.</summary>
internal sealed record AgentConnectSettings
{
    /// <summary>Whether the mesh is on.</summary>
    public required bool IsEnabled { get; init; }

    /// <summary>Told of who asks for certificates.</summary>
    public required OutsideProxies Proxies { get; init; }

    /// <summary>What holds where no intention does.</summary>
    public required DefaultPolicy ByDefault { get; init; }

    public required WaitLimits Waits { get; init; }

    /// <summary>Waits are spread with it.</summary>
    public required Random Random { get; init; }

    public required TimeProvider Time { get; init; }

    /// <summary>Ends all waits when the agent stops.</summary>
    public required CancellationToken Stop { get; init; }
}

/// <summary>/v1/agent/connect: certificates for this agent's services, and decisions for their proxies.</summary>
internal sealed class AgentConnectEndpoints(IMeshView mesh, LeafCache leaves, AgentConnectSettings settings)
{
    private static readonly AclRequirement ActAsService = new("service", "write", "service");

    public void AddTo(RouteTable routes)
    {
        routes.HandleWaiting("/v1/agent/connect/ca/leaf/{service}", ActAsService, LeafAsync,
            "The certificate and key of a service; waits until it is renewed.");
        routes.Handle("POST", "/v1/agent/connect/authorize", RouteRows.ServiceWrite, AuthorizeAsync,
            "Whether the owner of a certificate may connect to a service.");
    }

    private async ValueTask<Reply> LeafAsync(ApiRequest request)
    {
        if (!settings.IsEnabled)
        {
            return Reply.Text(500, MeshServer.Disabled);
        }

        if (request.Name.Length == 0)
        {
            return Reply.Text(500, "URI must be either service or agent");
        }

        if (!ReadOptions.TryParse(request.Query, out var options, out var problem))
        {
            return Reply.BadRequest(problem);
        }

        await settings.Proxies.AsksForLeafAsync(request, options.Index);
        using var end = CancellationTokenSource.CreateLinkedTokenSource(request.Aborted, settings.Stop);
        try
        {
            var outcome = await ReadAsync(request, options, end.Token);
            return outcome.Refusal is { } refusal ? Reply.Refused(refusal) : LeafReply(request, outcome.Value);
        }
        catch (OperationCanceledException) when (end.IsCancellationRequested)
        {
            return Reply.Text(500, "the agent is stopping");
        }
    }

    // An index that is not the current one is old, or from before a restart: either way its owner must not wait.
    private async Task<Outcome<LeafAnswer>> ReadAsync(ApiRequest request, ReadOptions options, CancellationToken stop)
    {
        var now = await leaves.ReadAsync(request.Name, 0, TimeSpan.Zero, stop, request.Token);
        if (now.Refusal is not null || options.Index != now.Value.Index)
        {
            return now;
        }

        var wait = settings.Waits.Of(options.Wait, settings.Random);
        var next = await leaves.ReadAsync(request.Name, options.Index, wait, stop, request.Token);
        return next.Refusal is null ? next.Value with { IsHit = false } : next;
    }

    private Reply LeafReply(ApiRequest request, LeafAnswer answer)
    {
        var body = ConnectBodies.Of(request.Pretty, answer.Leaf, ConnectJson.Plain.IssuedLeaf);
        var reply = new Reply(200, Reply.JsonType, body)
            .With("X-Consul-Index", answer.Index.ToString(CultureInfo.InvariantCulture))
            .With("X-Cache", answer.IsHit ? "HIT" : "MISS");
        if (!answer.IsHit)
        {
            return reply;
        }

        var age = Math.Max(0, (long)(settings.Time.GetUtcNow() - answer.IssuedAt).TotalSeconds);
        return reply.With("Age", age.ToString(CultureInfo.InvariantCulture));
    }

    // Asked for every new connection of proxies that do not watch intentions, so everything here is in memory.
    private async ValueTask<Reply> AuthorizeAsync(ApiRequest request)
    {
        if (!Authorization.TryRead(request.Body, out var target, out var uri, out var unreadable))
        {
            return Reply.Refused(unreadable);
        }

        var view = await mesh.ReadAsync(request.Aborted);
        if (view.Refusal is { } unknown)
        {
            return Reply.Refused(unknown);
        }

        if (TrustDomainFor(uri, view.Value) is not { } trustDomain)
        {
            return Reply.Text(500, MeshAuthority.Uninitialized);
        }

        if (!Authorization.TryDecide(
            target, uri, trustDomain, view.Value.Intentions, settings.ByDefault, out var decision, out var refusal))
        {
            return Reply.Refused(refusal);
        }

        return Reply.Json(request.Pretty, json =>
        {
            json.WriteStartObject();
            json.WriteBoolean("Authorized", decision.Allowed);
            json.WriteString("Reason", decision.Reason);
            json.WriteEndObject();
        }).With("X-Cache", "HIT");
    }

    // Without an authority no certificate is ours; as in Consul only the intentions are asked then.
    private string? TrustDomainFor(string uri, MeshView view) =>
        settings.IsEnabled ? view.TrustDomain
        : SpiffeId.TryParse(uri, out var id) ? id.TrustDomain
        : "";
}
