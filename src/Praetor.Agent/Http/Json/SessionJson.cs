using System.Text.Json;
using Languages;
using Praetor.Server.Model;

namespace Praetor.Agent.Http.Json;

/// <summary>Reads and writes sessions as Consul does.</summary>
internal static class SessionJson
{
    private const long NanosecondsPerSecond = 1_000_000_000;
    private const long DefaultLockDelay = 15 * NanosecondsPerSecond;

    // Clients of long ago sent seconds; nobody means nanoseconds by a number below this.
    private const long SecondsBelow = 1000;
    private const string SerfHealth = "serfHealth";

    /// <summary>Reads the body of a creation.</summary>
    /// <param name="body">The body; none is as good as an empty object.</param>
    /// <param name="node">The node when none is named.</param>
    /// <param name="id">The id to give it.</param>
    /// <param name="problem">Why it cannot be read.</param>
    public static SessionRecord? Read(ReadOnlyMemory<byte> body, string node, string id, out string problem)
    {
        problem = "";
        if (body.IsEmpty || body.Span.Trim(" \t\r\n"u8).SequenceEqual("null"u8))
        {
            return new SessionRecord
            {
                Id = id, Node = node, LockDelay = DefaultLockDelay, NodeChecks = [SerfHealth],
            };
        }

        if (BodyObject.Parse(body, out problem) is not { } given)
        {
            return null;
        }

        var session = Read(given, node, id);
        problem = given.Problem ?? "";
        return given.Problem is null ? session : null;
    }

    public static void Write(Utf8JsonWriter json, SessionRecord session)
    {
        json.WriteStartObject();
        json.WriteString("ID", session.Id);
        json.WriteString("Name", session.Name);
        json.WriteString("Node", session.Node);
        json.WriteNumber("LockDelay", session.LockDelay);
        json.WriteString("Behavior", session.Behavior);
        json.WriteString("TTL", session.Ttl);
        CatalogJson.WriteTags(json, "NodeChecks", session.NodeChecks);
        WriteServiceChecks(json, session.ServiceChecks);
        if (session.Checks is { Count: > 0 } checks)
        {
            CatalogJson.WriteTags(json, "Checks", checks);
        }

        CatalogJson.WriteIndexes(json, session.CreateIndex, session.ModifyIndex);
        json.WriteEndObject();
    }

    private static SessionRecord Read(BodyObject given, string node, string id)
    {
        // The defaults are there before the body is read: null takes those of lists away and leaves those of texts.
        var checks = given.Texts("Checks");
        var nodeChecks = given.Texts("NodeChecks") ?? (given.Has("NodeChecks") ? [] : [SerfHealth]);
        return new SessionRecord
        {
            Id = id,
            Name = given.Text("Name"),
            Node = given.Raw("Node") is null ? node : given.Text("Node"),
            LockDelay = LockDelay(given),
            Behavior = given.Text("Behavior") is { Length: > 0 } behavior ? behavior : SessionRecord.Release,
            Ttl = given.Text("TTL"),
            NodeChecks = checks is { Count: 0 } ? [] : nodeChecks,
            ServiceChecks = given.Raw("ServiceChecks") is null ? null
                : [.. given.Objects("ServiceChecks").Select(Check)],
            Checks = checks is [] or [SerfHealth] ? null : checks,
        };
    }

    private static SessionServiceCheck Check(BodyObject given) => new(given.Text("ID"), given.Text("Namespace"));

    private static long LockDelay(BodyObject given)
    {
        if (given.Raw("LockDelay") is not { } value)
        {
            return DefaultLockDelay;
        }

        long delay = 0;
        if (value.ValueKind == JsonValueKind.String
            && !GoDuration.TryParseNanoseconds(value.GetString(), out delay))
        {
            given.Refuse(GoDuration.Explain(value.GetString()!));
        }
        else if (value.ValueKind == JsonValueKind.Number)
        {
            delay = Whole(value.GetDouble());
        }

        return delay <= 0 ? 0 : delay < SecondsBelow ? delay * NanosecondsPerSecond : delay;
    }

    private static long Whole(double number) =>
        number <= 0 ? 0 : number >= long.MaxValue ? long.MaxValue : (long)number;

    private static void WriteServiceChecks(Utf8JsonWriter json, IReadOnlyList<SessionServiceCheck>? checks)
    {
        if (checks is null)
        {
            json.WriteNull("ServiceChecks");
            return;
        }

        json.WriteStartArray("ServiceChecks");
        foreach (var check in checks)
        {
            json.WriteStartObject();
            json.WriteString("ID", check.Id);
            json.WriteString("Namespace", check.Namespace);
            json.WriteEndObject();
        }

        json.WriteEndArray();
    }
}
