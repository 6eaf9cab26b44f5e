using System.Text;

namespace Languages;

/// <summary>The two ways to write configuration.</summary>
public enum ConfigFormat
{
    /// <summary>HashiCorp's configuration language, version 1; a text that begins with a brace is read as
    /// JSON.</summary>
    Hcl,

    /// <summary>JSON.</summary>
    Json,
}

/// <summary>Reads configuration texts. Bad bytes give an error with a place, never an exception.</summary>
public static class ConfigParser
{
    /// <summary>Largest text that is read, in bytes: far above any real file, far below what hurts.</summary>
    public const int BytesMax = 16 << 20;

    /// <summary>Deepest nesting of lists and objects: real files have about ten, the stack bears thousands.</summary>
    public const int DepthMax = 100;

    /// <summary>Reads UTF-8 bytes. The result is always an object; an empty text is an empty one.</summary>
    public static Parsed<ConfigNode> Parse(ReadOnlySpan<byte> text, string file, ConfigFormat format)
    {
        if (text.Length > BytesMax)
        {
            return TooLarge(file, text.Length);
        }
        return Parse(Encoding.UTF8.GetString(text), file, format);
    }

    /// <summary>Reads a text. The result is always an object; an empty text is an empty one.</summary>
    public static Parsed<ConfigNode> Parse(string text, string file, ConfigFormat format)
    {
        if (text.Length > BytesMax)
        {
            return TooLarge(file, text.Length);
        }
        var scanner = new TextScanner(file, text);
        if (string.IsNullOrWhiteSpace(text))
        {
            return ConfigNode.OfObject([], scanner.Here);
        }
        var isJson = format == ConfigFormat.Json || text.AsSpan().TrimStart().StartsWith("{");
        if (!isJson)
        {
            return new HclParser(scanner).ParseFile();
        }
        var value = new JsonParser(scanner).ParseDocument();
        return value.Value switch
        {
            { Kind: ConfigKind.Null } @null => ConfigNode.OfObject([], @null.At),
            { Kind: not ConfigKind.Object } other => new LanguageError(
                other.At, "the file's value is not an object", "put everything into one pair of braces: { … }"),
            _ => value,
        };
    }

    /// <summary>Reads any JSON value, as request bodies hold.</summary>
    public static Parsed<ConfigNode> ParseJsonValue(ReadOnlySpan<byte> text, string file) =>
        text.Length > BytesMax
            ? TooLarge(file, text.Length)
            : new JsonParser(new TextScanner(file, Encoding.UTF8.GetString(text))).ParseDocument();

    private static LanguageError TooLarge(string file, int size) => new(
        new Position(file, 0, 0), $"the text has {size} bytes; at most {BytesMax} are read",
            "split it into several files");
}
