using System.Net;
using System.Net.Sockets;
using Shouldly;
using Xunit;

namespace Integration.BadInput;

/// <summary>Bytes that are no DNS question, on both ways in.</summary>
public sealed class DnsTests(Sturdy sturdy) : IClassFixture<Sturdy>
{
    private static readonly byte[] Question =
    [
        0x12, 0x34, 1, 0, 0, 1, 0, 0, 0, 0, 0, 0,
        3, (byte)'l', (byte)'a', (byte)'b', 4, (byte)'n', (byte)'o', (byte)'d', (byte)'e',
        6, (byte)'c', (byte)'o', (byte)'n', (byte)'s', (byte)'u', (byte)'l', 0, 0, 1, 0, 1,
    ];

    private IPEndPoint Dns => new(IPAddress.Loopback, sturdy.Agent.Ports.Dns);

    [Fact]
    public async Task Every_beginning_of_a_question_is_survived()
    {
        using var udp = new UdpClient(AddressFamily.InterNetwork);
        for (var length = 0; length < Question.Length; length++)
        {
            await udp.SendAsync(Question.AsMemory(0, length), Dns, Sturdy.Stop);
        }

        await ShouldAnswerAsync();
    }

    [Fact]
    public async Task Every_single_wrong_byte_is_survived()
    {
        using var udp = new UdpClient(AddressFamily.InterNetwork);
        for (var at = 2; at < Question.Length; at++)
        {
            foreach (var value in (byte[])[0, 0x3f, 0x40, 0x80, 0xc0, 0xff])
            {
                var wrong = Question.ToArray();
                wrong[at] = value;
                await udp.SendAsync(wrong, Dns, Sturdy.Stop);
            }
        }

        await ShouldAnswerAsync();
    }

    [Theory]
    [InlineData(new byte[] { 0 })]
    [InlineData(new byte[] { 0, 0 })]
    [InlineData(new byte[] { 0, 5, 1, 2, 3, 4, 5 })]
    [InlineData(new byte[] { 0xff, 0xff, 1, 2, 3 })]
    public async Task A_stream_that_is_no_DNS_is_ended_or_left_waiting(byte[] bytes)
    {
        using var tcp = new TcpClient();
        await tcp.ConnectAsync(Dns, Sturdy.Stop);
        await tcp.GetStream().WriteAsync(bytes, Sturdy.Stop);
        await ShouldAnswerAsync();
    }

    private async Task ShouldAnswerAsync()
    {
        using var udp = new UdpClient(AddressFamily.InterNetwork);
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(Sturdy.Stop);
        limit.CancelAfter(TimeSpan.FromSeconds(5));
        await udp.SendAsync(Question, Dns, limit.Token);
        var answer = (await udp.ReceiveAsync(limit.Token)).Buffer;
        answer[..2].ShouldBe(Question[..2]);
        (answer[3] & 0xf).ShouldBe(0, "the question is not answered");
        answer[7].ShouldBe((byte)1);

        using var tcp = new TcpClient();
        await tcp.ConnectAsync(Dns, limit.Token);
        await tcp.GetStream().WriteAsync((byte[])[0, (byte)Question.Length, .. Question], limit.Token);
        var head = new byte[2];
        await tcp.GetStream().ReadExactlyAsync(head, limit.Token);
        head[1].ShouldBe((byte)answer.Length);
        await sturdy.ShouldBeUnharmedAsync();
    }
}
