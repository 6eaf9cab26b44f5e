using System.Diagnostics.CodeAnalysis;
using System.Globalization;
using Languages;

namespace Praetor.CommandLine;

/// <summary>The flags of a command.</summary>
internal sealed class FlagSet
{
    private const string ParseError = "parse error";

    private readonly SortedDictionary<string, Flag> _flags = new(StringComparer.Ordinal);

    public IReadOnlyCollection<Flag> All => _flags.Values;

    public bool TryFind(string name, [NotNullWhen(true)] out Flag? flag) => _flags.TryGetValue(name, out flag);

    public T Add<T>(T flag)
        where T : Flag
    {
        _flags.Add(flag.Name, flag);
        return flag;
    }

    /// <summary>A switch: false until given; <c>-x=false</c> is allowed.</summary>
    public Flag<bool> Bool(string name, string help, bool initial = false) =>
        Add(new Flag<bool>(name, "", help, initial, ReadBool));

    public Flag<TimeSpan> Duration(string name, string help, TimeSpan initial) =>
        Add(new Flag<TimeSpan>(name, "duration", help, initial, ReadDuration));

    public Flag<string> String(
        string name, string help, string initial = "", string value = "string", Candidates offer = Candidates.None) =>
        Add(new Flag<string>(name, value, help, initial, ReadString) { Candidates = offer });

    public Flag<ulong> UInt(string name, string help) => Add(new Flag<ulong>(name, "uint", help, 0, ReadUInt));

    public Flag<int> Int(string name, string help, int initial = 0) =>
        Add(new Flag<int>(name, "int", help, initial, ReadInt));

    /// <summary>A flag that may be given again and again.</summary>
    public Flag<List<string>> Strings(string name, string help, Candidates offer = Candidates.None) =>
        Add(new Flag<List<string>>(name, "value", help, [], ReadList) { Candidates = offer });

    /// <summary>A flag of the form <c>key=value</c> that may be given again and again.</summary>
    public Flag<SortedDictionary<string, string>> Pairs(string name, string help, string value = "value") =>
        Add(new Flag<SortedDictionary<string, string>>(name, value, help, new(StringComparer.Ordinal), ReadPair));

    // What Go's strconv.ParseBool takes.
    public static bool TryReadBool(string text, out bool value)
    {
        value = text is "1" or "t" or "T" or "true" or "TRUE" or "True";
        return value || text is "0" or "f" or "F" or "false" or "FALSE" or "False";
    }

    private static string? ReadBool(string text, ref bool value) => TryReadBool(text, out value) ? null : ParseError;

    private static string? ReadDuration(string text, ref TimeSpan value) =>
        GoDuration.TryParse(text, out value) ? null : ParseError;

    private static string? ReadString(string text, ref string value)
    {
        value = text;
        return null;
    }

    private static string? ReadUInt(string text, ref ulong value)
    {
        if (text.Length > 0 && text.All(char.IsAsciiDigit))
        {
            return ulong.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out value)
                ? null
                : "value out of range";
        }

        return TryReadHex(text, out value) ? null : ParseError;
    }

    private static bool TryReadHex(string text, out ulong value)
    {
        value = 0;
        return text.StartsWith("0x", StringComparison.OrdinalIgnoreCase)
            && ulong.TryParse(text.AsSpan(2), NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out value);
    }

    private static string? ReadInt(string text, ref int value) =>
        int.TryParse(text, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out value) ? null : ParseError;

    private static string? ReadList(string text, ref List<string> value)
    {
        value.Add(text);
        return null;
    }

    private static string? ReadPair(string text, ref SortedDictionary<string, string> value)
    {
        var equals = text.IndexOf('=', StringComparison.Ordinal);
        if (equals < 0)
        {
            return $"Missing \"=\" value in argument: {text}";
        }

        value[text[..equals]] = text[(equals + 1)..];
        return null;
    }
}
