using System.Globalization;
using System.Text;
using Languages;
using Languages.Filters;
using Shouldly;
using Xunit;

namespace Unit.Languages;

/// <summary>Mutated texts: each must give a value or an error with a place, never an exception, never a hang.</summary>
public sealed class FuzzTests
{
    private const int Rounds = 100_000;

    private static readonly string[] HclSeeds =
    [
        "data_dir = \"/x\"\nports { dns = 8600, http = -1 }\nretry_join = [\"a\", \"b\",]\n",
        "service { name = \"web\" checks = [{ ttl = \"5s\" }, { tcp = \"x:1\" }] connect { sidecar_service {} } }",
        "a = <<-EOF\n  text\n  EOF\n/* c */ # d\n// e\nb \"l1\" \"l2\" { c = 0x1f d = 1.5e3 e = \"\\u00e9${f(\"g\")}\" }",
    ];

    private static readonly string[] JsonSeeds =
    [
        """{"data_dir":"/x","ports":{"dns":8600,"http":-1.5e3},"retry_join":["a","b"],"x":null,"y":[true,false]}""",
        """{"service":{"name":"w\u00e9\ud83d\ude00b\n","checks":[{"ttl":"5s"},{"tcp":"x:1"}]}}""",
    ];

    private static readonly string[] FilterSeeds =
    [
        "Name == web and (Port != 80 or not Tags contains \"a b\") and Meta[\"x-y\"] is not empty",
        "`a` not in Tags or Name matches \"^w(e|b)[a-z]{2,3}$\" and Flag == true or Items.Name not matches b",
        "((Meta.k == -12.5)) and Tags is empty and Items is empty",
    ];

    private static readonly string[] Pieces =
    [
        "{", "}", "[", "]", "(", ")", "\"", "`", "=", "==", "!=", ",", "\\", "\\u", "${", "<<EOF\n", "<<-E\n", "\n",
            "\r",
        "#", "/*", "*/", "//", "0x", "1e", "-", ".", " ", "not ", " and ", " or ", " in ", "true", "null", "é", "\0",
        "\ud83d", "999999999999999999999", " is empty", " matches ", "[[:alpha:]]", "(?i)", "{1000}", ":", "'", "_",
    ];

    [Fact]
    public void Mutated_hcl_gives_a_value_or_a_place() => Run(1, HclSeeds, text => Check(text, ConfigFormat.Hcl));

    [Fact]
    public void Mutated_json_gives_a_value_or_a_place() => Run(2, JsonSeeds, text => Check(text, ConfigFormat.Json));

    [Fact]
    public void Mutated_filters_give_a_filter_or_an_error() => Run(3, FilterSeeds, static text =>
    {
        var parsed = Filter<Thing>.Parse(text, Thing.Fields);
        if (parsed.Error is { } error)
        {
            error.What.ShouldStartWith("Failed to create boolean expression evaluator: ");
            return;
        }
        parsed.Value!.Matches(Thing.Sample);
    });

    [Fact]
    public void Random_bytes_give_a_value_or_a_place()
    {
        var random = new Random(4);
        var bytes = new byte[64];
        for (var i = 0; i < Rounds; i++)
        {
            var text = bytes.AsSpan(0, random.Next(bytes.Length));
            random.NextBytes(text);
            Judge(ConfigParser.Parse(text, "x", i % 2 == 0 ? ConfigFormat.Hcl : ConfigFormat.Json));
        }
    }

    [Fact]
    public void A_value_written_as_hcl_and_as_json_is_read_equal()
    {
        var random = new Random(5);
        for (var i = 0; i < 20_000; i++)
        {
            var (hcl, json) = WriteObject(random, 0);
            var fromHcl = ConfigParser.Parse(hcl[1..^1], "x", ConfigFormat.Hcl);
            fromHcl.Error.ShouldBeNull(hcl);
            var fromJson = ConfigParser.Parse(json, "x", ConfigFormat.Json);
            fromJson.Error.ShouldBeNull(json);
            fromHcl.Value!.ToJson().ShouldBe(fromJson.Value!.ToJson(), hcl);
        }
    }

    private static void Run(int seed, string[] seeds, Action<string> check)
    {
        var random = new Random(seed);
        for (var i = 0; i < Rounds; i++)
        {
            var text = Mutate(new StringBuilder(seeds[random.Next(seeds.Length)]), random);
            try
            {
                check(text);
            }
            catch (Exception broken)
            {
                throw new ShouldAssertException($"round {i}, seed {seed}: {text}", broken);
            }
        }
    }

    private static string Mutate(StringBuilder text, Random random)
    {
        for (var changes = random.Next(1, 6); changes > 0 && text.Length > 0; changes--)
        {
            var at = random.Next(text.Length);
            var length = Math.Min(random.Next(1, 12), text.Length - at);
            switch (random.Next(5))
            {
                case 0:
                    text.Remove(at, length);
                    break;
                case 1:
                    text.Insert(at, Pieces[random.Next(Pieces.Length)]);
                    break;
                case 2:
                    text[at] = (char)random.Next(128);
                    break;
                case 3:
                    text.Insert(random.Next(text.Length), text.ToString(at, length));
                    break;
                default:
                    text.Length = at;
                    break;
            }
        }
        return text.ToString();
    }

    private static void Check(string text, ConfigFormat format) => Judge(ConfigParser.Parse(text, "x", format));

    private static void Judge(Parsed<ConfigNode> parsed)
    {
        if (parsed.Error is { } error)
        {
            (error.At.Line > 0 && error.At.Column > 0 && error.What.Length > 0).ShouldBeTrue();
            return;
        }
        parsed.Value!.ToJson().ShouldStartWith("{");
    }

    private static (string Hcl, string Json) WriteValue(Random random, int depth)
    {
        switch (random.Next(depth > 3 ? 4 : 6))
        {
            case 0:
                var number = (random.Next(-1000, 1000) / 4.0).ToString(CultureInfo.InvariantCulture);
                return (number, number);
            case 1:
                return random.Next(2) == 0 ? ("true", "true") : ("false", "false");
            case 2:
                return ("\"a\\tb\\u00e9\"", "\"a\\tb\\u00e9\"");
            case 3:
                var word = $"\"w{random.Next(100)} # // /* x\"";
                return (word, word);
            case 4:
                var items = Enumerable.Range(0, random.Next(4)).Select(_ => WriteValue(random, depth + 1)).ToList();
                return ($"[{string.Join(", ", items.Select(i => i.Hcl))}]",
                    $"[{string.Join(',', items.Select(i => i.Json))}]");
            default:
                return WriteObject(random, depth + 1);
        }
    }

    private static (string Hcl, string Json) WriteObject(Random random, int depth)
    {
        var hcl = new List<string>();
        var json = new List<string>();
        for (var i = random.Next(5); i >= 0; i--)
        {
            var value = WriteValue(random, depth);
            var assign = value.Hcl.StartsWith('{') && random.Next(2) == 0 ? " " : " = ";
            hcl.Add($"k{i}{assign}{value.Hcl}");
            json.Add($"\"k{i}\":{value.Json}");
        }
        return ($"{{{string.Join(random.Next(2) == 0 ? "\n" : ", ", hcl)}}}", $"{{{string.Join(", ", json)}}}");
    }
}
