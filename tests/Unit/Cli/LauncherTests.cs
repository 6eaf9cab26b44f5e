using System.Text;
using Praetor.CommandLine;
using Praetor.CommandLine.Completion;
using Praetor.Commands;
using Shouldly;
using Xunit;

namespace Unit.Cli;

public sealed class LauncherTests
{
    [Fact]
    public async Task An_unknown_command_is_refused_with_the_one_that_may_be_meant()
    {
        var (code, output, error) = await RunAsync("praetor", "membrs");
        code.ShouldBe(127);
        output.ShouldBe("");
        error.ShouldContain("Did you mean 'members'?");
    }

    [Fact]
    public async Task Called_consul_it_prints_usage_and_no_hints()
    {
        var (code, output, error) = await RunAsync("consul", "membrs");
        code.ShouldBe(127);
        output.ShouldBe("");
        error.ShouldStartWith("Usage: consul [--version] [--help] <command> [<args>]\n");
        error.ShouldNotContain("Did you mean");
    }

    [Fact]
    public async Task A_mistyped_flag_is_refused_with_the_one_that_may_be_meant()
    {
        var (code, _, error) = await RunAsync("praetor", "kv", "get", "-detialed", "x");
        code.ShouldBe(1);
        error.ShouldContain("flag provided but not defined: -detialed\nDid you mean '-detailed'?");
    }

    [Fact]
    public async Task Every_command_and_group_has_help()
    {
        foreach (var row in CommandTable.Rows)
        {
            var (code, output, _) = await RunAsync("praetor", [.. row.Name.Split(' '), "-h"]);
            code.ShouldBe(0, row.Name);
            output.ShouldStartWith($"Usage: praetor {row.Name}", customMessage: row.Name);
        }
    }

    [Fact]
    public async Task Help_goes_to_standard_output_when_asked_for_and_to_standard_error_when_not()
    {
        (await RunAsync("consul", "kv", "-h")).Output.ShouldStartWith("Usage: consul kv");
        var (code, output, error) = await RunAsync("consul", "kv");
        code.ShouldBe(1);
        output.ShouldBe("");
        error.ShouldStartWith("Usage: consul kv");
    }

    [Fact]
    public async Task Consul_reports_the_version_that_its_clients_look_for() =>
        (await RunAsync("consul", "version")).Output.ShouldStartWith($"Consul v{Praetor.ProductVersion.Consul}\n");

    [Theory]
    [InlineData("praetor kv g", "get")]
    [InlineData("praetor kv get -de", "-detailed")]
    [InlineData("praetor config list -kind service-i", "service-intentions")]
    [InlineData("praetor config list -kind=service-i", "-kind=service-intentions")]
    [InlineData("praetor connect ", "ca,proxy")]
    [InlineData("praetor kv get one ", "found")]
    public async Task A_line_is_completed(string line, string words)
    {
        var completer = new Completer(CommandTable.Rows, (wanted, _, _) => Task.FromResult<IReadOnlyList<string>>(
            wanted == Candidates.ConfigKinds ? ConfigEntryKinds.All : ["found"]));
        var found = await completer.CompleteAsync(CompletionLine.Read(line, point: null), CancellationToken.None);
        string.Join(',', found).ShouldBe(words);
    }

    [Fact]
    public void Own_variables_come_before_those_of_Consul()
    {
        var variables = new Dictionary<string, string>(StringComparer.Ordinal)
        {
            ["PRAETOR_HTTP_ADDR"] = "own:1",
            ["CONSUL_HTTP_ADDR"] = "theirs:1",
            ["CONSUL_HTTP_TOKEN"] = "secret",
        };
        var shell = ShellOf("praetor", new MemoryStream(), new StringWriter()) with
        {
            Environment = variables.GetValueOrDefault,
        };
        var options = new HttpFlags(new FlagSet(), HttpGroups.All).Options(shell);
        options.Address.ShouldBe("http://own:1");
        options.Token.ShouldBe("secret");
    }

    private static async Task<(int Code, string Output, string Error)> RunAsync(string program, params string[] line)
    {
        var output = new MemoryStream();
        var error = new StringWriter { NewLine = "\n" };
        var shell = ShellOf(program, output, error);
        var code = await new Launcher(CommandTable.Rows, "version").RunAsync(shell, line, CancellationToken.None);
        return (code, Encoding.UTF8.GetString(output.ToArray()), error.ToString());
    }

    private static Shell ShellOf(string program, Stream output, TextWriter error) =>
        new(program, Stream.Null, output, error, static _ => null);
}
