using System.Globalization;
using System.Text;
using System.Text.Json;

namespace Praetor.CommandLine;

/// <summary>JSON set as Go's encoder sets it: its escapes, its line breaks, and <c>{}</c> and <c>[]</c> when
/// empty.</summary>
/// <remarks>.NET's writer escapes other characters, and scripts compare these outputs as text.</remarks>
/// <param name="indent">What stands for each level at the front of lines. Null: all is one line.</param>
internal sealed class GoJson(string? indent)
{
    private readonly StringBuilder _text = new();
    private int _depth;

    /// <summary>An element with its members as they came.</summary>
    public static string Indent(JsonElement element, string indent)
    {
        var json = new GoJson(indent);
        json.Write(element);
        return json.ToString();
    }

    /// <summary>An element in one line.</summary>
    public static string Compact(JsonElement element)
    {
        var json = new GoJson(indent: null);
        json.Write(element);
        return json.ToString();
    }

    public override string ToString() => _text.ToString();

    public void Write(JsonElement element)
    {
        switch (element.ValueKind)
        {
            case JsonValueKind.Object:
                WriteObject(element.EnumerateObject().Select(member => (member.Name, member.Value)).ToList());
                break;
            case JsonValueKind.Array:
                Between('[', ']', element.EnumerateArray().ToList(), Write);
                break;
            case JsonValueKind.String:
                WriteString(element.GetString() ?? "");
                break;
            default:
                _text.Append(element.GetRawText());
                break;
        }
    }

    public void WriteObject(IReadOnlyList<(string Name, JsonElement Value)> members) =>
        Between('{', '}', members, member =>
        {
            WriteString(member.Name);
            _text.Append(indent is null ? ":" : ": ");
            Write(member.Value);
        });

    public void Between<T>(char open, char close, IReadOnlyList<T> items, Action<T> write)
    {
        _text.Append(open);
        _depth++;
        for (var i = 0; i < items.Count; i++)
        {
            _text.Append(i == 0 ? "" : ",");
            NewLine();
            write(items[i]);
        }

        _depth--;
        if (items.Count > 0)
        {
            NewLine();
        }

        _text.Append(close);
    }

    public void WriteString(string value)
    {
        _text.Append('"');
        foreach (var c in value)
        {
            Escape(c);
        }

        _text.Append('"');
    }

    private void Escape(char c)
    {
        switch (c)
        {
            case '"' or '\\':
                _text.Append('\\').Append(c);
                break;
            case '\n':
                _text.Append("\\n");
                break;
            case '\r':
                _text.Append("\\r");
                break;
            case '\t':
                _text.Append("\\t");
                break;
            case < ' ' or '<' or '>' or '&' or '\u2028' or '\u2029':
                _text.Append("\\u").Append(((int)c).ToString("x4", CultureInfo.InvariantCulture));
                break;
            default:
                _text.Append(c);
                break;
        }
    }

    private void NewLine()
    {
        if (indent is null)
        {
            return;
        }

        _text.Append('\n');
        for (var i = 0; i < _depth; i++)
        {
            _text.Append(indent);
        }
    }
}
