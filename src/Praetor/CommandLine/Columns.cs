using System.Text;

namespace Praetor.CommandLine;

/// <summary>Rows printed as columns, each as wide as its widest cell and two spaces; the last one is not
/// filled.</summary>
internal sealed class Columns
{
    private const string Gap = "  ";
    private readonly List<string[]> _rows = [];

    public Columns(params string[] header) => _rows.Add(header);

    /// <summary>How many rows there are below the header.</summary>
    public int Count => _rows.Count - 1;

    public void Add(params string[] cells) => _rows.Add(cells);

    public override string ToString()
    {
        var widths = new int[_rows.Max(row => row.Length)];
        foreach (var row in _rows)
        {
            for (var i = 0; i < row.Length; i++)
            {
                widths[i] = Math.Max(widths[i], WidthOf(row[i]));
            }
        }

        var text = new StringBuilder();
        foreach (var row in _rows)
        {
            if (text.Length > 0)
            {
                text.Append('\n');
            }

            for (var i = 0; i < row.Length - 1; i++)
            {
                text.Append(row[i]).Append(' ', widths[i] - WidthOf(row[i])).Append(Gap);
            }

            text.Append(row[^1]);
        }

        return text.ToString();
    }

    private static int WidthOf(string cell) => cell.EnumerateRunes().Count();
}
