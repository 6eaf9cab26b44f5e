using System.Buffers.Binary;
using System.Net;
using System.Net.Sockets;
using Codecs.Dns;
using Microsoft.Extensions.Logging.Abstractions;
using Praetor.Agent.Dns;
using Shouldly;
using Xunit;

namespace Unit.Dns;

/// <summary>The server with its sockets, on loopback and any free port.</summary>
public sealed class ServerTests : IAsyncDisposable
{
    private static readonly TimeSpan _patience = TimeSpan.FromSeconds(10);
    private readonly MemoryCatalog _catalog = new();
    private readonly FakeUpstream _upstream = new(
        ("example.com.", "A", "192.0.2.1"), ("backend.example.com.", "A", "192.0.2.9"));
    private DnsServer? _server;

    public ServerTests()
    {
        _catalog.Add("web", "n1", "10.0.0.1");
        _catalog.Add("named", "n2", "10.0.0.2", "backend.example.com");
    }

    public async ValueTask DisposeAsync()
    {
        await (_server?.StopAsync() ?? Task.CompletedTask);
        _upstream.Dispose();
    }

    [Fact]
    public async Task Datagrams_are_answered()
    {
        Start(new DnsOptions());
        var answer = await AskAsync(DnsText.Query("web.service.consul.", DnsType.A));
        answer.Answer.ShouldBe(["web.service.consul. 0 A 10.0.0.1"]);
        _server!.Counters.DomainQueries.ShouldBe(1);
    }

    [Fact]
    public async Task Garbage_harms_nothing()
    {
        Start(new DnsOptions());
        using var socket = new Socket(AddressFamily.InterNetwork, SocketType.Dgram, ProtocolType.Udp);
        await socket.SendToAsync("\0\u0001garbage"u8.ToArray(), _server!.EndPoints[0]);
        await socket.SendToAsync(Array.Empty<byte>(), _server.EndPoints[0]);
        await socket.SendToAsync(new byte[9000], _server.EndPoints[0]);
        (await AskAsync(DnsText.Query("web.service.consul.", DnsType.A))).Code.ShouldBe("NOERROR");
    }

    [Fact]
    public async Task A_question_whose_answer_fails_does_not_end_the_others()
    {
        _catalog.Broken = "broken";
        Start(new DnsOptions());
        using var socket = new Socket(AddressFamily.InterNetwork, SocketType.Dgram, ProtocolType.Udp);
        await socket.SendToAsync(DnsText.Query("broken.service.consul.", DnsType.A), _server!.EndPoints[0]);
        (await AskAsync(DnsText.Query("web.service.consul.", DnsType.A))).Code.ShouldBe("NOERROR");
    }

    [Fact]
    public async Task Names_of_others_go_to_the_recursor_and_own_names_never_do()
    {
        Start(new DnsOptions { Recursors = [_upstream.EndPoint] });
        var answer = await AskAsync(DnsText.Query("eXample.com.", DnsType.A, id: 4242));
        answer.Question.ShouldBe(["eXample.com. A"]);
        answer.Records.ShouldBe(["eXample.com. 77 A 192.0.2.1"], Case.Insensitive);
        (await AskAsync(DnsText.Query("nothere.service.consul.", DnsType.A))).Code.ShouldBe("NXDOMAIN");
        _upstream.Asked.Count.ShouldBe(1);
    }

    [Fact]
    public async Task An_address_that_is_a_name_is_followed_through_the_recursor()
    {
        Start(new DnsOptions { Recursors = [_upstream.EndPoint] });
        (await AskAsync(DnsText.Query("named.service.consul.", DnsType.A))).Answer.ShouldBe(
            ["named.service.consul. 0 CNAME backend.example.com.", "backend.example.com. 0 A 192.0.2.9"]);
    }

    [Fact]
    public async Task Forged_answers_of_a_recursor_are_passed_over()
    {
        _upstream.Sends = honest =>
            [[(byte)(honest[0] + 1), .. honest[1..]], Reflected(honest), Renamed(honest), honest];
        Start(new DnsOptions { Recursors = [_upstream.EndPoint] });
        (await AskAsync(DnsText.Query("example.com.", DnsType.A))).Answer.ShouldBe(["example.com. 77 A 192.0.2.1"]);
    }

    [Fact]
    public async Task A_silent_recursor_gives_way_to_the_next_and_then_to_SERVFAIL()
    {
        using var silent = new FakeUpstream { Sends = _ => [] };
        var timeout = TimeSpan.FromMilliseconds(50);
        Start(new DnsOptions { Recursors = [silent.EndPoint, _upstream.EndPoint], RecursorTimeout = timeout });
        (await AskAsync(DnsText.Query("example.com.", DnsType.A))).Code.ShouldBe("NOERROR");
        _server!.Reload(new DnsOptions { Recursors = [silent.EndPoint], RecursorTimeout = timeout });
        var failed = await AskAsync(DnsText.Query("example.com.", DnsType.A));
        failed.Code.ShouldBe("SERVFAIL");
        failed.Flags.ShouldBe("qr rd ra");
        _server.Counters.RecursionFailures.ShouldBe(1);
    }

    [Fact]
    public async Task Questions_wait_for_a_slow_recursor_without_delaying_others()
    {
        using var silent = new FakeUpstream { Sends = _ => [] };
        Start(new DnsOptions { Recursors = [silent.EndPoint], RecursorTimeout = TimeSpan.FromSeconds(60) });
        using var socket = new Socket(AddressFamily.InterNetwork, SocketType.Dgram, ProtocolType.Udp);
        for (int i = 0; i < 100; i++)
        {
            await socket.SendToAsync(DnsText.Query("example.com.", DnsType.A), _server!.EndPoints[0]);
        }
        (await AskAsync(DnsText.Query("web.service.consul.", DnsType.A))).Code.ShouldBe("NOERROR");
    }

    [Fact]
    public async Task Questions_on_one_connection_are_answered_in_order()
    {
        Start(new DnsOptions { Recursors = [_upstream.EndPoint] });
        using var client = await ConnectAsync();
        byte[][] queries = [DnsText.Query("web.service.consul.", DnsType.A, id: 1),
            DnsText.Query("example.com.", DnsType.A, id: 2), DnsText.Query("web.service.consul.", DnsType.Srv, id: 3)];
        await client.GetStream().WriteAsync(queries.SelectMany(Framed).ToArray());
        for (int i = 1; i <= queries.Length; i++)
        {
            byte[] answer = await ReadAsync(client);
            BinaryPrimitives.ReadUInt16BigEndian(answer).ShouldBe((ushort)i);
        }
    }

    [Fact]
    public async Task A_connection_that_announces_much_and_sends_nothing_is_closed()
    {
        Start(new DnsOptions());
        using var client = await ConnectAsync();
        await client.GetStream().WriteAsync(new byte[] { 0xFF, 0xFF });
        (await client.GetStream().ReadAsync(new byte[1]).AsTask().WaitAsync(_patience)).ShouldBe(0);
    }

    [Fact]
    public async Task Stopping_ends_everything_soon_and_frees_the_port()
    {
        Start(new DnsOptions());
        IPEndPoint at = _server!.EndPoints[0];
        using var client = await ConnectAsync();
        await _server.StopAsync().WaitAsync(_patience);
        using var again = new Socket(AddressFamily.InterNetwork, SocketType.Dgram, ProtocolType.Udp);
        again.Bind(at);
    }

    [Fact]
    public void A_taken_port_is_reported_and_leaves_nothing_open()
    {
        Start(new DnsOptions());
        var other = new DnsServer(new DnsOptions { Port = _server!.EndPoints[0].Port }, _catalog, TimeProvider.System,
            new Random(1), NullLogger.Instance);
        Should.Throw<SocketException>(other.Start);
        other.EndPoints.ShouldBeEmpty();
    }

    private static byte[] Reflected(byte[] honest)
    {
        byte[] copy = [.. honest];
        copy[2] &= 0x7F;
        return copy;
    }

    private static byte[] Renamed(byte[] honest)
    {
        byte[] copy = [.. honest];
        copy[13] = (byte)'z';
        return copy;
    }

    private void Start(DnsOptions options)
    {
        int port = options.Port == new DnsOptions().Port ? 0 : options.Port;
        _server = new DnsServer(options with { Port = port }, _catalog, TimeProvider.System, new Random(3),
            NullLogger.Instance);
        _server.Start();
    }

    private async Task<DnsText> AskAsync(byte[] query)
    {
        using var socket = new Socket(AddressFamily.InterNetwork, SocketType.Dgram, ProtocolType.Udp);
        await socket.ConnectAsync(_server!.EndPoints[0]);
        await socket.SendAsync(query);
        var buffer = new byte[DnsLimits.MessageBytesMax];
        int length = await socket.ReceiveAsync(buffer).WaitAsync(_patience);
        buffer.AsSpan(0, 2).SequenceEqual(query.AsSpan(0, 2)).ShouldBeTrue();
        return DnsText.Parse(buffer[..length]);
    }

    private async Task<TcpClient> ConnectAsync()
    {
        var client = new TcpClient();
        await client.ConnectAsync(_server!.EndPoints[0]).WaitAsync(_patience);
        return client;
    }

    private static byte[] Framed(byte[] message) => [(byte)(message.Length >> 8), (byte)message.Length, .. message];

    private static async Task<byte[]> ReadAsync(TcpClient client)
    {
        var head = new byte[2];
        await client.GetStream().ReadExactlyAsync(head).AsTask().WaitAsync(_patience);
        var body = new byte[BinaryPrimitives.ReadUInt16BigEndian(head)];
        await client.GetStream().ReadExactlyAsync(body).AsTask().WaitAsync(_patience);
        return body;
    }
}
