using System.Collections.Immutable;
using Praetor.Agent.Checks;
using Praetor.Server.Model;

namespace Praetor.Agent.Local;

/// <summary>One edit of the local state: reads see what it wrote.</summary>
public sealed class LocalEditor
{
    private readonly HashSet<string> _services = new(StringComparer.Ordinal);
    private readonly HashSet<string> _checks = new(StringComparer.Ordinal);
    private readonly HashSet<string> _outputs = new(StringComparer.Ordinal);
    private readonly HashSet<string> _healthOf = new(StringComparer.Ordinal);
    private readonly List<DocumentChange> _documents = [];

    internal LocalEditor(LocalSnapshot from) => Now = from;

    /// <summary>The state as edited so far.</summary>
    public LocalSnapshot Now { get; private set; }

    internal IReadOnlyList<DocumentChange> Documents => _documents;

    internal bool HasChange => _services.Count + _checks.Count + _outputs.Count > 0;

    internal bool IsEmpty => !HasChange && _documents.Count == 0;

    internal LocalChange Change => new(_services, _checks, _outputs, _healthOf);

    public void Put(LocalService service)
    {
        var id = service.Record.Id;
        var old = Now.Services.GetValueOrDefault(id);
        Now = Now with { Services = Now.Services.SetItem(id, service) };
        _services.Add(id);
        _healthOf.Add(id);
        Keep(LocalDocuments.ServiceKind, id, old?.Origin, service.Origin, () => LocalDocuments.Encode(service));
    }

    public void Put(LocalCheck check)
    {
        var id = check.Record.Id;
        var old = Now.Checks.GetValueOrDefault(id);
        var index = Now.CheckIds;
        if (old is not null && old.Record.ServiceId != check.Record.ServiceId)
        {
            index = Without(index, old.Record.ServiceId, id);
            _healthOf.Add(old.Record.ServiceId);
        }

        Now = Now with
        {
            Checks = Now.Checks.SetItem(id, check),
            CheckIds = With(index, check.Record.ServiceId, id),
        };
        _checks.Add(id);
        _healthOf.Add(check.Record.ServiceId);
        Keep(LocalDocuments.CheckKind, id, old?.Origin, check.Origin, () => LocalDocuments.Encode(check));
    }

    /// <summary>Puts a check; one that was there goes on as it was, so that registering again makes no gap.</summary>
    public void PutKeepingStatus(LocalCheck check)
    {
        var old = Now.Checks.GetValueOrDefault(check.Record.Id);
        Put(old is null || old.Record.ServiceId != check.Record.ServiceId
            ? check
            : check with { Record = check.Record with { Status = old.Record.Status, Output = old.Record.Output } });
    }

    /// <summary>Takes a service out with its checks and its sidecar; false: there is none.</summary>
    public bool RemoveService(string id)
    {
        if (!Now.Services.TryGetValue(id, out var service))
        {
            return false;
        }

        foreach (var check in Now.ChecksOf(id).ToList())
        {
            RemoveCheck(check.Record.Id);
        }

        Now = Now with { Services = Now.Services.Remove(id) };
        _services.Add(id);
        _healthOf.Add(id);
        Keep(LocalDocuments.ServiceKind, id, service.Origin, null, null);
        var sidecar = Sidecar.IdOf(id);
        if (Now.Services.TryGetValue(sidecar, out var beside) && beside.SidecarOf == id)
        {
            RemoveService(sidecar);
        }

        return true;
    }

    /// <summary>Takes a check out; false: there is none.</summary>
    public bool RemoveCheck(string id)
    {
        if (!Now.Checks.TryGetValue(id, out var check))
        {
            return false;
        }

        Now = Now with
        {
            Checks = Now.Checks.Remove(id),
            CheckIds = Without(Now.CheckIds, check.Record.ServiceId, id),
        };
        _checks.Add(id);
        _healthOf.Add(check.Record.ServiceId);
        Keep(LocalDocuments.CheckKind, id, check.Origin, null, null);
        if (check.Spec?.Kind == CheckKind.Ttl)
        {
            _documents.Add(new DocumentChange(LocalDocuments.TtlKind, id, null));
        }

        return true;
    }

    /// <summary>Notes what a check found. What was registered does not change, so nothing is written for it.</summary>
    public void Report(LocalCheck check, string status, string output)
    {
        var id = check.Record.Id;
        if (check.Record.Status == status && check.Record.Output == output)
        {
            return;
        }

        (check.Record.Status == status ? _outputs : _checks).Add(id);
        _healthOf.Add(check.Record.ServiceId);
        var reported = check with { Record = check.Record with { Status = status, Output = output } };
        Now = Now with { Checks = Now.Checks.SetItem(id, reported) };
    }

    /// <summary>Takes over tags that were changed in the catalog.</summary>
    public void TakeTags(LocalService service, IReadOnlyList<string>? tags)
    {
        var id = service.Record.Id;
        Now = Now with
        {
            Services = Now.Services.SetItem(id, service with { Record = service.Record with { Tags = tags } }),
        };
        foreach (var check in Now.ChecksOf(id).ToList())
        {
            var tagged = check with { Record = check.Record with { ServiceTags = tags } };
            Now = Now with { Checks = Now.Checks.SetItem(check.Record.Id, tagged) };
        }

        _services.Add(id);
    }

    /// <summary>Writes down what a TTL check was told, so that a restart does not forget it.</summary>
    internal void Remember(TtlState state) =>
        _documents.Add(new DocumentChange(LocalDocuments.TtlKind, state.CheckId, () => LocalDocuments.Encode(state)));

    private void Keep(string kind, string id, LocalOrigin? old, LocalOrigin? origin, Func<byte[]>? encode)
    {
        if (origin == LocalOrigin.Api)
        {
            _documents.Add(new DocumentChange(kind, id, encode));
        }
        else if (old == LocalOrigin.Api)
        {
            _documents.Add(new DocumentChange(kind, id, null));
        }
    }

    private static ImmutableDictionary<string, ImmutableSortedSet<string>> With(
        ImmutableDictionary<string, ImmutableSortedSet<string>> index, string service, string check) =>
        index.TryGetValue(service, out var ids)
            ? index.SetItem(service, ids.Add(check))
            : index.Add(service, ImmutableSortedSet.Create(StringComparer.Ordinal, check));

    private static ImmutableDictionary<string, ImmutableSortedSet<string>> Without(
        ImmutableDictionary<string, ImmutableSortedSet<string>> index, string service, string check)
    {
        var left = index[service].Remove(check);
        return left.IsEmpty ? index.Remove(service) : index.SetItem(service, left);
    }
}
