using System.Globalization;
using Praetor.Agent.Checks;
using Praetor.Server.Model;

namespace Praetor.Agent.Local;

/// <summary>A check as somebody defined it, ready to be registered.</summary>
/// <param name="Spec">What is run. An empty id: made from the service.</param>
/// <param name="Notes">For people.</param>
/// <param name="Status">How it begins. Empty: critical.</param>
/// <param name="Token">The token with which it is registered.</param>
public sealed record CheckPlan(CheckSpec Spec, string Notes = "", string Status = "", string Token = "");

/// <summary>A service as somebody defined it, ready to be registered.</summary>
public sealed record ServicePlan
{
    public required LocalService Service { get; init; }

    /// <summary>Its checks. Null, for a sidecar: the usual two.</summary>
    public IReadOnlyList<CheckPlan>? Checks { get; init; } = [];

    /// <summary>Its sidecar; a port of 0 is one from the range. Null: none.</summary>
    public ServicePlan? Sidecar { get; init; }

    /// <summary>Whether checks that it had and does not name any more go.</summary>
    public bool ReplacesChecks { get; init; }

    /// <summary>Puts it into the state with its checks and its sidecar.</summary>
    /// <returns>Why not; null: it was put.</returns>
    internal string? Apply(LocalEditor editor, PortRange sidecars)
    {
        // The catalog could not take it out again: an empty id says there that no service is meant.
        if (Service.Record.Id.Length == 0)
        {
            return "Missing service name";
        }

        Put(editor, Service, Checks ?? []);
        if (Sidecar is not { } plan)
        {
            return null;
        }

        if (Local.Sidecar.WithPort(plan.Service, editor.Now, sidecars) is not { } sidecar)
        {
            return $"no port of {sidecars.Min}-{sidecars.Max} is free for the sidecar of \"{Service.Record.Id}\": "
                + "give it a port, or widen ports.sidecar_min_port and ports.sidecar_max_port";
        }

        var checks = plan.Checks
            ?? [.. Local.Sidecar.DefaultChecks(sidecar.Record, Service.Record.Id).Select(static s => new CheckPlan(s))];
        Put(editor, sidecar, checks);
        return null;
    }

    private void Put(LocalEditor editor, LocalService service, IReadOnlyList<CheckPlan> plans)
    {
        editor.Put(service);
        var checks = new List<LocalCheck>(plans.Count);
        for (var i = 0; i < plans.Count; i++)
        {
            checks.Add(CheckOf(service, plans[i], IdOf(service.Record.Id, plans, i)));
        }

        foreach (var old in editor.Now.ChecksOf(service.Record.Id).ToList())
        {
            if (!checks.Exists(check => check.Record.Id == old.Record.Id))
            {
                DropOrRename(editor, service, old);
            }
        }

        foreach (var check in checks)
        {
            editor.PutKeepingStatus(check);
        }
    }

    private void DropOrRename(LocalEditor editor, LocalService service, LocalCheck old)
    {
        var goes = ReplacesChecks || (service.Origin == LocalOrigin.ConfigFile && old.Origin == LocalOrigin.ConfigFile);
        if (goes && old.Spec is not null)
        {
            editor.RemoveCheck(old.Record.Id);
        }
        else if (old.Record.ServiceName != service.Record.Name
            || !ReferenceEquals(old.Record.ServiceTags, service.Record.Tags))
        {
            editor.Put(old with
            {
                Record = old.Record with { ServiceName = service.Record.Name, ServiceTags = service.Record.Tags },
            });
        }
    }

    private static string IdOf(string service, IReadOnlyList<CheckPlan> plans, int at)
    {
        if (plans[at].Spec.Id.Length > 0)
        {
            return plans[at].Spec.Id;
        }

        return plans.Count == 1
            ? "service:" + service
            : "service:" + service + ":" + (at + 1).ToString(CultureInfo.InvariantCulture);
    }

    private static LocalCheck CheckOf(LocalService service, CheckPlan plan, string id)
    {
        var name = plan.Spec.Name.Length > 0 ? plan.Spec.Name : $"Service '{service.Record.Name}' check";
        return new LocalCheck
        {
            Record = new CheckRecord
            {
                Node = service.Record.Node,
                Id = id,
                Name = name,
                Status = plan.Status.Length > 0 ? plan.Status : CheckStatuses.Critical,
                Notes = plan.Notes,
                ServiceId = service.Record.Id,
                ServiceName = service.Record.Name,
                ServiceTags = service.Record.Tags,
                Type = plan.Spec.TypeText,
            },
            Spec = plan.Spec with { Id = id, Name = name, ServiceId = service.Record.Id },
            Token = plan.Token.Length > 0 ? plan.Token : service.Token,
            Origin = service.Origin,
        };
    }
}
