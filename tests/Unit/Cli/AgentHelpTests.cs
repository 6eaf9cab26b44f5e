using Praetor.Agent.Config;
using Praetor.CommandLine;
using Praetor.Commands;
using Shouldly;
using Xunit;

namespace Unit.Cli;

public sealed class AgentHelpTests
{
    private static readonly Usage Usage = new(CommandTable.Rows);

    [Fact]
    public void Help_of_the_agent_names_every_flag_that_it_takes()
    {
        var help = HelpOf("agent");
        foreach (var flag in Settings.ByFlag.Keys.Concat(Settings.SourceFlags.Keys))
        {
            help.ShouldMatch($@"(?m)^  -{flag}(=<[a-z:]+>)?$");
        }
    }

    [Fact]
    public void Help_says_what_holds_when_a_flag_is_not_given() => HelpOf("agent").ShouldMatch(
        @"(?s)-http-port=<int>\n +HTTP API; -1 switches it off\. Default: 8500\.");

    [Fact]
    public void Every_command_says_what_it_does_and_gives_an_example()
    {
        foreach (var row in CommandTable.Rows.Where(static row => row.Make is not null))
        {
            var about = row.Make!().About;
            about.ShouldNotBeNullOrWhiteSpace(row.Name);
            about.ShouldContain($"praetor {row.Name}", Case.Sensitive, row.Name);
        }
    }

    private static string HelpOf(string name)
    {
        var row = CommandTable.Rows.Single(row => row.Name == name);
        return Usage.Of(row, row.Make!(), "praetor");
    }
}
