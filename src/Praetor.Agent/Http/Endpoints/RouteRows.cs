using System.Text.Json;
using Languages;
using Microsoft.AspNetCore.Http;
using Praetor.Server.Queries;
using Praetor.Server.State;

namespace Praetor.Agent.Http.Endpoints;

/// <summary>Shortens the rows of the route table.</summary>
internal static class RouteRows
{
    public static readonly AclRequirement KeyRead = new("key", "read", "key");
    public static readonly AclRequirement KeyWrite = new("key", "write", "key");
    public static readonly AclRequirement NodeRead = new("node", "read");
    public static readonly AclRequirement NodeWrite = new("node", "write");
    public static readonly AclRequirement ServiceRead = new("service", "read");
    public static readonly AclRequirement ServiceWrite = new("service", "write");
    public static readonly AclRequirement SessionRead = new("session", "read");
    public static readonly AclRequirement SessionWrite = new("session", "write");
    public static readonly AclRequirement AgentRead = new("agent", "read");
    public static readonly AclRequirement AgentWrite = new("agent", "write");
    public static readonly AclRequirement OperatorRead = new("operator", "read");
    public static readonly AclRequirement OperatorWrite = new("operator", "write");
    public static readonly AclRequirement Management = new("management", "write");
    public static readonly AclRequirement IntentionRead = new("intention", "read");
    public static readonly AclRequirement IntentionWrite = new("intention", "write");

    /// <summary>A read of the state.</summary>
    public static void Read(
        this RouteTable table, string pattern, AclRequirement acl, StateRead read, string description) =>
        table.Add(new Route { Method = "GET", Pattern = pattern, Acl = acl, Read = read, Description = description });

    /// <summary>Everything else.</summary>
    public static void Handle(
        this RouteTable table, string method, string pattern, AclRequirement acl, Handler handler,
        string description) =>
        table.Add(new Route
        {
            Method = method, Pattern = pattern, Acl = acl, Handle = handler, Description = description,
        });

    /// <summary>What goes in or out piece by piece.</summary>
    public static void Stream(
        this RouteTable table, string method, string pattern, AclRequirement acl,
        Func<HttpContext, ApiRequest, Task> stream, string description) =>
        table.Add(new Route
        {
            Method = method, Pattern = pattern, Acl = acl, Stream = stream, Description = description,
        });

    /// <summary>What is the agent's own and can be waited for.</summary>
    public static void HandleWaiting(
        this RouteTable table, string pattern, AclRequirement acl, Handler handler, string description) =>
        table.Add(new Route
        {
            Method = "GET", Pattern = pattern, Acl = acl, Handle = handler, Description = description, Waits = true,
        });

    /// <summary>Everything that writes to this agent's disk: what cannot be written is said.</summary>
    public static Handler Written(Handler handler) => async request =>
    {
        try
        {
            return await handler(request);
        }
        catch (IOException e)
        {
            return Reply.Text(500, e.Message);
        }
    };

    /// <summary>A JSON answer of a read.</summary>
    public static QueryAnswer Json(ApiRequest request, ReadView view, Action<Utf8JsonWriter> write)
    {
        // The writing is what reads, so the index is taken after it.
        var body = Reply.Bytes(request.Pretty, write);
        return new QueryAnswer(view.Index, 200, Reply.JsonType, body);
    }

    /// <summary>A text answer of a read, such as an error.</summary>
    public static QueryAnswer Text(ReadView view, int status, string text) =>
        new(view.Index, status, Reply.TextType, System.Text.Encoding.UTF8.GetBytes(text));

    /// <summary>A filter that cannot be read; the status is Consul's.</summary>
    public static QueryAnswer BadFilter(ReadView view, LanguageError error) => Text(view, 500, error.What);

    /// <summary>A JSON list of a read.</summary>
    public static QueryAnswer List<T>(
        ApiRequest request, ReadView view, IEnumerable<T> items, Action<Utf8JsonWriter, T> write) =>
        Json(request, view, json =>
        {
            json.WriteStartArray();
            foreach (var item in items)
            {
                write(json, item);
            }

            json.WriteEndArray();
        });
}
