using System.Net.Sockets;

namespace Praetor.Agent.Checks;

/// <summary>
/// Critical when the target's machine refuses the datagram; silence is health, as UDP owes no answer.
/// </summary>
internal sealed class UdpCheck(TimeProvider time) : ICheckRunner
{
    public async Task<CheckResult> RunAsync(CheckSpec spec, CancellationToken stop)
    {
        if (!HostPort.TryParse(spec.Udp, out var target, out var problem))
        {
            return CheckResult.Critical($"dial udp: {problem}");
        }

        using var limit = new RunLimit(spec.EffectiveTimeout, time, stop);
        try
        {
            var addresses = await Dialer.ResolveAsync(target, "udp", limit.Token);
            using var socket = new Socket(addresses[0].AddressFamily, SocketType.Dgram, ProtocolType.Udp);
            await socket.ConnectAsync(addresses[0], target.Port, limit.Token);
            await socket.SendAsync(ReadOnlyMemory<byte>.Empty, limit.Token);
            await socket.ReceiveAsync(new byte[1], limit.Token);
            return Success(spec);
        }
        catch (DialException failure)
        {
            return CheckResult.Critical(failure.Message);
        }
        catch (SocketException answer) when (answer.SocketErrorCode == SocketError.MessageSize)
        {
            // Longer than the one byte we made room for: an answer all the same.
            return Success(spec);
        }
        catch (SocketException failure)
        {
            return CheckResult.Critical($"read udp {target}: {GoText.Of(failure.SocketErrorCode)}");
        }
        catch (OperationCanceledException) when (limit.IsLate)
        {
            return Success(spec);
        }
    }

    private static CheckResult Success(CheckSpec spec) => CheckResult.Passing($"UDP connect {spec.Udp}: Success");
}
