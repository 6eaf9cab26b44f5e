using System.Globalization;
using Praetor;
using Shouldly;
using Support;
using Xunit;

namespace Unit.Cli;

public sealed class VersionTests
{
    [Fact]
    public void The_build_date_is_that_of_the_commit()
    {
        Assert.SkipUnless(Directory.Exists(Repository.At(".git")) || File.Exists(Repository.At(".git")), "no git");
        var date = DateTimeOffset.ParseExact(
            ProductVersion.BuildDate, "yyyy-MM-dd'T'HH:mm:ss'Z'", CultureInfo.InvariantCulture,
            DateTimeStyles.AssumeUniversal);
        var file = File.GetLastWriteTimeUtc(Path.Combine(AppContext.BaseDirectory, "praetor.dll"));
        date.UtcDateTime.ShouldBeLessThan(file);
        typeof(ProductVersion).Assembly.CustomAttributes
            .ShouldContain(attribute => attribute.ConstructorArguments.Any(a => "CommitDate".Equals(a.Value)));
    }
}
