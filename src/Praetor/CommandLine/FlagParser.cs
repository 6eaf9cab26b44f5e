namespace Praetor.CommandLine;

/// <summary>What a command line held beside flags, or what is wrong with it.</summary>
/// <param name="Arguments">The arguments that are no flags, in order.</param>
/// <param name="Problem">In the words of Go's flag library. Null: nothing.</param>
/// <param name="Unknown">The name of the flag that does not exist. Null: that was not the problem.</param>
internal sealed record ParsedLine(IReadOnlyList<string> Arguments, string? Problem, string? Unknown);

/// <summary>Reads command lines by the rules of Go's flag library, and forgives one thing it does not.</summary>
/// <remarks>
/// <c>-x</c>, <c>--x</c>, <c>-x=v</c>, <c>-x v</c>; switches take a value only after <c>=</c>; <c>--</c> ends flags;
/// <c>-</c> alone is an argument. Go stops at the first argument. When lenient, a flag behind it still counts if its
/// name is known, and everything else stays an argument: <c>kv put foo -1</c> stores <c>-1</c> either way.
/// </remarks>
internal sealed class FlagParser(FlagSet flags, bool lenient)
{
    private readonly List<string> _arguments = [];
    private string? _problem;
    private string? _unknown;

    public ParsedLine Parse(IReadOnlyList<string> line)
    {
        var at = 0;
        while (at < line.Count && _problem is null)
        {
            var word = line[at];
            if (word == "--")
            {
                TakeRest(line, at + 1);
                break;
            }

            if (!LooksLikeFlag(word) || (_arguments.Count > 0 && !IsKnown(word)))
            {
                if (!lenient)
                {
                    TakeRest(line, at);
                    break;
                }

                _arguments.Add(word);
                at++;
                continue;
            }

            at = TakeFlag(line, at);
        }

        return new ParsedLine(_arguments, _problem, _unknown);
    }

    private static bool LooksLikeFlag(string word) => word.Length > 1 && word[0] == '-';

    private static (string Name, string? Value) Split(string word)
    {
        var name = word[(word[1] == '-' ? 2 : 1)..];
        var equals = name.IndexOf('=', StringComparison.Ordinal);
        return equals > 0 ? (name[..equals], name[(equals + 1)..]) : (name, null);
    }

    private bool IsKnown(string word) => flags.TryFind(Split(word).Name, out _);

    private void TakeRest(IReadOnlyList<string> line, int from)
    {
        for (var i = from; i < line.Count; i++)
        {
            _arguments.Add(line[i]);
        }
    }

    private int TakeFlag(IReadOnlyList<string> line, int at)
    {
        var (name, value) = Split(line[at]);
        if (name.Length == 0 || name[0] is '-' or '=')
        {
            _problem = $"bad flag syntax: {line[at]}";
            return at;
        }

        if (!flags.TryFind(name, out var flag))
        {
            _problem = $"flag provided but not defined: -{name}";
            _unknown = name;
            return at;
        }

        if (flag.IsSwitch)
        {
            Say(flag.Take(value ?? "true"), problem => $"invalid boolean value {Quote(value)} for -{name}: {problem}");
            return at + 1;
        }

        if (value is null && at + 1 >= line.Count)
        {
            _problem = $"flag needs an argument: -{name}";
            return at;
        }

        var text = value ?? line[++at];
        Say(flag.Take(text), problem => $"invalid value {Quote(text)} for flag -{name}: {problem}");
        return at + 1;
    }

    private void Say(string? problem, Func<string, string> inWords)
    {
        if (problem is not null)
        {
            _problem = inWords(problem);
        }
    }

    internal static string Quote(string? text) =>
        "\"" + (text ?? "").Replace("\\", "\\\\", StringComparison.Ordinal)
            .Replace("\"", "\\\"", StringComparison.Ordinal) + "\"";
}
