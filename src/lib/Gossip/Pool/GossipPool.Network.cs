using System.Net;
using System.Net.Sockets;
using Gossip.Serf;
using Gossip.Serf.Wire;
using Gossip.Swim;
using Gossip.Wire;

namespace Gossip.Pool;

// The network's side: packets in and out, streams in and out.
public sealed partial class GossipPool
{
    /// <summary>Streams served at once; more are closed, their askers come again.</summary>
    private const int StreamsMax = 128;

    /// <summary>A failing accept or receive is not repeated at once.</summary>
    private static readonly TimeSpan RetryPause = TimeSpan.FromMilliseconds(100);

    private readonly SemaphoreSlim _streamSlots = new(StreamsMax, StreamsMax);

    private void ReadPackets()
    {
        var buffer = new byte[WireLimits.DatagramBytesMax];
        var messages = new List<SwimMessage>();
        EndPoint from = new IPEndPoint(
            _sockets.Packets.AddressFamily == AddressFamily.InterNetwork ? IPAddress.Any : IPAddress.IPv6Any, 0);
        while (!_stop.IsCancellationRequested)
        {
            try
            {
                var length = _sockets.Packets.ReceiveFrom(buffer, ref from);
                TakePacket(buffer.AsSpan(0, length), PoolSockets.Plain(from), messages);
            }
            catch (SocketException) when (!_stop.IsCancellationRequested)
            {
                // An ICMP error of an earlier packet, or a lack of memory: the socket goes on.
                _stop.Token.WaitHandle.WaitOne(RetryPause);
            }
            catch (Exception e) when (e is ObjectDisposedException or SocketException)
            {
                return;
            }
            catch (Exception e) // supervisor: one packet that nobody foresaw must not end the process
            {
                Tell(listener => listener.Note(SwimNote.Unexpected, $"packet from {from}: {e}"));
            }
        }
    }

    private void TakePacket(ReadOnlySpan<byte> datagram, IPEndPoint from, List<SwimMessage> messages)
    {
        if (!Allows(from.Address))
        {
            return;
        }

        messages.Clear();
        if (_packets.Decode(datagram, messages) is not WireError.None and var error)
        {
            Tell(listener => listener.Note(NoteOf(error), $"packet from {from}: {error}"));
        }

        if (messages.Count == 0)
        {
            return;
        }

        lock (_gate)
        {
            if (_isStopped)
            {
                return;
            }

            var now = Now;
            foreach (var message in messages)
            {
                if (message is not Alive alive || Allows(alive.Address.Address))
                {
                    _core.Receive(message, from, now);
                }
            }

            Arm();
        }
    }

    private async Task AcceptAsync()
    {
        while (!_stop.IsCancellationRequested)
        {
            try
            {
                var stream = await _sockets.Streams.AcceptAsync(_stop.Token);
                var from = PoolSockets.Plain(stream.RemoteEndPoint!);
                if (!Allows(from.Address) || !_streamSlots.Wait(0))
                {
                    stream.Dispose();
                    continue;
                }

                _ = ServeAsync(stream, from);
            }
            catch (SocketException) when (!_stop.IsCancellationRequested)
            {
                await Task.Delay(RetryPause, _time);
            }
            catch (Exception e) when (e is OperationCanceledException or ObjectDisposedException or SocketException)
            {
                return;
            }
        }
    }

    private async Task ServeAsync(Socket socket, IPEndPoint from)
    {
        try
        {
            using var timeout = new CancellationTokenSource(_options.Serf.Swim.StreamTimeout, _time);
            using var limit = CancellationTokenSource.CreateLinkedTokenSource(_stop.Token, timeout.Token);
            await using var stream = new NetworkStream(socket, ownsSocket: true);
            var (message, error) = await _streams.ReadAsync(stream, opened: true, limit.Token);
            if (message is null)
            {
                Tell(listener => listener.Note(NoteOf(error), $"stream from {from}: {error}"));
                return;
            }

            if (Locked((core, now) => core.AnswerStream(message, from, now)) is { } answer)
            {
                await stream.WriteAsync(_streams.Encode(answer, opens: false), limit.Token);
            }
        }
        catch (Exception e) when (IsNetworks(e))
        {
            Tell(listener => listener.Note(SwimNote.Unexpected, $"stream from {from}: {e.Message}"));
        }
        finally
        {
            _streamSlots.Release();
        }
    }

    private async Task ExchangeAsync(long exchange, IPEndPoint to, SwimMessage request, TimeSpan timeout)
    {
        string problem;
        try
        {
            using var late = new CancellationTokenSource(timeout, _time);
            using var limit = CancellationTokenSource.CreateLinkedTokenSource(_stop.Token, late.Token);
            using var socket = new Socket(to.AddressFamily, SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
            await socket.ConnectAsync(to, limit.Token);
            await using var stream = new NetworkStream(socket, ownsSocket: false);
            await stream.WriteAsync(_streams.Encode(request, opens: true), limit.Token);
            var (answer, error) = await _streams.ReadAsync(stream, opened: false, limit.Token);
            if (answer is not null)
            {
                Locked((core, now) => core.StreamAnswered(exchange, answer, now));
                return;
            }

            problem = error == WireError.Empty
                ? "it closed the connection without an answer; is its gossip encrypted with another key?"
                : $"its answer is not understood: {error}";
        }
        catch (OperationCanceledException)
        {
            problem = "i/o timeout";
        }
        catch (Exception e) when (IsNetworks(e))
        {
            problem = e.Message;
        }

        Locked((core, now) => core.StreamFailed(exchange, problem, now));
    }

    private static SwimNote NoteOf(WireError error) =>
        error is WireError.NotDecryptable or WireError.NotEncrypted or WireError.NoKeyring
            ? SwimNote.NotDecryptable
            : SwimNote.Unexpected;

    private static bool IsNetworks(Exception e) => e is IOException or SocketException or OperationCanceledException
        or ObjectDisposedException or ArgumentException;

    private void Tell(Action<IPoolListener> notice) => _notices.Writer.TryWrite(notice);

    /// <summary>The core's way out.</summary>
    private sealed class Way(GossipPool pool) : ISwimTransport
    {
        // Type, version, nonce and tag of the encryption with its padding; checksum; compound.
        private const int WrappingBytes = 64;

        public int PacketBytesMax =>
            pool._options.Wire.PacketBytes - WrappingBytes - (pool._options.Wire.Label.Length * 2) - 2;

        public int EncodedSize(SwimMessage message) => pool._packets.Encode(message).Length;

        public void SendPacket(IPEndPoint to, ReadOnlySpan<SwimMessage> messages)
        {
            foreach (var message in messages)
            {
                if (!pool._packets.TryAdd(message))
                {
                    Finish(to);
                    pool._packets.TryAdd(message);
                }
            }

            Finish(to);
        }

        public void Exchange(long exchange, IPEndPoint to, SwimMessage request, TimeSpan timeout) =>
            _ = Task.Run(() => pool.ExchangeAsync(exchange, to, request, timeout));

        private void Finish(IPEndPoint to)
        {
            var datagram = pool._packets.Finish(checksum: false);
            if (datagram.IsEmpty || pool._isStopped)
            {
                return;
            }

            try
            {
                pool._sockets.Packets.SendTo(datagram.Span, pool._sockets.Reachable(to));
            }
            catch (Exception e) when (e is SocketException or ObjectDisposedException)
            {
                // A packet may get lost; that its receiver cannot be reached is what probes are for.
            }
        }
    }

    /// <summary>What the core tells, on its way to the listener.</summary>
    private sealed class Ear(GossipPool pool) : ISerfListener
    {
        public void MemberChanged(MemberChange change, SerfMember member) =>
            pool.Tell(listener => listener.MemberChanged(change, member));

        public void UserEventReceived(UserEvent happened) =>
            pool.Tell(listener => listener.UserEventReceived(happened));

        public void QueryReceived(ReceivedQuery query) => pool.Tell(listener => listener.QueryReceived(query));

        public string? RefuseMerge(IReadOnlyList<SerfMember> members) => pool._listener.RefuseMerge(members);

        public void NameConflict(SerfMember existing, IPEndPoint claimant) =>
            pool.Tell(listener => listener.NameConflict(existing, claimant));

        public void JoinCompleted(long join, IPEndPoint seed, string? error)
        {
            if (pool._joins.Remove(join, out var waiting))
            {
                waiting.TrySetResult(error);
            }
        }

        public void LeaveCompleted() => pool._left.TrySetResult();

        public void Note(SwimNote note, string detail) => pool.Tell(listener => listener.Note(note, detail));
    }
}
