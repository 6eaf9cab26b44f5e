namespace Languages;

/// <summary>
/// The one scanner below all languages: a text, an offset in it, and the way from offsets to lines and columns. Going
/// back is setting <see cref="Offset"/>; positions are computed only when somebody asks.
/// </summary>
public sealed class TextScanner(string file, string text)
{
    /// <summary>Stands for "no more characters". A text may contain it too: ask <see cref="AtEnd"/>.</summary>
    public const char End = '\0';

    private List<int>? _lineStarts;

    public string Text { get; } = text;

    public int Offset { get; set; }

    public bool AtEnd => Offset >= Text.Length;

    public char Current => Offset < Text.Length ? Text[Offset] : End;

    public char Next => Offset + 1 < Text.Length ? Text[Offset + 1] : End;

    public Position Here => PositionAt(Offset);

    public bool TryTake(char wanted)
    {
        if (AtEnd || Text[Offset] != wanted)
        {
            return false;
        }
        Offset++;
        return true;
    }

    public bool TryTake(string wanted)
    {
        if (string.CompareOrdinal(Text, Offset, wanted, 0, wanted.Length) != 0)
        {
            return false;
        }
        Offset += wanted.Length;
        return true;
    }

    public ReadOnlySpan<char> TakeWhile(Func<char, bool> wanted)
    {
        var start = Offset;
        while (!AtEnd && wanted(Text[Offset]))
        {
            Offset++;
        }
        return Text.AsSpan(start, Offset - start);
    }

    /// <summary>Takes up to, not including, the end of the line.</summary>
    public ReadOnlySpan<char> TakeLine()
    {
        var start = Offset;
        var end = Text.IndexOf('\n', start);
        Offset = end < 0 ? Text.Length : end;
        return Text.AsSpan(start, Offset - start);
    }

    public Position PositionAt(int offset)
    {
        _lineStarts ??= FindLineStarts(Text);
        var index = _lineStarts.BinarySearch(offset);
        var line = index < 0 ? ~index - 1 : index;
        return new Position(file, line + 1, offset - _lineStarts[line] + 1);
    }

    private static List<int> FindLineStarts(string text)
    {
        var starts = new List<int> { 0 };
        for (var at = text.IndexOf('\n'); at >= 0; at = text.IndexOf('\n', at + 1))
        {
            starts.Add(at + 1);
        }
        return starts;
    }
}
