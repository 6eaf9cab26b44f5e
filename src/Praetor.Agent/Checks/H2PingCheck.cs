using System.Buffers.Binary;
using System.Net.Security;

namespace Praetor.Agent.Checks;

/// <summary>Passing when the target speaks HTTP/2 and answers a PING frame.</summary>
internal sealed class H2PingCheck(Dialer dialer, TimeProvider time) : ICheckRunner
{
    private const int HeaderBytes = 9;

    // The largest frame a peer may send before we allow more.
    private const int FrameBytesMax = 16384;

    // A peer that sends this many other frames before it answers is not answering.
    private const int FramesMax = 64;
    private const byte PingFrame = 6;
    private const byte SettingsFrame = 4;
    private const byte GoAwayFrame = 7;
    private const byte AckFlag = 1;

    // Preface, empty SETTINGS and a PING whose eight bytes come back.
    private static readonly byte[] Opening =
    [
        .. "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"u8,
        0, 0, 0, SettingsFrame, 0, 0, 0, 0, 0,
        0, 0, 8, PingFrame, 0, 0, 0, 0, 0, .. "praetor!"u8,
    ];

    private static readonly byte[] SettingsAck = [0, 0, 0, SettingsFrame, AckFlag, 0, 0, 0, 0];

    public async Task<CheckResult> RunAsync(CheckSpec spec, CancellationToken stop)
    {
        if (!HostPort.TryParse(spec.H2Ping, out var target, out var problem))
        {
            return CheckResult.Critical($"Failed to dial to {spec.H2Ping}: dial tcp: {problem}");
        }

        using var limit = new RunLimit(spec.EffectiveTimeout, time, stop);
        try
        {
            await using var stream = await dialer.OpenAsync(
                target, spec.H2PingUseTls, spec, SslApplicationProtocol.Http2, limit.Token);
            return await PingAsync(stream, limit.Token) is { } failure
                ? CheckResult.Critical($"HTTP2 ping failed: {failure}")
                : CheckResult.Passing("HTTP2 ping was successful");
        }
        catch (DialException failure)
        {
            return CheckResult.Critical($"Failed to dial to {spec.H2Ping}: {failure.Message}");
        }
        catch (EndOfStreamException)
        {
            return CheckResult.Critical("HTTP2 ping failed: connection closed by the target");
        }
        catch (IOException failure)
        {
            return CheckResult.Critical($"HTTP2 ping failed: {failure.Message}");
        }
        catch (OperationCanceledException) when (limit.IsLate)
        {
            return CheckResult.Critical("HTTP2 ping failed: context deadline exceeded");
        }
    }

    /// <summary>Null when the ping came back, else why it did not.</summary>
    private static async Task<string?> PingAsync(Stream stream, CancellationToken stop)
    {
        await stream.WriteAsync(Opening, stop);
        var buffer = new byte[FrameBytesMax];
        for (var frame = 0; frame < FramesMax; frame++)
        {
            await stream.ReadExactlyAsync(buffer.AsMemory(0, HeaderBytes), stop);
            var length = BinaryPrimitives.ReadInt32BigEndian(buffer) >>> 8;
            var (type, flags) = (buffer[3], buffer[4]);
            if (length > FrameBytesMax || (frame == 0 && type != SettingsFrame))
            {
                return "the target does not speak HTTP/2";
            }

            await stream.ReadExactlyAsync(buffer.AsMemory(0, length), stop);
            switch (type)
            {
                case PingFrame when (flags & AckFlag) != 0:
                    return null;
                case SettingsFrame when (flags & AckFlag) == 0:
                    await stream.WriteAsync(SettingsAck, stop);
                    break;
                case GoAwayFrame:
                    return "the target sent GOAWAY";
                default:
                    break;
            }
        }

        return "no answer among the first frames";
    }
}
