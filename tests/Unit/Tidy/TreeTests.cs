using Shouldly;
using Support;
using Xunit;

namespace Unit.Tidy;

/// <summary>What must not stand in any file of the repository.</summary>
public sealed class TreeTests
{
    private const int FileBytesMax = 2_000_000;
    private static readonly string[] Code = [".cs", ".py", ".sh", ".ts", ".tsx", ".css", ".csproj", ".props", ""];

    // Put together here, so that this file does not find itself.
    private static readonly string[] MachinePaths = ["/wo" + "rk/", "/op" + "t/"];
    private static readonly string[] Registries =
        ["nuget" + ".org", "npmjs" + ".org", "npmjs" + ".com", "pypi" + ".org", "arti" + "factory", "jfrog" + ".io"];
    private static readonly string[] Promises = ["TO" + "DO", "FIX" + "ME", "HA" + "CK"];

    [Fact]
    public void No_file_names_a_place_of_one_machine() => Places.ShouldBeNone(Found(MachinePaths, _ => true));

    [Fact]
    public void No_file_names_a_package_registry() => Places.ShouldBeNone(Found(Registries, _ => true));

    [Fact]
    public void No_code_promises_to_be_finished_later() => Places.ShouldBeNone(Found(Promises, IsCode));

    [Fact]
    public void No_file_is_large() => Tree.Files()
        .Where(path => new FileInfo(Repository.At(path)).Length > FileBytesMax)
        .ShouldBeEmpty();

    private static bool IsCode(string path) =>
        path != "LICENSE" && Code.Contains(Path.GetExtension(path), StringComparer.Ordinal);

    private static IEnumerable<string> Found(string[] words, Func<string, bool> isAsked) =>
        from path in Tree.Files().Where(isAsked)
        let file = new FileInfo(Repository.At(path))
        where file.Length <= FileBytesMax && file.LinkTarget is null
        from line in File.ReadLines(file.FullName).Select((text, index) => (Text: text, Number: index + 1))
        from word in words
        where Holds(line.Text, word)
        select $"{path}:{line.Number}: {word}";

    /// <summary>Whether a line holds a word that is not part of a longer one.</summary>
    private static bool Holds(string line, string word)
    {
        for (var at = line.IndexOf(word, StringComparison.Ordinal); at >= 0;
            at = line.IndexOf(word, at + 1, StringComparison.Ordinal))
        {
            var end = at + word.Length;
            var isPart = char.IsLetter(word[0]) && at > 0 && char.IsLetter(line[at - 1]);
            isPart |= char.IsLetter(word[^1]) && end < line.Length && char.IsLetter(line[end]);
            if (!isPart)
            {
                return true;
            }
        }

        return false;
    }
}
