using System.Xml.Linq;
using Microsoft.CodeAnalysis.CSharp.Syntax;
using Shouldly;
using Support;
using Xunit;

namespace Unit.Tidy;

/// <summary>Who may see whom (ARCHITECTURE.md): project references and <c>using</c> lines.</summary>
public sealed class DirectionTests
{
    private static readonly string[] Libraries = ["Codecs", "Languages", "Gossip"];

    /// <summary>What each project may refer to. A project that is not listed may refer to nothing.</summary>
    private static readonly Dictionary<string, string[]> Allowed = new(StringComparer.Ordinal)
    {
        ["Codecs"] = [],
        ["Languages"] = [],
        ["Gossip"] = ["Codecs"],
        ["Praetor.Client"] = [],
        ["Praetor.Server"] = Libraries,
        ["Praetor.Proxy"] = ["Praetor.Client", .. Libraries],
        ["Praetor.Agent"] = ["Praetor.Client", "Praetor.Server", "Praetor.Proxy", .. Libraries],
        ["Praetor"] = ["Praetor.Client", "Praetor.Server", "Praetor.Proxy", "Praetor.Agent", .. Libraries],
    };

    /// <summary>Commands that are an agent or look at its files, instead of talking to one that runs.</summary>
    private static readonly string[] CommandsThatAreAgents = ["Agent", "Demo", "ServiceFiles", "Validate"];

    [Fact]
    public void A_project_refers_only_to_those_below_it() => ProjectReferences()
        .Where(reference => !MaySee(reference.From, reference.To))
        .Select(reference => $"{reference.From} refers to {reference.To}")
        .ShouldBeEmpty();

    [Fact]
    public void A_file_uses_only_what_its_project_may_see() => Usings()
        .Where(line => line.Project != line.Target && !MaySee(line.Project, line.Target))
        .Select(line => $"{line.Place}: {line.Project} uses {line.Target}")
        .ShouldBeEmpty();

    [Fact]
    public void A_command_talks_to_a_running_agent_only_through_the_client() => Usings()
        .Where(line => line.Place.StartsWith("src/Praetor/Commands/", StringComparison.Ordinal))
        .Where(line => line.Target is "Praetor.Agent" or "Praetor.Server")
        .Where(line => !CommandsThatAreAgents.Any(
            name => line.Place["src/Praetor/Commands/".Length..].StartsWith(name, StringComparison.Ordinal)))
        .Select(line => $"{line.Place}: uses {line.Target}")
        .ShouldBeEmpty();

    private static bool MaySee(string from, string to) =>
        Allowed.TryGetValue(from, out var allowed) && allowed.Contains(to, StringComparer.Ordinal);

    private static IEnumerable<(string From, string To)> ProjectReferences() =>
        from path in Tree.Files()
        where path.StartsWith("src/", StringComparison.Ordinal) && path.EndsWith(".csproj", StringComparison.Ordinal)
        from reference in XDocument.Load(Repository.At(path)).Descendants("ProjectReference")
        let target = reference.Attribute("Include")!.Value.Replace('\\', '/')
        select (Path.GetFileNameWithoutExtension(path), Path.GetFileNameWithoutExtension(target));

    private static IEnumerable<(string Place, string Project, string Target)> Usings() =>
        from file in SourceFile.All
        where file.Path.StartsWith("src/", StringComparison.Ordinal)
        from line in file.Root.DescendantNodes().OfType<UsingDirectiveSyntax>()
        let target = ProjectOf(line.NamespaceOrType.ToString())
        where target is not null
        let folders = file.Path.Split('/')
        select (file.At(line), folders[1] == "lib" ? folders[2] : folders[1], target);

    /// <summary>The project that a namespace belongs to. Null: it is none of ours.</summary>
    private static string? ProjectOf(string name)
    {
        var spaced = name + ".";
        return Allowed.Keys
            .Where(project => spaced.StartsWith(project + ".", StringComparison.Ordinal))
            .MaxBy(project => project.Length);
    }
}
