using System.Globalization;
using System.Text;

namespace Praetor.CommandLine.Completion;

/// <summary>A command line in the middle of being typed.</summary>
/// <param name="Done">The words in front of the one being typed, without the program's name.</param>
/// <param name="Current">The word being typed. Empty: it has not begun.</param>
internal sealed record CompletionLine(IReadOnlyList<string> Done, string Current)
{
    /// <summary>Reads what the shell puts into COMP_LINE, up to the cursor in COMP_POINT.</summary>
    public static CompletionLine Read(string line, string? point)
    {
        var typed = int.TryParse(point, NumberStyles.None, CultureInfo.InvariantCulture, out var cursor)
            && cursor < line.Length ? line[..cursor] : line;
        var words = Split(typed);
        return new CompletionLine(words.Skip(1).SkipLast(1).ToList(), words.Count > 1 ? words[^1] : "");
    }

    // Quotes group words and go away; the last word is there even when it is empty.
    private static List<string> Split(string line)
    {
        var words = new List<string>();
        var word = new StringBuilder();
        var quote = '\0';
        foreach (var c in line)
        {
            if (quote != '\0')
            {
                quote = c == quote ? '\0' : quote;
                word.Append(quote == '\0' ? "" : c.ToString());
            }
            else if (c is '"' or '\'')
            {
                quote = c;
            }
            else if (c is ' ' or '\t')
            {
                Take(words, word);
            }
            else
            {
                word.Append(c);
            }
        }

        words.Add(word.ToString());
        return words;
    }

    private static void Take(List<string> words, StringBuilder word)
    {
        if (word.Length > 0)
        {
            words.Add(word.ToString());
            word.Clear();
        }
    }
}
