using Praetor.Agent.Checks;
using Shouldly;
using Xunit;

namespace Unit.Local;

public sealed class CheckWiringTests
{
    private const int Rounds = 2000;
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(60);

    [Fact]
    public async Task Aliases_that_mirror_each_other_come_to_rest()
    {
        await using var world = await LocalWorld.StartedAsync();
        await world.PutAsync("service/register", """
            {"Name":"a","Checks":[{"CheckID":"disk","TTL":"1h"},{"CheckID":"of-c","AliasService":"c"}]}
            """);
        await world.PutAsync("service/register", """{"Name":"b","Check":{"CheckID":"of-a","AliasService":"a"}}""");
        await world.PutAsync("service/register", """{"Name":"c","Check":{"CheckID":"of-b","AliasService":"b"}}""");
        Settle();
        await world.PutAsync("check/pass/disk");
        Settle();
        var changes = 0;
        world.Agent.State.Changed += _ => changes++;

        Settle();

        changes.ShouldBe(0);
        var outputs = world.Agent.State.Current.Checks
            .Where(static c => c.Key.StartsWith("of-", StringComparison.Ordinal))
            .Select(static c => c.Value.Record.Output);
        outputs.ShouldAllBe(static output => output.StartsWith("Aliased check \"Service '") && output.Length < 200);

        void Settle()
        {
            for (var i = 0; i < 50; i++)
            {
                world.Time.Advance(TimeSpan.FromSeconds(1));
            }
        }
    }

    [Fact]
    public async Task A_check_that_comes_and_goes_while_it_reports_stops_nobody()
    {
        await using var world = await LocalWorld.StartedAsync();
        var plan = LocalWorld.FromFile(world.Options, """
            {"Name":"web","Checks":[{"CheckID":"t","Name":"t","TTL":"1h"},
             {"CheckID":"a","Name":"a","Alias_Service":"web"}]}
            """);
        using var end = new CancellationTokenSource();
        var reporting = Task.Run(async () =>
        {
            for (var i = 0; !end.IsCancellationRequested; i++)
            {
                await world.Agent.ReportAsync("t", (CheckStatus)(i % 3), $"{i}");
                world.Time.Advance(TimeSpan.FromSeconds(1));
            }
        });
        var editing = Task.Run(() =>
        {
            for (var i = 0; i < Rounds; i++)
            {
                world.Agent.State.Edit(editor => plan.Apply(editor, world.Options.SidecarPorts));
                world.Agent.State.Edit(editor => { editor.RemoveService("web"); });
            }
        });

        try
        {
            await editing.WaitAsync(Patience, TestContext.Current.CancellationToken);
        }
        finally
        {
            await end.CancelAsync();
        }

        await reporting.WaitAsync(Patience, TestContext.Current.CancellationToken);

        (await world.Agent.ReportAsync("t", CheckStatus.Passing, "")).ShouldBeFalse();
    }

    [Fact]
    public void A_timeout_of_months_is_no_error()
    {
        using var limit = new RunLimit(TimeSpan.FromDays(100), TimeProvider.System, CancellationToken.None);
        using var deadlines = new Deadlines(TimeProvider.System);
        deadlines.Set(new Deadline(static () => { }), TimeSpan.FromDays(100));
        deadlines.Set(new Deadline(static () => { }), TimeSpan.MaxValue);
        limit.IsLate.ShouldBeFalse();
    }
}
