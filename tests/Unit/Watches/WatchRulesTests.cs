using Languages;
using Praetor.Agent.Checks;
using Praetor.Agent.Watches;
using Shouldly;
using Xunit;

namespace Unit.Watches;

public sealed class WatchRulesTests
{
    [Theory]
    [InlineData("args = [\"x\"]", "Watch type must be specified")]
    [InlineData("type = \"foo\" args = [\"x\"]", "Unsupported watch type: foo")]
    [InlineData("type = \"key\" args = [\"x\"]", "Must specify a single key to watch")]
    [InlineData("type = \"key\" key = 7 args = [\"x\"]", "Expecting key to be a string")]
    [InlineData("type = \"keyprefix\" args = [\"x\"]", "Must specify a single prefix to watch")]
    [InlineData("type = \"nodes\" key = \"a\" args = [\"x\"]", "Invalid parameters: [key]")]
    [InlineData("type = \"checks\" service = \"a\" state = \"b\" args = [\"x\"]", "Cannot specify service and state")]
    [InlineData("type = \"connect_roots\" args = [\"x\"]", "Watch type connect_roots is not allowed in agent config")]
    [InlineData("type = \"nodes\"", "Must define a watch handler")]
    [InlineData("type = \"nodes\" handler = \"x\" args = [\"x\"]", "Only one watch handler allowed")]
    [InlineData("type = \"nodes\" handler = [\"x\"]", "Watch handler must be a string")]
    [InlineData("type = \"nodes\" handler_type = \"http\"",
        "Handler type 'http' requires 'http_handler_config' to be set")]
    [InlineData("type = \"nodes\" handler_type = \"ftp\"", "Handler type 'ftp' not recognized")]
    [InlineData("type = \"nodes\" handler_type = \"http\" http_handler_config { method = \"PUT\" }",
        "Failed to parse 'http_handler_config': Requires 'path' to be set")]
    public void A_wrong_watch_is_refused_in_the_words_that_users_know(string text, string problem)
    {
        WatchRules.Parse(Block(text), out var said).ShouldBeNull();

        said.ShouldBe(problem);
    }

    [Fact]
    public void A_watch_says_what_is_looked_at_and_who_is_told()
    {
        var watch = WatchRules.Parse(
            Block("""
            type = "service" service = "web" tag = ["a", "b"] passingonly = true stale = true datacenter = "dc2"
            handler_type = "http"
            http_handler_config {
              path = "https://hook.example/x?secret=1" method = "PUT" timeout = "3s" tls_skip_verify = true
              header { X-A = ["1", "2"] }
            }
            """), out var problem).ShouldNotBeNull();

        problem.ShouldBeEmpty();
        watch.Query.Tags.ShouldBe(["a", "b"]);
        (watch.Query.PassingOnly, watch.Query.Stale, watch.Datacenter).ShouldBe((true, true, "dc2"));
        var http = watch.Handler.ShouldBeOfType<WatchHandler.Http>();
        (http.Method, http.Timeout, http.SkipsVerification).ShouldBe(("PUT", TimeSpan.FromSeconds(3), true));
        http.Headers.Select(static h => $"{h.Key}={h.Value}").ShouldBe(["X-A=1", "X-A=2"]);
    }

    [Fact]
    public void A_handler_of_the_old_kind_is_run_by_a_shell()
    {
        var watch = WatchRules.Parse(Block("type = \"nodes\" handler = \"cat > /tmp/x\""), out _).ShouldNotBeNull();

        watch.Handler.ShouldBeOfType<WatchHandler.Script>().Args.Skip(1).ShouldBe(["-c", "cat > /tmp/x"]);
    }

    [Fact]
    public void Scripts_run_only_where_those_of_checks_may()
    {
        ConfigNode[] blocks = [Block("type = \"nodes\" args = [\"true\"]")];

        AgentWatches.Read(blocks, ScriptChecks.Off, out var refused).ShouldBeEmpty();
        refused.ShouldNotBeNull().ShouldContain("'enable_local_script_checks'");
        AgentWatches.Read(blocks, ScriptChecks.LocalOnly, out var problem).Count.ShouldBe(1);
        problem.ShouldBeNull();
    }

    private static ConfigNode Block(string text) => ConfigParser.Parse(text, "test", ConfigFormat.Hcl).Value!;
}
