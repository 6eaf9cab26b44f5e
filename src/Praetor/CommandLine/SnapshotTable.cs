using System.Globalization;
using System.Text;

namespace Praetor.CommandLine;

/// <summary>Rows in columns as Consul's inspect prints them: at least eight wide, six spaces between.</summary>
internal sealed class SnapshotTable(IReadOnlyList<string[]> rows)
{
    private const int WidthMin = 8;
    private const int Gap = 6;
    private const double Kilo = 1024;

    private static readonly string[] Units = ["B", "KB", "MB", "GB", "TB"];

    /// <summary>A number of bytes for people: <c>1.7KB</c>.</summary>
    public static string Bytes(long bytes)
    {
        if (bytes == 0)
        {
            return "0";
        }

        var unit = 0;
        double value = bytes;
        while (value >= Kilo && unit < Units.Length - 1)
        {
            value /= Kilo;
            unit++;
        }

        return value.ToString("0.#", CultureInfo.InvariantCulture) + Units[unit];
    }

    /// <summary>The rows, each behind a margin; the last cell of a row is not filled.</summary>
    public string ToString(string margin)
    {
        var text = new StringBuilder();
        foreach (var row in rows)
        {
            text.Append(text.Length > 0 ? "\n" : "").Append(margin);
            for (var i = 0; i < row.Length - 1; i++)
            {
                var widest = rows.Max(other => other[i].Length) + (i == 0 ? margin.Length : 0) + Gap;
                text.Append(row[i].PadRight(Math.Max(WidthMin, widest) - (i == 0 ? margin.Length : 0)));
            }

            text.Append(row[^1]);
        }

        return text.ToString();
    }
}
