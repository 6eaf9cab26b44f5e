using Microsoft.Extensions.Logging;
using Praetor.Agent.Logging;
using Shouldly;
using Support;
using Xunit;

namespace Unit.Logging;

public sealed class AgentLogTests
{
    private readonly ManualTime _time = new(new DateTimeOffset(2026, 11, 21, 12, 0, 0, TimeSpan.Zero));

    [Fact]
    public void A_line_has_time_level_module_and_text()
    {
        using var console = new StringWriter();
        using (var log = new AgentLog(new AgentLogOptions(), console, _time))
        {
            var logger = log.CreateLogger("agent.http");
            logger.LogInformation("Started: address={Address}", "127.0.0.1:8500");
            logger.LogDebug("not shown");
            logger.LogError(new IOException("disk full"), "could not write");
        }

        console.ToString().Split('\n', StringSplitOptions.RemoveEmptyEntries).ShouldBe(
        [
            "2026-11-21T12:00:00.000Z [INFO]  agent.http: Started: address=127.0.0.1:8500",
            "2026-11-21T12:00:00.000Z [ERROR] agent.http: could not write: error=\"disk full\"",
        ]);
    }

    [Fact]
    public void Json_lines_have_the_names_that_readers_know()
    {
        using var console = new StringWriter();
        using (var log = new AgentLog(new AgentLogOptions { Json = true }, console, _time))
        {
            log.CreateLogger("agent").LogWarning("hot");
        }

        console.ToString().Trim().ShouldBe(
            """{"@level":"warn","@message":"hot","@module":"agent","@timestamp":"2026-11-21T12:00:00.000000Z"}""");
    }

    [Fact]
    public void What_comes_from_outside_cannot_begin_a_line_of_its_own()
    {
        using var console = new StringWriter();
        using (var log = new AgentLog(new AgentLogOptions(), console, _time))
        {
            log.CreateLogger("agent").LogInformation("name={Name}", "a\nb\u001b[31m");
        }

        console.ToString().Trim().ShouldEndWith("name=a\\nb?[31m");
    }

    [Fact]
    public void The_level_changes_while_the_agent_runs()
    {
        using var console = new StringWriter();
        using (var log = new AgentLog(new AgentLogOptions { Level = LogLevel.Error }, console, _time))
        {
            log.CreateLogger("agent").LogInformation("one");
            log.Level = LogLevel.Debug;
            log.CreateLogger("agent").LogDebug("two");
        }

        console.ToString().ShouldNotContain("one");
        console.ToString().ShouldContain("two");
    }

    [Fact]
    public void A_watcher_sees_its_own_level_and_learns_what_it_missed()
    {
        using var log = new AgentLog(new AgentLogOptions(), TextWriter.Null, _time);
        using var watcher = log.Broadcast.Watch(LogLevel.Debug);
        var logger = log.CreateLogger("agent");

        for (var i = 0; i < LogBroadcast.LinesPerWatcherMax + 10; i++)
        {
            logger.LogDebug("line {Number}", i);
        }

        logger.LogTrace("below");
        watcher.Lines.TryRead(out var first).ShouldBeTrue();
        first!.Text.ShouldBe("line 10");
        watcher.TakeDropped().ShouldBe(10);
        watcher.TakeDropped().ShouldBe(0);
    }

    [Fact]
    public void A_console_that_cannot_be_written_to_ends_nothing_and_the_file_has_every_line()
    {
        using var folder = new TempFolder("log");
        var options = new AgentLogOptions { File = new LogFileOptions(folder.File("agent.log")) };
        var console = new StringWriter();
        console.Dispose();
        using (var log = new AgentLog(options, console, _time))
        {
            log.CreateLogger("agent").LogInformation("one");
            log.CreateLogger("agent").LogInformation("two");
        }

        var lines = File.ReadAllLines(Directory.GetFiles(folder.Path).ShouldHaveSingleItem());
        lines.Select(static line => line[^3..]).ShouldBe(["one", "two"]);
    }

    [Fact]
    public void A_file_is_followed_by_a_new_one_and_old_ones_go()
    {
        using var folder = new TempFolder("log");
        var options = new LogFileOptions(Path.Combine(folder.Path, "agent.log")) { RotateBytes = 100, FilesMax = 2 };
        using (var file = new LogFile(options, _time))
        {
            for (var i = 0; i < 20; i++)
            {
                file.Write(new string('x', 60));
                _time.Advance(TimeSpan.FromSeconds(1));
            }
        }

        var files = Directory.GetFiles(folder.Path, "agent-*.log");
        files.Length.ShouldBe(3);
        files.ShouldAllBe(static f => new FileInfo(f).Length <= 100);
    }
}
