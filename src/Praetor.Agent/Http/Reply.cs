using System.Buffers;
using System.Text;
using System.Text.Json;
using Praetor.Agent.Http.Json;
using Praetor.Server.State;

namespace Praetor.Agent.Http;

/// <summary>An answer, whole.</summary>
internal sealed record Reply(int Status, string ContentType, byte[] Body)
{
    public const string JsonType = "application/json";
    public const string TextType = "text/plain; charset=utf-8";

    public static readonly Reply Ok = new(200, TextType, []);
    public static readonly Reply True = new(200, JsonType, "true"u8.ToArray());
    public static readonly Reply False = new(200, JsonType, "false"u8.ToArray());
    public static readonly Reply NotFound = new(404, TextType, []);

    private static readonly JsonWriterOptions Plain =
        new() { Encoder = GoJsonEncoder.Instance, SkipValidation = true };

    // Four spaces, as Go's encoder is set up in Consul.
    private static readonly JsonWriterOptions Indented =
        new() { Encoder = GoJsonEncoder.Instance, SkipValidation = true, Indented = true, IndentSize = 4 };

    /// <summary>Further headers. Null: none.</summary>
    public IReadOnlyList<KeyValuePair<string, string>>? Headers { get; init; }

    /// <summary>A JSON answer.</summary>
    public static Reply Json(bool pretty, Action<Utf8JsonWriter> write, int status = 200) =>
        new(status, JsonType, Bytes(pretty, write));

    /// <summary>JSON as bytes, with a newline behind it when it is pretty.</summary>
    public static byte[] Bytes(bool pretty, Action<Utf8JsonWriter> write)
    {
        using var buffer = new ChunkedBuffer();
        using (var json = new Utf8JsonWriter(buffer, pretty ? Indented : Plain))
        {
            write(json);
        }

        if (pretty)
        {
            buffer.Write("\n"u8);
        }

        return buffer.ToArray();
    }

    public static Reply Text(int status, string text) => new(status, TextType, Encoding.UTF8.GetBytes(text));

    public static Reply BadRequest(string text) => Text(400, text);

    public static Reply Refused(Refusal refusal) => Text(refusal.Status, refusal.Text);

    /// <summary>true or false, or the refusal.</summary>
    public static Reply Of(Outcome<bool> outcome) =>
        outcome.Refusal is { } refusal ? Refused(refusal) : outcome.Value ? True : False;

    public Reply With(string header, string value) => this with { Headers = [.. Headers ?? [], new(header, value)] };
}
