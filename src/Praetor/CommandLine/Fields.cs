using System.Text;

namespace Praetor.CommandLine;

/// <summary>Lines of a name and a value, the values standing below each other, as Go's tabwriter sets them.</summary>
internal sealed class Fields(int padding)
{
    private readonly List<(string Name, string Value)> _lines = [];

    public void Add(string name, string value) => _lines.Add((name, value));

    public override string ToString()
    {
        var width = _lines.Count == 0 ? 0 : _lines.Max(line => line.Name.Length) + padding;
        var text = new StringBuilder();
        foreach (var (name, value) in _lines)
        {
            text.Append(name.PadRight(width)).Append(value).Append('\n');
        }

        return text.ToString();
    }
}
