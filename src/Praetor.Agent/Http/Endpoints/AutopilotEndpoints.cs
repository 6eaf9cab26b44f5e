using System.Globalization;
using System.Text.Json;
using Languages;
using Praetor.Agent.Cluster;
using Praetor.Agent.Membership;
using Praetor.Server.Autopilot;
using Praetor.Server.Catalog;
using Praetor.Server.State;

namespace Praetor.Agent.Http.Endpoints;

/// <summary>/v1/operator/autopilot: how the leader looks after the servers, and how they are.</summary>
/// <param name="store">The state.</param>
/// <param name="initial">What holds as long as nothing was set.</param>
/// <param name="health">How the servers are.</param>
internal sealed class AutopilotEndpoints(
    StateStore store, AutopilotConfiguration initial, Func<ClusterHealth> health)
{
    private const string Unreadable = "Bad request: Error parsing autopilot config: ";

    public void AddTo(RouteTable routes)
    {
        routes.Handle("GET", "/v1/operator/autopilot/configuration", RouteRows.OperatorRead,
            request => ValueTask.FromResult(Configuration(request)), "How the leader looks after the servers.");
        routes.Handle("PUT", "/v1/operator/autopilot/configuration", RouteRows.OperatorWrite, ConfigureAsync,
            "Sets how the leader looks after the servers, on condition (cas); answers whether it did.");
        routes.Handle("GET", "/v1/operator/autopilot/health", RouteRows.OperatorRead,
            request => ValueTask.FromResult(Health(request)),
            "How the servers are: 200 when all are healthy, else 429.");
        routes.Handle("GET", "/v1/operator/autopilot/state", RouteRows.OperatorRead,
            request => ValueTask.FromResult(State(request)), "How the servers are, by id.");
    }

    private Reply Configuration(ApiRequest request)
    {
        var (configuration, created, modified) =
            AutopilotQueries.Of(new ReadView(store.Current, tracks: false)) ?? (initial, 0, 0);
        return Reply.Json(request.Pretty, json =>
        {
            json.WriteStartObject();
            json.WriteBoolean("CleanupDeadServers", configuration.CleanupDeadServers);
            json.WriteString("LastContactThreshold", GoDuration.Format(configuration.LastContactThreshold));
            json.WriteNumber("MaxTrailingLogs", configuration.MaxTrailingLogs);
            json.WriteNumber("MinQuorum", configuration.MinQuorum);
            json.WriteString("ServerStabilizationTime", GoDuration.Format(configuration.ServerStabilizationTime));
            json.WriteString("RedundancyZoneTag", configuration.RedundancyZoneTag);
            json.WriteBoolean("DisableUpgradeMigration", configuration.DisableUpgradeMigration);
            json.WriteString("UpgradeVersionTag", configuration.UpgradeVersionTag);
            json.WriteNumber("CreateIndex", created);
            json.WriteNumber("ModifyIndex", modified);
            json.WriteEndObject();
        });
    }

    private async ValueTask<Reply> ConfigureAsync(ApiRequest request)
    {
        if (BodyObject.Parse(request.Body, out var problem) is not { } body)
        {
            return Reply.BadRequest(Unreadable + problem);
        }

        var configuration = Read(body);
        if (body.Problem is { } wrong)
        {
            return Reply.BadRequest(Unreadable + wrong);
        }

        return request.Query.TryUnsigned("cas", out var cas, out var unsound)
            ? Reply.Of(await store.SubmitAsync(new SetAutopilot(configuration, cas)))
            : Reply.BadRequest($"Bad request: Error parsing cas value: {unsound}");
    }

    // What is left out has its default, as in today's Consul; 1.8 made it zero, and so nobody was healthy.
    private static AutopilotConfiguration Read(BodyObject body)
    {
        var usual = new AutopilotConfiguration();
        var read = new AutopilotConfiguration
        {
            CleanupDeadServers = body.Has("CleanupDeadServers")
                ? body.Flag("CleanupDeadServers") : usual.CleanupDeadServers,
            LastContactThreshold = Duration(body, "LastContactThreshold", usual.LastContactThreshold),
            MaxTrailingLogs = body.Has("MaxTrailingLogs") ? body.Unsigned("MaxTrailingLogs") : usual.MaxTrailingLogs,
            MinQuorum = body.Unsigned("MinQuorum"),
            ServerStabilizationTime = Duration(body, "ServerStabilizationTime", usual.ServerStabilizationTime),
            RedundancyZoneTag = body.Text("RedundancyZoneTag"),
            DisableUpgradeMigration = body.Flag("DisableUpgradeMigration"),
            UpgradeVersionTag = body.Text("UpgradeVersionTag"),
        };
        _ = (body.Unsigned("CreateIndex"), body.Unsigned("ModifyIndex"));
        body.Finish();
        return read;
    }

    private static TimeSpan Duration(BodyObject body, string name, TimeSpan usual)
    {
        switch (body.Raw(name))
        {
            case null:
                return usual;
            case { ValueKind: JsonValueKind.String } text:
                if (GoDuration.TryParse(text.GetString(), out var duration))
                {
                    return duration;
                }

                body.Refuse(GoDuration.Explain(text.GetString()!));
                return usual;
            default:
                return body.Duration(name);
        }
    }

    private Reply Health(ApiRequest request)
    {
        var now = health();
        return Reply.Json(request.Pretty, json => WriteHealth(json, now), now.IsHealthy ? 200 : 429);
    }

    private static void WriteHealth(Utf8JsonWriter json, ClusterHealth health)
    {
        json.WriteStartObject();
        json.WriteBoolean("Healthy", health.IsHealthy);
        json.WriteNumber("FailureTolerance", health.FailureTolerance);
        json.WriteStartArray("Servers");
        foreach (var server in health.Servers)
        {
            json.WriteStartObject();
            json.WriteString("ID", server.Id);
            json.WriteString("Name", server.Name);
            json.WriteString("Address", server.Address);
            json.WriteString("SerfStatus", Word(server.Status));
            json.WriteString("Version", server.Version);
            json.WriteBoolean("Leader", server.IsLeader);
            WriteStanding(json, server);
            json.WriteBoolean("Voter", server.IsVoter);
            json.WriteString("StableSince", Time(server.StableSince));
            json.WriteEndObject();
        }

        json.WriteEndArray();
        json.WriteEndObject();
    }

    private Reply State(ApiRequest request)
    {
        var now = health();
        var view = new ReadView(store.Current, tracks: false);
        return Reply.Json(request.Pretty, json =>
        {
            json.WriteStartObject();
            json.WriteBoolean("Healthy", now.IsHealthy);
            json.WriteNumber("FailureTolerance", now.FailureTolerance);
            json.WriteNumber("OptimisticFailureTolerance", now.FailureTolerance);
            json.WriteStartObject("Servers");
            foreach (var server in now.Servers)
            {
                WriteServer(json, server, CatalogQueries.Node(view, server.Name)?.Meta);
            }

            json.WriteEndObject();
            json.WriteString("Leader", now.Servers.FirstOrDefault(static s => s.IsLeader)?.Id ?? "");
            json.WriteStartArray("Voters");
            foreach (var server in now.Servers.Where(static s => s.IsVoter))
            {
                json.WriteStringValue(server.Id);
            }

            json.WriteEndArray();
            json.WriteEndObject();
        });
    }

    private static void WriteServer(
        Utf8JsonWriter json, ServerHealth server, IReadOnlyDictionary<string, string>? meta)
    {
        json.WriteStartObject(server.Id);
        json.WriteString("ID", server.Id);
        json.WriteString("Name", server.Name);
        json.WriteString("Address", server.Address);
        json.WriteString("NodeStatus", Word(server.Status));
        json.WriteString("Version", server.Version);
        WriteStanding(json, server);
        json.WriteString("StableSince", Time(server.StableSince));
        json.WriteBoolean("ReadReplica", value: false);
        json.WriteString("Status", server.IsLeader ? "leader" : server.IsVoter ? "voter" : "non-voter");
        json.WriteStartObject("Meta");
        foreach (var (key, value) in meta ?? Config.Empty.Map<string>())
        {
            json.WriteString(key, value);
        }

        json.WriteEndObject();
        json.WriteString("NodeType", "voter");
        json.WriteEndObject();
    }

    private static void WriteStanding(Utf8JsonWriter json, ServerHealth server)
    {
        json.WriteString("LastContact", GoDuration.Format(server.LastContact));
        json.WriteNumber("LastTerm", server.LastTerm);
        json.WriteNumber("LastIndex", server.LastIndex);
        json.WriteBoolean("Healthy", server.IsHealthy);
    }

    private static string Word(MemberStatus status) => status.ToString().ToLowerInvariant();

    private static string Time(DateTimeOffset time) =>
        time.UtcDateTime.ToString("yyyy-MM-dd'T'HH:mm:ss'Z'", CultureInfo.InvariantCulture);
}
