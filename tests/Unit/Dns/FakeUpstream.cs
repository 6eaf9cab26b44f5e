using System.Buffers.Binary;
using System.Net;
using System.Net.Sockets;
using System.Text.Json;
using Codecs.Dns;

namespace Unit.Dns;

/// <summary>A recursor on loopback that knows a short list of records, like the one Consul was recorded with.</summary>
internal sealed class FakeUpstream : IDisposable
{
    private readonly (string Owner, string Type, string Data)[] _rows;
    private readonly CancellationTokenSource _stop = new();
    private readonly Socket _udp = new(SocketType.Dgram, ProtocolType.Udp);
    private readonly TcpListener _tcp;

    public FakeUpstream(JsonElement rows)
        : this([.. rows.EnumerateArray().Select(r => (r[0].GetString()!, r[1].GetString()!, r[2].GetString()!))])
    {
    }

    public FakeUpstream(params (string Owner, string Type, string Data)[] rows)
    {
        _rows = rows;
        _tcp = new TcpListener(IPAddress.Loopback, 0);
        _tcp.Start();
        _udp = new Socket(AddressFamily.InterNetwork, SocketType.Dgram, ProtocolType.Udp);
        _udp.Bind(_tcp.LocalEndpoint);
        _ = ServeUdpAsync();
        _ = ServeTcpAsync();
    }

    /// <summary>An address where nobody answers.</summary>
    public static IPEndPoint Nobody { get; } = new(IPAddress.Parse("127.0.0.77"), 9);

    public IPEndPoint EndPoint => (IPEndPoint)_tcp.LocalEndpoint;

    /// <summary>What is sent instead of the honest reply.</summary>
    public Func<byte[], IEnumerable<byte[]>> Sends { get; set; } = reply => [reply];

    public List<string> Asked { get; } = [];

    public void Dispose()
    {
        _stop.Cancel();
        _udp.Dispose();
        _tcp.Dispose();
        _stop.Dispose();
    }

    private async Task ServeUdpAsync()
    {
        var buffer = new byte[4096];
        while (!_stop.IsCancellationRequested)
        {
            try
            {
                var got = await _udp.ReceiveFromAsync(buffer, new IPEndPoint(IPAddress.Any, 0), _stop.Token);
                foreach (byte[] reply in Sends(Reply(buffer[..got.ReceivedBytes])))
                {
                    await _udp.SendToAsync(reply, got.RemoteEndPoint, _stop.Token);
                }
            }
            catch (Exception e) when (e is OperationCanceledException or ObjectDisposedException or SocketException)
            {
                return;
            }
        }
    }

    private async Task ServeTcpAsync()
    {
        while (!_stop.IsCancellationRequested)
        {
            try
            {
                using TcpClient client = await _tcp.AcceptTcpClientAsync(_stop.Token);
                NetworkStream stream = client.GetStream();
                var head = new byte[2];
                await stream.ReadExactlyAsync(head, _stop.Token);
                var query = new byte[BinaryPrimitives.ReadUInt16BigEndian(head)];
                await stream.ReadExactlyAsync(query, _stop.Token);
                byte[] reply = Reply(query);
                BinaryPrimitives.WriteUInt16BigEndian(head, (ushort)reply.Length);
                await stream.WriteAsync((byte[])[.. head, .. reply], _stop.Token);
            }
            catch (Exception e) when (e is OperationCanceledException or ObjectDisposedException or SocketException)
            {
                return;
            }
        }
    }

    private byte[] Reply(byte[] query)
    {
        string question = DnsText.Parse(query).Question[0];
        Asked.Add(question);
        string name = question.Split(' ')[0];
        string type = question.Split(' ')[1];
        var own = _rows.Where(r => Same(r.Owner, name)).ToList();
        var chosen = own.Where(r => r.Type == "CNAME" || r.Type == type).ToList();
        chosen.AddRange([.. chosen.Where(r => r.Type == "CNAME" && type != "CNAME")
            .SelectMany(r => _rows.Where(x => Same(x.Owner, r.Data) && x.Type == type))]);
        var buffer = new byte[DnsLimits.MessageBytesMax];
        var writer = new DnsMessageWriter(buffer, new ushort[512]);
        writer.SetHeader(BinaryPrimitives.ReadUInt16BigEndian(query),
            DnsFlags.Response | DnsFlags.RecursionDesired | DnsFlags.RecursionAvailable,
            own.Count > 0 ? DnsResponseCode.NoError : DnsResponseCode.NameError);
        writer.SetCounts(1, chosen.Count, 0, 0);
        var asked = new DnsMessageReader(query, DnsLimits.HeaderBytes);
        asked.TryReadQuestion(out DnsQuestion q);
        const int TypeAndClassBytes = 4;
        writer.WriteQuestion(
            query.AsSpan(q.NameOffset..(asked.Position - TypeAndClassBytes)), q.Type, q.Class);
        foreach ((string owner, string kind, string data) in chosen)
        {
            Write(ref writer, owner, kind, data);
        }
        return buffer[..writer.Length];
    }

    private static void Write(ref DnsMessageWriter writer, string owner, string kind, string data)
    {
        const uint Ttl = 77;
        writer.BeginRecord(DnsName.Encode(owner)!, Enum.Parse<DnsType>(kind, true), DnsClass.Internet, Ttl);
        switch (kind)
        {
            case "A" or "AAAA":
                writer.WriteBytes(IPAddress.Parse(data).GetAddressBytes());
                break;
            case "TXT":
                writer.WriteBytes([(byte)data.Length, .. System.Text.Encoding.ASCII.GetBytes(data)]);
                break;
            default:
                writer.WriteName(DnsName.Encode(data)!, compress: true);
                break;
        }
        writer.EndRecord();
    }

    private static bool Same(string left, string right) => left.Equals(right, StringComparison.OrdinalIgnoreCase);
}
