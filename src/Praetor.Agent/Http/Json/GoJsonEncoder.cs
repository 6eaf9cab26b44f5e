using System.Buffers;
using System.Text.Encodings.Web;

namespace Praetor.Agent.Http.Json;

/// <summary>Escapes what Go's JSON encoder escapes and nothing else, so that an answer reads as one of
/// Consul's.</summary>
/// <remarks>The encoders of .NET write + and ' as \u002B and \u0027, which whoever searches the text does not
/// find.</remarks>
internal sealed unsafe class GoJsonEncoder : JavaScriptEncoder
{
    public static readonly GoJsonEncoder Instance = new();

    private const string Always = "\"\\<>&\u2028\u2029";

    // Halves of surrogate pairs are looked at, since one alone cannot be written as UTF-8.
    private static readonly SearchValues<char> Suspects = SearchValues.Create(
        [.. Always, .. Range('\0', '\u001f'), .. Range('\ud800', '\udfff')]);

    private static readonly SearchValues<byte> SuspectBytes = SearchValues.Create(
        [.. "\"\\<>&"u8, .. Range('\0', '\u001f').Select(static c => (byte)c), 0xe2]);

    public override int MaxOutputCharactersPerInputCharacter => 6;

    public override bool WillEncode(int unicodeScalar) =>
        unicodeScalar < ' ' || (unicodeScalar <= char.MaxValue && Always.Contains((char)unicodeScalar));

    public override int FindFirstCharacterToEncode(char* text, int textLength)
    {
        var all = new ReadOnlySpan<char>(text, textLength);
        var at = 0;
        while (all[at..].IndexOfAny(Suspects) is var next and >= 0)
        {
            at += next;
            var isPair = char.IsHighSurrogate(all[at]) && at + 1 < all.Length && char.IsLowSurrogate(all[at + 1]);
            if (!isPair)
            {
                return at;
            }

            at += 2;
        }

        return -1;
    }

    public override int FindFirstCharacterToEncodeUtf8(ReadOnlySpan<byte> utf8Text)
    {
        var at = 0;
        while (utf8Text[at..].IndexOfAny(SuspectBytes) is var next and >= 0)
        {
            at += next;
            var rest = utf8Text[at..];
            if (rest[0] != 0xe2 || rest.StartsWith("\u2028"u8) || rest.StartsWith("\u2029"u8))
            {
                return at;
            }

            at++;
        }

        return -1;
    }

    public override bool TryEncodeUnicodeScalar(
        int unicodeScalar, char* buffer, int bufferLength, out int numberOfCharactersWritten)
    {
        const string digits = "0123456789abcdef";
        var into = new Span<char>(buffer, bufferLength);
        Span<char> escape = stackalloc char[6];
        var shortForm = unicodeScalar switch
        {
            '"' => '"', '\\' => '\\', '\n' => 'n', '\r' => 'r', '\t' => 't', _ => '\0',
        };
        escape[0] = '\\';
        escape[1] = shortForm == '\0' ? 'u' : shortForm;
        for (var i = 0; i < 4; i++)
        {
            escape[2 + i] = digits[(unicodeScalar >> (12 - (4 * i))) & 0xf];
        }

        var written = escape[..(shortForm == '\0' ? 6 : 2)];
        numberOfCharactersWritten = written.TryCopyTo(into) ? written.Length : 0;
        return numberOfCharactersWritten > 0;
    }

    private static IEnumerable<char> Range(char first, char last) =>
        Enumerable.Range(first, last - first + 1).Select(static c => (char)c);
}
