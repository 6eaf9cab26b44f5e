using Languages.Filters;
using Praetor.Agent.Local;
using Praetor.Agent.Membership;

namespace Praetor.Agent.Http.Endpoints;

/// <summary>Filters of the agent's lists; services and checks have the fields of
/// <see cref="CatalogFilters"/>.</summary>
internal static class AgentFilters
{
    public static FilterFields<AgentMember> Member { get; } = new FilterFields<AgentMember>()
        .Text("Name", static m => m.Name)
        .Text("Addr", static m => m.Address)
        .Whole("Port", static m => m.Port)
        .TextMap("Tags", static m => m.Tags)
        .Whole("Status", static m => (int)m.Status);

    /// <summary>Reads the request's filter, or answers why it cannot be read.</summary>
    public static bool TryRead<T>(ApiRequest request, FilterFields<T> fields, out Filter<T> filter, out Reply refusal)
    {
        var parsed = Filter<T>.Parse(request.Query["filter"], fields);
        filter = parsed.Value!;
        refusal = parsed.Error is { } error ? Reply.Text(500, error.What) : Reply.Ok;
        return parsed.Error is null;
    }
}
