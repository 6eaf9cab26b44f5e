using System.Net;
using System.Net.Sockets;
using System.Text;
using Praetor.Client;
using Shouldly;
using Xunit;

namespace Unit.Client;

/// <summary>The client over a connection whose other end says exactly what a test wants.</summary>
public sealed class PlainWireTests : IDisposable
{
    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(20);

    private readonly Socket _listener = new(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
    private readonly CancellationTokenSource _stop = new(Limit);

    public PlainWireTests()
    {
        _listener.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        _listener.Listen();
    }

    public void Dispose()
    {
        _listener.Dispose();
        _stop.Dispose();
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task An_answer_is_read_whole_and_the_connection_used_again(bool keepsThread)
    {
        var asked = ServeAsync(
            "HTTP/1.1 200 OK\r\nContent-Length: 4\r\nX-Consul-Index: 7\r\n\r\ntrue",
            "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\nfalse");
        using var client = Client(keepsThread);
        (await Task.Run(() => client.SendTextAsync(HttpMethod.Get, "/v1/a?b=%20c", null, null))).ShouldBe("true");
        (await Task.Run(() => client.PutKeyAsync("k", "v"u8.ToArray()))).ShouldBeFalse();
        var requests = await asked.WaitAsync(Limit);
        requests.Count.ShouldBe(1);
        requests[0].ShouldStartWith($"GET /v1/a?b=%20c HTTP/1.1\r\nHost: {Address}\r\n\r\nPUT /v1/kv/k HTTP/1.1\r\n");
        requests[0].ShouldEndWith("Content-Type: application/octet-stream\r\nContent-Length: 1\r\n\r\nv");
    }

    [Fact]
    public async Task Chunks_become_one_body_however_they_are_cut()
    {
        _ = ServeAsync(
            "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\na;x=y\r\n0123456789\r\n0\r\nT: x\r\n\r\n",
            "HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nnext");
        using var client = Client(keepsThread: false);
        (await client.SendTextAsync(HttpMethod.Get, "/", null, null, _stop.Token)).ShouldBe("abc0123456789");
        (await client.SendTextAsync(HttpMethod.Get, "/", null, null, _stop.Token)).ShouldBe("next");
    }

    [Fact]
    public async Task A_body_without_a_length_ends_with_the_connection()
    {
        _ = ServeAsync("HTTP/1.0 200 OK\r\n\r\nall of it");
        using var client = Client(keepsThread: false);
        (await client.SendTextAsync(HttpMethod.Get, "/", null, null, _stop.Token)).ShouldBe("all of it");
    }

    [Fact]
    public async Task A_long_body_comes_as_it_is_read()
    {
        const int bytes = 3 * 1024 * 1024;
        _ = ServeAsync($"HTTP/1.1 200 OK\r\nContent-Length: {bytes}\r\n\r\n{new string('x', bytes)}");
        using var client = Client(keepsThread: false);
        using var answer = await client.SendAsync(HttpMethod.Get, "/", null, null, _stop.Token);
        (await answer.Content.ReadAsByteArrayAsync(_stop.Token)).Length.ShouldBe(bytes);
        answer.Content.Headers.ContentLength.ShouldBe(bytes);
    }

    [Theory]
    [InlineData("")]
    [InlineData("HTTP/1.1 200 OK\r\nContent-Le")]
    [InlineData("HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nshort")]
    public async Task An_answer_that_breaks_off_is_told_as_the_end_of_file(string said)
    {
        _ = ServeAsync(said);
        using var client = Client(keepsThread: false);
        var failure = await Should.ThrowAsync<ConnectionException>(
            client.SendTextAsync(HttpMethod.Get, "/v1/x", null, null, _stop.Token));
        failure.Message.ShouldBe($"Get \"http://{Address}/v1/x\": EOF");
    }

    [Theory]
    [InlineData("SSH-2.0-OpenSSH\r\n\r\n")]
    [InlineData("HTTP/1.1 2x0 OK\r\n\r\n")]
    [InlineData("HTTP/1.1 200 OK\r\nno colon\r\n\r\n")]
    public async Task What_is_no_HTTP_is_refused(string said)
    {
        _ = ServeAsync(said);
        using var client = Client(keepsThread: false);
        var failure = await Should.ThrowAsync<ConnectionException>(
            client.SendTextAsync(HttpMethod.Get, "/", null, null, _stop.Token));
        failure.Message.ShouldContain("malformed HTTP response");
    }

    [Theory]
    [InlineData("zz\r\n")]
    [InlineData("2\r\nabc\r\n0\r\n\r\n")]
    [InlineData("3\r\nab")]
    public async Task Bad_chunks_are_refused(string chunks)
    {
        _ = ServeAsync("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n" + chunks);
        using var client = Client(keepsThread: false);
        await Should.ThrowAsync<IOException>(client.SendTextAsync(HttpMethod.Get, "/", null, null, _stop.Token));
    }

    [Fact]
    public async Task Endless_headers_are_refused()
    {
        _ = ServeAsync("HTTP/1.1 200 OK\r\nX: " + new string('x', 100_000));
        using var client = Client(keepsThread: false);
        var failure = await Should.ThrowAsync<ConnectionException>(
            client.SendTextAsync(HttpMethod.Get, "/", null, null, _stop.Token));
        failure.Message.ShouldContain("bytes of headers");
    }

    [Fact]
    public async Task A_question_is_asked_again_when_the_kept_connection_was_closed_meanwhile()
    {
        var served = ServeAsync(["HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\none", null],
            ["HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\ntwo"]);
        using var client = Client(keepsThread: false);
        (await client.SendTextAsync(HttpMethod.Get, "/", null, null, _stop.Token)).ShouldBe("one");
        (await client.SendTextAsync(HttpMethod.Get, "/", null, null, _stop.Token)).ShouldBe("two");
        (await served.WaitAsync(Limit)).Count.ShouldBe(2);
    }

    [Fact]
    public async Task A_token_with_a_line_break_is_not_sent()
    {
        using var client = new PraetorClient(new ClientOptions { Address = Address, Token = "a\r\nX: y" });
        var failure = await Should.ThrowAsync<ConnectionException>(
            client.SendTextAsync(HttpMethod.Get, "/", null, null, _stop.Token));
        failure.Message.ShouldContain("line break");
    }

    [Fact]
    public async Task A_call_that_is_cancelled_ends_though_no_answer_comes()
    {
        using var client = Client(keepsThread: true);
        using var soon = new CancellationTokenSource();
        var call = client.SendTextAsync(HttpMethod.Get, "/", null, null, soon.Token);
        using var taken = await _listener.AcceptAsync(_stop.Token);
        await soon.CancelAsync();
        await Should.ThrowAsync<OperationCanceledException>(call);
    }

    private string Address => _listener.LocalEndPoint!.ToString()!;

    private PraetorClient Client(bool keepsThread) =>
        new(new ClientOptions { Address = Address, KeepsThread = keepsThread });

    private Task<List<string>> ServeAsync(params string[] answers) => ServeAsync([[.. answers]]);

    // For each connection what is answered to its requests, in turn; null: it is closed when the request comes.
    private async Task<List<string>> ServeAsync(params string?[][] connections)
    {
        var heard = new List<string>();
        foreach (var answers in connections)
        {
            using var socket = await _listener.AcceptAsync(_stop.Token);
            var said = new StringBuilder();
            var buffer = new byte[64 * 1024];
            foreach (var answer in answers)
            {
                var count = await socket.ReceiveAsync(buffer, _stop.Token);
                said.Append(Encoding.Latin1.GetString(buffer, 0, count));
                // Head and body of a request may come apart.
                if (said.ToString().EndsWith("Content-Length: 1\r\n\r\n", StringComparison.Ordinal))
                {
                    count = await socket.ReceiveAsync(buffer, _stop.Token);
                    said.Append(Encoding.Latin1.GetString(buffer, 0, count));
                }

                if (answer is null)
                {
                    break;
                }

                await NetworkWriteAsync(socket, answer);
            }

            heard.Add(said.ToString());
        }

        return heard;
    }

    private async Task NetworkWriteAsync(Socket socket, string text)
    {
        ReadOnlyMemory<byte> bytes = Encoding.Latin1.GetBytes(text);
        while (!bytes.IsEmpty)
        {
            bytes = bytes[await socket.SendAsync(bytes, _stop.Token)..];
        }
    }
}
