using System.Text;
using Microsoft.Extensions.Logging;
using Praetor.Agent.Cluster;
using Shouldly;
using Support;
using Xunit;

namespace Unit.Etcd;

public sealed class EtcdLogTests
{
    [Theory]
    [InlineData("""{"level":"info","ts":"2026","caller":"x.go:1","msg":"started","id":"ab","n":3}""", LogLevel.Debug, "started id=ab n=3")]
    [InlineData("""{"level":"warn","msg":"slow","took":"1s"}""", LogLevel.Warning, "slow took=1s")]
    [InlineData("""{"level":"fatal","msg":"gone","error":"no disk","a":[1,{"b":2}],"c":true}""", LogLevel.Error, "gone error=no disk c=true")]
    [InlineData("""{"level":"warn","msg":"simple token is not cryptographically signed"}""", LogLevel.Debug, "simple token is not cryptographically signed")]
    [InlineData("""{"level":"warn","msg":"cut off","mo""", LogLevel.Warning, "cut off")]
    [InlineData("panic: runtime error", LogLevel.Warning, "panic: runtime error")]
    [InlineData("[1,2", LogLevel.Warning, "[1,2")]
    [InlineData("", LogLevel.Warning, "")]
    public void A_line_of_etcd_is_told_at_a_fitting_level(string line, LogLevel level, string text)
    {
        EtcdLog.Read(Encoding.UTF8.GetBytes(line)).ShouldBe((level, text));
    }

    [Fact]
    public void Bytes_that_are_no_text_do_not_throw()
    {
        var random = new Random(3);
        var sound = """{"level":"warn","msg":"slow","took":"1s","list":[1,2,{"a":null}]}"""u8.ToArray();
        for (var i = 0; i < 10_000; i++)
        {
            var bytes = sound.AsSpan(0, random.Next(sound.Length + 1)).ToArray();
            for (var flips = 2; flips > 0 && bytes.Length > 0; flips--)
            {
                bytes[random.Next(bytes.Length)] = (byte)random.Next(256);
            }

            EtcdLog.Read(bytes).Text.Length.ShouldBeLessThanOrEqualTo(EtcdLog.TextMax + 1);
        }
    }

    [Fact]
    public async Task Lines_beyond_measure_are_cut_and_lines_beyond_number_are_counted()
    {
        var log = new ListLog();
        var time = new ManualTime();
        var lines = new EtcdLog(time, log);
        const string Line = """{"level":"warn","msg":"m"}""";
        var text = $"{new string('x', 9000)}\n{string.Join('\n', Enumerable.Repeat(Line, 500))}\n";
        await lines.PumpAsync(new MemoryStream(Encoding.UTF8.GetBytes(text)), TestContext.Current.CancellationToken);
        log.Lines[0].Length.ShouldBe(EtcdLog.TextMax + 1);
        log.Lines.Count.ShouldBeLessThan(300);
        time.Advance(TimeSpan.FromSeconds(1));
        var before = log.Lines.Count;
        lines.Write("{\"level\":\"error\",\"msg\":\"bad\"}"u8);
        log.Lines.Skip(before).ShouldBe([$"lines of etcd were left out, it logs too much: {501 - before}", "bad"]);
        lines.LastProblem.ShouldBe("bad");
    }

    private sealed class ListLog : ILogger
    {
        public List<string> Lines { get; } = [];

        public IDisposable? BeginScope<TState>(TState state)
            where TState : notnull => null;

        public bool IsEnabled(LogLevel logLevel) => true;

        public void Log<TState>(
            LogLevel logLevel, EventId eventId, TState state, Exception? exception,
            Func<TState, Exception?, string> formatter) => Lines.Add(formatter(state, exception));
    }
}
