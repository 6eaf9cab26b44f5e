using Shouldly;
using Xunit;

namespace Unit;

public sealed class SmokeTests
{
    [Fact]
    public void The_executable_is_named_praetor() =>
        typeof(Praetor.Program).Assembly.GetName().Name.ShouldBe("praetor");
}
