using System.Net;
using System.Net.Sockets;
using System.Text;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging.Abstractions;
using Praetor.Agent.Http;
using Shouldly;
using Xunit;

namespace Unit.Http;

/// <summary>Requests whose end two readers could see at different places, over a real connection.</summary>
public sealed class FramingTests
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(10);

    [Theory]
    [InlineData("GET / HTTP/1.1\r\nHost: a\r\n\r\n")]
    [InlineData("PUT / HTTP/1.1\r\nHost: a\r\nContent-Length: 4\r\n\r\nabcd")]
    [InlineData("PUT / HTTP/1.1\r\nHost: a\r\ncontent-length: 0\r\n\r\n")]
    [InlineData("PUT / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n")]
    [InlineData("GET / HTTP/1.0\r\n\r\n")]
    public async Task Sound_requests_pass(string request) => (await AskAsync(request)).ShouldContain(" 200 ");

    [Theory]
    [InlineData("PUT / HTTP/1.1\r\nHost: a\r\nContent-Length: +4\r\n\r\nabcd")]
    [InlineData("PUT / HTTP/1.1\r\nHost: a\r\nContent-Length: -0\r\n\r\n")]
    [InlineData("PUT / HTTP/1.1\r\nHost: a\r\nContent-Length: 0x4\r\n\r\nabcd")]
    [InlineData("PUT / HTTP/1.1\r\nHost: a\r\nContent-Length: 4 4\r\n\r\nabcd")]
    [InlineData("PUT / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n")]
    [InlineData("PUT / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\nContent-Length: 5\r\n\r\n0\r\n\r\n")]
    [InlineData("PUT / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: identity, chunked\r\n\r\n0\r\n\r\n")]
    [InlineData("PUT / HTTP/1.0\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n")]
    [InlineData("get / HTTP/1.1\r\nHost: a\r\n\r\n")]
    [InlineData("FROB / HTTP/1.1\r\nHost: a\r\n\r\n")]
    [InlineData("GET / HTTP/1.1\nHost: a\n\n")]
    [InlineData("GET / HTTP/1.1\r\nHost: a\nX: b\r\n\r\n")]
    public async Task Ambiguous_ones_are_refused_and_their_connection_ends(string request)
    {
        var answer = await AskAsync(request);
        answer.ShouldContain(" 400 ");
        answer.ShouldContain("Connection: close", Case.Insensitive);
    }

    // Reads to the end of the connection when it is refused, else to the end of the answer.
    private static async Task<string> AskAsync(string request)
    {
        var options = new HttpServerOptions([new IPEndPoint(IPAddress.Loopback, 0)], 0);
        await using var server = new HttpServer(options, AnswerAsync, NullLoggerFactory.Instance);
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(TestContext.Current.CancellationToken);
        limit.CancelAfter(Patience);
        await server.StartAsync(limit.Token);
        using var socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        await socket.ConnectAsync(IPAddress.Loopback, new Uri(server.Addresses.First()).Port, limit.Token);
        await socket.SendAsync(Encoding.ASCII.GetBytes(request), limit.Token);
        var answer = new StringBuilder();
        var buffer = new byte[4096];
        while (await socket.ReceiveAsync(buffer, limit.Token) is > 0 and var count)
        {
            answer.Append(Encoding.ASCII.GetString(buffer, 0, count));
            if (answer.ToString().Contains(" 200 ", StringComparison.Ordinal))
            {
                break;
            }
        }

        return answer.ToString();
    }

    private static async Task AnswerAsync(HttpContext context)
    {
        if (!await FramingGuard.RefusedAsync(context))
        {
            await context.Response.WriteAsync("fine");
        }
    }
}
