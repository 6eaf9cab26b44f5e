using System.Text.RegularExpressions;
using Praetor.Commands.Demo;
using Shouldly;
using Xunit;

namespace Unit.Cli;

public sealed class DemoScreenTests
{
    private static readonly DemoPorts Ports = new(8500, 8600, 8502, 8300, 8301, 8302, 21_000, 9001, 9002, 9003);

    private static readonly DemoTraffic.Figures Answered =
        new(4, 0, "count 12345", TimeSpan.FromMilliseconds(1234.5), IsAnswered: true);

    private static readonly DemoTraffic.Figures Denied =
        new(0.4, 123, "closed on the way, as a denied one is", TimeSpan.FromMilliseconds(1.5), IsAnswered: false);

    [Theory]
    [InlineData(40)]
    [InlineData(60)]
    [InlineData(80)]
    public void The_live_line_stays_within_one_row_of_the_terminal(int columns)
    {
        foreach (var figures in (DemoTraffic.Figures[])[Answered, Denied])
        {
            var shown = Shown(columns, screen => screen.Show(figures));
            shown.Length.ShouldBeLessThan(columns, shown);
            shown.ShouldContain("dashboard → counting");
        }
    }

    [Fact]
    public void A_terminal_of_80_columns_shows_that_a_connection_was_denied_and_how_often()
    {
        var shown = Shown(80, screen => screen.Show(Denied));
        shown.ShouldEndWith("closed on the way, as a denied one is  errors 123");
    }

    [Fact]
    public void A_terminal_that_does_not_tell_its_width_gets_a_line_for_eighty_columns() =>
        Shown(0, screen => screen.Show(Answered)).ShouldEndWith("count 12345");

    [Theory]
    [InlineData(60)]
    [InlineData(80)]
    [InlineData(200)]
    public void What_to_type_stands_whole_on_a_line_whatever_the_width(int columns)
    {
        var shown = Shown(columns, screen => screen.Guide(Ports, "praetor"));
        var lines = shown.Split('\n').Select(static line => line.Trim()).ToList();
        const string toType = "praetor intention create -deny dashboard counting";
        lines.ShouldContain(static line => line.StartsWith(toType, StringComparison.Ordinal));
        shown.ShouldContain("cut it, and watch the line below");
        if (columns < 100)
        {
            lines.ShouldContain(toType);
        }
    }

    private static string Shown(int columns, Action<DemoScreen> show)
    {
        using var output = new StringWriter();
        show(new DemoScreen(output, () => columns, TimeProvider.System));
        return Regex.Replace(output.ToString(), "\r|\x1b\\[[0-9]*[Km]", "", RegexOptions.None, TimeSpan.FromSeconds(5));
    }
}
