using System.Buffers;
using Microsoft.AspNetCore.Http;
using Praetor.Agent.Forwarding;
using Shouldly;
using Xunit;

namespace Unit.Forwarding;

public sealed class CallFramesTests
{
    private static readonly ServerCall Call = new()
    {
        Method = "PUT",
        Target = "/v1/kv/a%2Fb?flags=7&ü",
        Datacenter = "dc1",
        Token = "secret",
        IsOwn = true,
        Body = "value"u8.ToArray(),
        Headers = [new("accept-encoding", "gzip"), new("x-odd", "1")],
    };

    [Fact]
    public void A_call_is_read_as_it_was_written()
    {
        var headers = new HeaderDictionary();
        CallFrames.TryReadCall(Frame(Written()), out var number, out var method, out var target, headers, out var body)
            .ShouldBeTrue();
        (number, method, target).ShouldBe((9u, "PUT", Call.Target));
        body.ToArray().ShouldBe("value"u8.ToArray());
        headers.Select(static h => $"{h.Key}={h.Value}").Order(StringComparer.Ordinal).ShouldBe(
            ["Accept-Encoding=gzip", "Content-Length=5", "X-Consul-Token=secret", "x-odd=1",
             "x-praetor-hops=c:n@dc1", "x-praetor-own=1"], ignoreOrder: true);
    }

    [Fact]
    public void An_answer_is_read_as_it_was_written()
    {
        var buffer = new ArrayBufferWriter<byte>();
        var written = new HeaderDictionary { ["X-Consul-Index"] = "12", ["X-Later"] = "yes" };
        CallFrames.WriteAnswer(buffer, 3, 404, written, "none"u8);
        CallFrames.TryReadAnswer(
            Frame(buffer.WrittenMemory), out var number, out var status, out var raw, out var body).ShouldBeTrue();
        var headers = new HeaderDictionary();
        CallFrames.CopyHeaders(raw.Span, headers);
        (number, status).ShouldBe((3u, 404));
        headers["X-Consul-Index"].ToString().ShouldBe("12");
        headers["X-Later"].ToString().ShouldBe("yes");
        body.ToArray().ShouldBe("none"u8.ToArray());
    }

    [Fact]
    public void Frames_are_taken_one_by_one_and_only_whole()
    {
        var two = Written().ToArray().Concat(Written().ToArray()).ToArray();
        var bytes = new ReadOnlySequence<byte>(two.AsMemory(0, two.Length - 1));
        CallFrames.TryTake(ref bytes, out _, out var isSound).ShouldBeTrue();
        CallFrames.TryTake(ref bytes, out _, out isSound).ShouldBeFalse();
        isSound.ShouldBeTrue();
        bytes.Length.ShouldBe((two.Length / 2) - 1);
    }

    [Fact]
    public void A_length_that_no_frame_has_ends_the_stream()
    {
        foreach (var head in (byte[][])[[0, 0, 0, 3], [255, 255, 255, 255], [0, 16, 0, 1]])
        {
            var bytes = new ReadOnlySequence<byte>(head);
            CallFrames.TryTake(ref bytes, out _, out var isSound).ShouldBeFalse();
            isSound.ShouldBeFalse();
        }
    }

    [Fact]
    public void Whatever_bytes_come_nothing_is_thrown()
    {
        var random = new Random(7);
        var sound = Written().ToArray()[4..];
        for (var i = 0; i < 100_000; i++)
        {
            var bytes = sound[..random.Next(sound.Length + 1)];
            for (var change = random.Next(4); change > 0 && bytes.Length > 0; change--)
            {
                bytes[random.Next(bytes.Length)] = (byte)random.Next(256);
            }

            CallFrames.TryReadCall(bytes, out _, out _, out _, new HeaderDictionary(), out _);
            if (CallFrames.TryReadAnswer(bytes, out _, out _, out var headers, out _))
            {
                CallFrames.CopyHeaders(headers.Span, new HeaderDictionary());
            }
        }
    }

    [Fact]
    public void The_numbers_of_headers_never_change()
    {
        var buffer = new ArrayBufferWriter<byte>();
        var headers = new HeaderDictionary();
        string[] names =
        [
            "Content-Type", "Content-Length", "Content-Encoding", "Vary", "X-Content-Type-Options",
            "X-Consul-Default-ACL-Policy", "X-Consul-Index", "X-Consul-KnownLeader", "X-Consul-LastContact",
            "X-Consul-Effective-Consistency", "X-Consul-Query-Backend", "X-Cache", "Age", "Content-Security-Policy",
            "Allow", "Location", "Accept-Encoding", "Cache-Control", "X-Consul-Token", "x-praetor-hops",
            "x-praetor-own", "x-praetor-not-done",
        ];
        for (var i = 0; i < names.Length; i++)
        {
            buffer.ResetWrittenCount();
            headers.Clear();
            headers[names[i]] = "";
            CallFrames.WriteAnswer(buffer, 1, 200, headers, []);
            const int NumberAt = 4 + 4 + 2 + 1;
            buffer.WrittenSpan[NumberAt].ShouldBe((byte)(i + 1), names[i]);
        }
    }

    private static ReadOnlyMemory<byte> Written()
    {
        var buffer = new ArrayBufferWriter<byte>();
        CallFrames.WriteCall(buffer, 9, Call, "c:n@dc1");
        return buffer.WrittenMemory;
    }

    private static byte[] Frame(ReadOnlyMemory<byte> written)
    {
        var bytes = new ReadOnlySequence<byte>(written);
        CallFrames.TryTake(ref bytes, out var frame, out _).ShouldBeTrue();
        return frame.ToArray();
    }
}
