using System.Text.Json;

namespace Languages;

/// <summary>Says what is wrong with a JSON text in the words of Go's decoder, which clients and scripts know.</summary>
public static class JsonErrors
{
    private const string CutOff = "unexpected end of JSON input";

    /// <summary>Explains why .NET's reader refused a text.</summary>
    public static string Of(ReadOnlySpan<byte> text, JsonException refusal)
    {
        if (text.Trim(" \t\r\n"u8).IsEmpty)
        {
            return "EOF";
        }

        // What only .NET refuses, such as its own limit of depth, it must explain itself.
        return ConfigParser.ParseJsonValue(text, "").Error is { } error ? Streamed(error.What) : refusal.Message;
    }

    /// <summary>Go's decoder reads from a stream and calls an end too early an EOF.</summary>
    public static string Streamed(string what) => what == CutOff ? "unexpected EOF" : what;
}
