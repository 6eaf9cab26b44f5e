using System.Text;
using Praetor.Server.State;
using Shouldly;
using Xunit;

namespace Unit.State;

public sealed class RadixTreeTests
{
    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    [InlineData(4)]
    public void It_holds_what_a_sorted_map_holds_after_random_edits(int seed)
    {
        var random = new Random(seed);
        var reference = new SortedDictionary<string, string>(StringComparer.Ordinal);
        var lastChange = new Dictionary<string, ulong>(StringComparer.Ordinal);
        var tree = RadixTree<string>.Empty;
        for (ulong index = 1; index < 400; index++)
        {
            var editor = new RadixEditor<string>(tree);
            for (var i = random.Next(1, 6); i > 0; i--)
            {
                Edit(random, editor, reference, lastChange, index);
            }

            var before = Values(tree, "");
            var old = tree;
            tree = editor.Finish();
            Values(old, "").ShouldBe(before, "an edit must not be seen in the version before");
            tree.Count.ShouldBe(reference.Count);
            foreach (var prefix in new[] { "", "a", "ab", "abc", "b/", "zzz" })
            {
                Values(tree, prefix).ShouldBe(
                    reference.Where(p => p.Key.StartsWith(prefix, StringComparison.Ordinal)).Select(p => p.Value));
                IndexIsNeverTooLow(tree, prefix, lastChange);
            }
        }
    }

    [Fact]
    public void A_removal_leaves_its_index_behind()
    {
        var editor = new RadixEditor<string>(RadixTree<string>.Empty);
        editor.Set(Bytes("web/1"), "one", 5);
        editor.Set(Bytes("db/1"), "other", 6);
        editor.Remove(Bytes("web/1"), 7).ShouldBeTrue();
        var tree = editor.Finish();
        tree.LastIndexUnder(Bytes("web/")).ShouldBeGreaterThanOrEqualTo(7UL);
        tree.LastIndexUnder(Bytes("db/")).ShouldBe(6UL);
        tree.Get(Bytes("web/1")).ShouldBeNull();
    }

    [Fact]
    public void Groups_are_cut_behind_the_separator()
    {
        var editor = new RadixEditor<string>(RadixTree<string>.Empty);
        foreach (var key in new[] { "a", "a/b", "a/c/d", "a/c/e", "ab", "b/x" })
        {
            editor.Set(Bytes(key), key, 1);
        }

        Groups(editor.Finish(), "", "/").ShouldBe(["a", "a/", "ab", "b/"]);
        Groups(editor.Finish(), "a/", "/").ShouldBe(["b", "c/"]);
        Groups(editor.Finish(), "a", "").ShouldBe(["", "/b", "/c/d", "/c/e", "b"]);
    }

    private static void Edit(
        Random random,
        RadixEditor<string> editor,
        SortedDictionary<string, string> reference,
        Dictionary<string, ulong> lastChange,
        ulong index)
    {
        var key = new string([.. Enumerable.Range(0, random.Next(0, 6)).Select(_ => "abc/z"[random.Next(5)])]);
        if (random.Next(3) == 0)
        {
            var removed = editor.Remove(Bytes(key), index);
            removed.ShouldBe(reference.Remove(key));
            if (!removed)
            {
                return;
            }
        }
        else
        {
            reference[key] = $"{key}@{index}";
            editor.Set(Bytes(key), reference[key], index);
        }

        lastChange[key] = index;
    }

    private static void IndexIsNeverTooLow(RadixTree<string> tree, string prefix, Dictionary<string, ulong> lastChange)
    {
        var truth = lastChange.Where(p => p.Key.StartsWith(prefix, StringComparison.Ordinal))
            .Select(p => p.Value).DefaultIfEmpty().Max();
        tree.LastIndexUnder(Bytes(prefix)).ShouldBeGreaterThanOrEqualTo(truth);
    }

    private static List<string> Values(RadixTree<string> tree, string prefix)
    {
        var values = new List<string>();
        foreach (var value in tree.Scan(Bytes(prefix)))
        {
            values.Add(value);
        }

        return values;
    }

    private static List<string> Groups(RadixTree<string> tree, string prefix, string separator)
    {
        var groups = new List<string>();
        tree.WalkGroups(Bytes(prefix), Bytes(separator), (rest, _) => groups.Add(Encoding.UTF8.GetString(rest)));
        return groups;
    }

    private static byte[] Bytes(string text) => Encoding.UTF8.GetBytes(text);
}
