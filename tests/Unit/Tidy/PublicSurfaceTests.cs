using System.Reflection;
using Shouldly;
using Support;
using Xunit;

namespace Unit.Tidy;

/// <summary>What others build on is written down in tests/Unit/PublicApi, so that a change of it is seen in review.
/// <c>PRAETOR_ACCEPT=1 ./test unit PublicSurface</c> writes the files anew.</summary>
public sealed class PublicSurfaceTests
{
    [Theory, InlineData("Praetor.Client"), InlineData("Codecs"), InlineData("Languages"), InlineData("Gossip")]
    public void The_public_surface_is_the_one_written_down(string project)
    {
        var path = Repository.At("tests", "Unit", "PublicApi", project + ".txt");
        var surface = PublicSurface.Of(Assembly.Load(project));
        if (Environment.GetEnvironmentVariable("PRAETOR_ACCEPT") == "1")
        {
            Directory.CreateDirectory(Path.GetDirectoryName(path)!);
            File.WriteAllText(path, surface);
        }

        var written = File.Exists(path) ? File.ReadAllText(path) : "";
        string[] before = written.Split('\n'), now = surface.Split('\n');
        var removed = before.Except(now, StringComparer.Ordinal).Select(line => $"- {line}");
        var added = now.Except(before, StringComparer.Ordinal).Select(line => $"+ {line}");
        removed.Concat(added).ShouldBeEmpty(
            $"{project}'s public surface changed; when that is meant: PRAETOR_ACCEPT=1 ./test unit PublicSurface");
        surface.ShouldBe(written);
    }
}
