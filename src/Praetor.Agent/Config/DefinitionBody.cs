using Languages;

namespace Praetor.Agent.Config;

/// <summary>A definition out of a request body, or the text to refuse it with.</summary>
/// <param name="Value">The definition.</param>
/// <param name="Error">The answer's text; the status is 400. Null: all is well.</param>
public readonly record struct BodyResult<T>(T? Value, string? Error)
    where T : class;

/// <summary>
/// Reads the bodies of PUT /v1/agent/service/register and /v1/agent/check/register by the same rows as files, and
/// checks what Consul checks before it registers.
/// </summary>
public static class DefinitionBody
{
    /// <summary>Reads and checks a service.</summary>
    public static BodyResult<ServiceDefinition> Service(ReadOnlySpan<byte> body) =>
        Read(body, DefinitionShapes.Service, static () => new ServiceDefinition(), static service =>
            PartitionProblem(service) ?? DefinitionRules.FirstProblem(service));

    /// <summary>Reads and checks a check.</summary>
    public static BodyResult<CheckDefinition> Check(ReadOnlySpan<byte> body) =>
        Read(body, DefinitionShapes.Check, static () => new CheckDefinition(), DefinitionRules.FirstProblem);

    private static BodyResult<T> Read<T>(
        ReadOnlySpan<byte> body, Shape<T> shape, Func<T> empty, Func<T, string?> problemOf)
        where T : class
    {
        var parsed = ConfigParser.ParseJsonValue(body, "request body");
        if (parsed.Error is { } unreadable)
        {
            return Undecodable<T>(GoText(body, unreadable));
        }
        var context = new DecodeContext(DecodeMode.Body);
        var root = parsed.Value!;
        if (root.Kind is not (ConfigKind.Object or ConfigKind.Null))
        {
            var kind = root.Kind == ConfigKind.List ? "array" : root.Kind.ToString().ToLowerInvariant();
            return Undecodable<T>($"json: cannot unmarshal {kind} into Go value of type struct");
        }
        var value = shape.Decode(root, context, "") ?? empty();
        if (context.Problems.Count > 0)
        {
            return Undecodable<T>(context.Problems[0].What);
        }
        return problemOf(value) is { } problem ? new(null, problem) : new(value, null);
    }

    private static BodyResult<T> Undecodable<T>(string why)
        where T : class => new(null, $"Request decode failed: {why}");

    /// <summary>Go's decoder reads from a stream and says EOF where its parser of whole texts says more.</summary>
    private static string GoText(ReadOnlySpan<byte> body, LanguageError error)
    {
        if (body.Trim(" \t\r\n"u8).IsEmpty)
        {
            return "EOF";
        }
        return JsonErrors.Streamed(error.What);
    }

    private static string? PartitionProblem(ServiceDefinition service) => service switch
    {
        { Partition: not ("" or "default") } => "Request decode failed: json: unknown field \"Partition\"",
        { Namespace: not ("" or "default") } => "Request decode failed: json: unknown field \"Namespace\"",
        _ => null,
    };
}
