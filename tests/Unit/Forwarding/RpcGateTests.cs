using System.Buffers;
using System.Text;
using Praetor.Agent.Forwarding;
using Shouldly;
using Support;
using Xunit;

namespace Unit.Forwarding;

public sealed class RpcGateTests
{
    private const string Preface = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";

    [Theory]
    [InlineData(Preface, "Undecided")]
    [InlineData(Preface + "\0\0\0", "Undecided")]
    [InlineData(Preface + "\0\0\0\u0004\0\0\0\0\0", "Http2")]
    [InlineData(Preface + "\0\0\u0006\u0004\0\0\0\0\0", "Undecided")]
    [InlineData(Preface + "\0\0\u0006\u0004\0\0\0\0\0\0\u0002\0\0\0", "Undecided")]
    [InlineData(Preface + "\0\0\u0006\u0004\0\0\0\0\0\0\u0002\0\0\0\0", "Http2")]
    [InlineData(Preface + "\0\0\u0012\u0004\0\0\0\0\0\u00FC\u00A1\0\0\0\u0001", "Calls")]
    [InlineData(Preface + "\0\0\u0012\u0004\0\0\0\0\0\u00FC\u00A1\0\0\0\u0002", "Http2")]
    [InlineData(Preface + "\0\0\u0012\u0006\0\0\0\0\0\u00FC\u00A1\0\0\0\u0001", "Http2")]
    [InlineData("PRI * HTT", "Undecided")]
    [InlineData("GET /v1/kv/a HTTP/1.1\r\n", "Http1")]
    [InlineData("PUT", "Http1")]
    [InlineData("\u0000\u0001", "Unknown")]
    [InlineData("\u0016\u0003\u0001", "Unknown")]
    [InlineData("\u0004", "Unknown")]
    public void Protocols_are_told_apart_by_their_first_bytes(string bytes, string protocol) =>
        RpcGate.Judge(new ReadOnlySequence<byte>(Encoding.Latin1.GetBytes(bytes))).ToString().ShouldBe(protocol);

    [Fact]
    public void Calls_above_the_rate_are_refused_until_time_has_passed()
    {
        var time = new ManualTime();
        var rate = new CallRate(perSecond: 2, burst: 3, time);
        Enumerable.Range(0, 5).Select(_ => rate.TryTake()).ShouldBe([true, true, true, false, false]);
        time.Advance(TimeSpan.FromSeconds(1));
        Enumerable.Range(0, 3).Select(_ => rate.TryTake()).ShouldBe([true, true, false]);
        new CallRate(perSecond: -1, burst: 0, time).TryTake().ShouldBeTrue();
    }
}
