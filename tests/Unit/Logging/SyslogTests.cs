using System.Net.Sockets;
using System.Text;
using Microsoft.Extensions.Logging;
using Praetor.Agent.Logging;
using Shouldly;
using Support;
using Xunit;

namespace Unit.Logging;

public sealed class SyslogTests : IDisposable
{
    private readonly ManualTime _time = new(new DateTimeOffset(2026, 11, 1, 12, 0, 0, TimeSpan.Zero));
    private readonly TempFolder _folder = new("syslog");

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void Lines_go_to_the_systems_log_with_facility_and_severity()
    {
        using var system = Listen();
        Log(log =>
        {
            log.LogInformation("Started");
            log.LogWarning("hot");
            log.LogError("broken");
        });
        Heard(system).ShouldBe(
        [
            Said(19, 6, "2026-11-01T12:00:00.000Z [INFO]  agent: Started"),
            Said(19, 4, "2026-11-01T12:00:00.000Z [WARN]  agent: hot"),
            Said(19, 3, "2026-11-01T12:00:00.000Z [ERROR] agent: broken"),
        ]);
    }

    [Fact]
    public void A_long_line_is_cut()
    {
        using var system = Listen();
        Log(static log => log.LogInformation("{Text}", new string('x', 100_000)));
        Heard(system).Single().Length.ShouldBe(Syslog.MessageBytesMax);
    }

    [Fact]
    public void Where_there_is_no_log_of_the_system_that_is_said_once()
    {
        var console = Log(static log =>
        {
            log.LogInformation("one");
            log.LogInformation("two");
        });
        console.ShouldContain("two");
        console.Split("the system's log does not take lines").Length.ShouldBe(2, console);
    }

    [Fact]
    public void A_log_of_the_system_that_comes_back_is_found_again()
    {
        using var syslog = new Syslog(new SyslogOptions(16, "praetor") { Path = Path }, _time);
        var line = new LogLine(_time.GetUtcNow(), LogLevel.Information, "agent", "x");
        syslog.Write(line, "lost").ShouldNotBeNull();
        using var system = Listen();
        syslog.Write(line, "too soon").ShouldBeNull();
        _time.Advance(TimeSpan.FromSeconds(6));
        syslog.Write(line, "heard").ShouldBeNull();
        Heard(system).Single().ShouldEndWith("]: heard");
    }

    [Theory]
    [InlineData("LOCAL0", 16)]
    [InlineData("local7", 23)]
    [InlineData("DAEMON", 3)]
    [InlineData("LOCAL8", null)]
    [InlineData("", null)]
    public void A_facility_has_a_name(string name, int? number) => Syslog.FacilityOf(name).ShouldBe(number);

    private string Path => _folder.File("log");

    private static string Said(int facility, int severity, string text) =>
        $"<{(facility * 8) + severity}>Nov  1 12:00:00 praetor[{Environment.ProcessId}]: {text}";

    private string Log(Action<ILogger> write)
    {
        using var console = new StringWriter();
        var options = new AgentLogOptions { Syslog = new SyslogOptions(19, "praetor") { Path = Path } };
        using (var log = new AgentLog(options, console, _time))
        {
            write(log.CreateLogger("agent"));
        }

        return console.ToString();
    }

    private Socket Listen()
    {
        var socket = new Socket(AddressFamily.Unix, SocketType.Dgram, ProtocolType.Unspecified) { Blocking = false };
        socket.Bind(new UnixDomainSocketEndPoint(Path));
        return socket;
    }

    private static List<string> Heard(Socket system)
    {
        var buffer = new byte[128 * 1024];
        var heard = new List<string>();
        while (system.Available > 0)
        {
            heard.Add(Encoding.UTF8.GetString(buffer, 0, system.Receive(buffer)));
        }

        return heard;
    }
}
