using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.CSharp;
using Support;

namespace Unit.Tidy;

/// <summary>A C# file of the tree, read once for all the rules.</summary>
internal sealed class SourceFile
{
    private static readonly string[] Folders = ["src", "tests", "samples", "bench"];

    private SourceFile(string path)
    {
        Path = path;
        Text = File.ReadAllText(Repository.At(path));
        Lines = Text.Split('\n');
        Root = CSharpSyntaxTree.ParseText(Text).GetRoot();
    }

    /// <summary>The path from the repository's root, with slashes.</summary>
    public string Path { get; }

    /// <summary>The whole text.</summary>
    public string Text { get; }

    /// <summary>The text's lines.</summary>
    public string[] Lines { get; }

    /// <summary>The syntax tree.</summary>
    public SyntaxNode Root { get; }

    /// <summary>All files of the product, the tests, the samples and the benchmarks.</summary>
    public static IReadOnlyList<SourceFile> All { get; } =
        [.. Tree.Files().Where(IsSource).Select(path => new SourceFile(path))];

    /// <summary>Where a node begins, as file and line.</summary>
    public string At(SyntaxNode node) => $"{Path}:{FirstLine(node)}";

    /// <summary>How many lines a node has, without the comments and attributes above it.</summary>
    public static int Length(SyntaxNode node) => LastLine(node) - FirstLine(node) + 1;

    /// <summary>The line a node begins on, counted from 1.</summary>
    public static int FirstLine(SyntaxNode node) => node.GetLocation().GetLineSpan().StartLinePosition.Line + 1;

    private static int LastLine(SyntaxNode node) => node.GetLocation().GetLineSpan().EndLinePosition.Line + 1;

    private static bool IsSource(string path) =>
        path.EndsWith(".cs", StringComparison.Ordinal) && Folders.Contains(path.Split('/')[0], StringComparer.Ordinal);
}
