using System.Text;
using Praetor.Agent.Checks;
using Shouldly;
using Xunit;

namespace Integration.Checks;

public sealed class HttpCheckTests : IAsyncDisposable
{
    private readonly HttpTarget _target = new();

    [Theory]
    [InlineData("200 OK", CheckStatus.Passing)]
    [InlineData("299 Whatever Man", CheckStatus.Passing)]
    [InlineData("429 Too Many Requests", CheckStatus.Warning)]
    [InlineData("503 Service Unavailable", CheckStatus.Critical)]
    [InlineData("500", CheckStatus.Critical)]
    public async Task The_status_code_decides(string status, CheckStatus expected)
    {
        _target.On("/x", status, "hello\nworld");
        (await RunAsync("/x")).ShouldBe(
            new CheckResult(expected, $"HTTP GET {_target.Url}/x: {status} Output: hello\nworld"));
    }

    [Fact]
    public async Task A_request_looks_as_targets_expect_it()
    {
        _target.On("/x", "200 OK");
        await RunAsync("/x");
        var request = _target.Requests.ShouldHaveSingleItem();
        request.ShouldStartWith("GET /x HTTP/1.1\r\n");
        request.ShouldContain($"Host: 127.0.0.1:{_target.Port}\r\n");
        request.ShouldContain("User-Agent: Consul Health Check\r\n");
        request.ShouldContain("Accept: text/plain, text/*, */*\r\n");
        request.ShouldContain("Accept-Encoding: gzip\r\n");
        request.ShouldContain("Connection: close\r\n");
    }

    [Fact]
    public async Task Method_body_and_headers_are_sent_as_given()
    {
        _target.On("/x", "200 OK");
        await RunAsync("/x", spec => spec with
        {
            Method = "POST",
            Body = "bodytext",
            Headers = new Dictionary<string, IReadOnlyList<string>>(StringComparer.Ordinal)
            {
                ["X-A"] = ["1", "2"],
                ["Host"] = ["foo.bar"],
                ["Accept"] = ["x/y"],
                ["User-Agent"] = ["me"],
                ["Content-Type"] = ["application/json"],
            },
        });
        var request = _target.Requests.ShouldHaveSingleItem();
        request.ShouldStartWith("POST /x HTTP/1.1\r\n");
        request.ShouldContain("Host: foo.bar\r\n");
        request.ShouldContain("Accept: x/y\r\n");
        request.ShouldContain("User-Agent: me\r\n");
        request.ShouldContain("Content-Type: application/json\r\n");
        request.ShouldContain("Content-Length: 8\r\n");
        request.ShouldMatch("X-A: 1(\r\nX-A: |, )2\r\n");
    }

    [Theory]
    [InlineData("Host", "a b")]
    [InlineData("Host", "")]
    [InlineData("Connection", "keep-alive")]
    [InlineData("Content-Length", "many")]
    [InlineData("Transfer-Encoding", "chunked")]
    [InlineData("Expect", "100-continue")]
    [InlineData("X-A", "\u00e9\u4e16")]
    public async Task A_strange_header_never_breaks_the_check(string name, string value)
    {
        _target.On("/x", "200 OK");
        var result = await RunAsync("/x", spec => spec with
        {
            Timeout = TimeSpan.FromSeconds(2),
            Headers = new Dictionary<string, IReadOnlyList<string>>(StringComparer.Ordinal) { [name] = [value] },
        });
        result.Output.ShouldContain(_target.Url);
    }

    [Fact]
    public async Task Credentials_in_the_url_are_sent_and_not_shown()
    {
        _target.On("/x", "200 OK");
        var url = $"http://user:pass@127.0.0.1:{_target.Port}/x";
        var result = await RunAsync("/x", spec => spec with { Http = url });
        result.Output.ShouldBe($"HTTP GET http://user:xxxxx@127.0.0.1:{_target.Port}/x: 200 OK Output: ");
        _target.Requests.ShouldHaveSingleItem().ShouldContain("Authorization: Basic dXNlcjpwYXNz\r\n");
    }

    [Fact]
    public async Task A_long_body_is_cut()
    {
        _target.On("/x", "200 OK", new string('a', 10_000));
        var result = await RunAsync("/x");
        result.Output.ShouldBe($"HTTP GET {_target.Url}/x: 200 OK Output: {new string('a', 4096)}");
    }

    [Fact]
    public async Task A_flood_is_not_read_to_its_end()
    {
        var piece = Encoding.ASCII.GetBytes($"10000\r\n{new string('b', 0x10000)}\r\n");
        _target.On("/x", async (stream, stop) =>
        {
            await stream.WriteAsync("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"u8.ToArray(), stop);
            while (true)
            {
                await stream.WriteAsync(piece, stop);
            }
        });
        var result = await RunAsync("/x", spec => spec with { Timeout = TimeSpan.FromMinutes(5) });
        result.Status.ShouldBe(CheckStatus.Passing);
        (await _target.Closed).ShouldBeTrue();
    }

    [Fact]
    public async Task A_body_that_never_ends_is_cut_off_by_the_timeout()
    {
        _target.On("/x", async (stream, stop) =>
        {
            await stream.WriteAsync("HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nabc"u8.ToArray(), stop);
            await Task.Delay(Timeout.InfiniteTimeSpan, TimeProvider.System, stop);
        });
        var result = await RunAsync("/x", spec => spec with { Timeout = TimeSpan.FromMilliseconds(300) });
        result.ShouldBe(CheckResult.Passing($"HTTP GET {_target.Url}/x: 200 OK Output: abc"));
    }

    [Fact]
    public async Task A_target_that_does_not_answer_is_critical_at_the_timeout()
    {
        _target.On("/x", static (_, stop) => Task.Delay(Timeout.InfiniteTimeSpan, TimeProvider.System, stop));
        var result = await RunAsync("/x", spec => spec with { Timeout = TimeSpan.FromMilliseconds(300) });
        result.ShouldBe(CheckResult.Critical(
            $"Get \"{_target.Url}/x\": context deadline exceeded (Client.Timeout exceeded while awaiting headers)"));
    }

    [Fact]
    public async Task A_connection_that_breaks_is_critical()
    {
        _target.On("/x", static (_, _) => Task.CompletedTask);
        (await RunAsync("/x")).ShouldBe(CheckResult.Critical($"Get \"{_target.Url}/x\": EOF"));
    }

    [Fact]
    public async Task Garbage_is_critical()
    {
        _target.On("/x", static async (stream, stop) => await stream.WriteAsync("garbage\r\n\r\n"u8.ToArray(), stop));
        var result = await RunAsync("/x");
        result.Status.ShouldBe(CheckStatus.Critical);
        result.Output.ShouldStartWith($"Get \"{_target.Url}/x\": net/http: HTTP/1.x transport connection broken: ");
    }

    [Fact]
    public async Task A_refused_connection_is_critical()
    {
        var result = await RunAsync("/x", static spec => spec with { Http = "http://127.0.0.1:1/" });
        result.ShouldBe(CheckResult.Critical(
            "Get \"http://127.0.0.1:1/\": dial tcp 127.0.0.1:1: connect: connection refused"));
    }

    [Fact]
    public async Task A_redirect_on_the_same_host_is_followed()
    {
        _target.On("/x", "302 Found", headers: "Location: /ok\r\n");
        _target.On("/ok", "200 OK", "there");
        (await RunAsync("/x")).ShouldBe(CheckResult.Passing($"HTTP GET {_target.Url}/x: 200 OK Output: there"));
    }

    [Fact]
    public async Task A_redirect_to_another_place_is_refused()
    {
        await using var secret = new HttpTarget();
        secret.On("/", "200 OK", "secret");
        _target.On("/x", "302 Found", headers: $"Location: {secret.Url}/\r\n");
        var result = await RunAsync("/x");
        result.Status.ShouldBe(CheckStatus.Critical);
        result.Output.ShouldContain("refused");
        secret.Requests.ShouldBeEmpty();
    }

    [Fact]
    public async Task A_redirect_loop_ends()
    {
        _target.On("/x", "302 Found", headers: "Location: /x\r\n");
        var result = await RunAsync("/x");
        result.ShouldBe(CheckResult.Critical($"Get \"{_target.Url}/x\": stopped after 10 redirects"));
        _target.Requests.Count.ShouldBe(CheckLimits.RedirectsMax + 1);
    }

    [Fact]
    public async Task Redirects_can_be_switched_off()
    {
        _target.On("/x", "302 Found", headers: "Location: /ok\r\n");
        (await RunAsync("/x", static spec => spec with { DisableRedirects = true }))
            .ShouldBe(CheckResult.Critical($"HTTP GET {_target.Url}/x: 302 Found Output: "));
    }

    [Fact]
    public async Task A_certificate_nobody_vouches_for_is_critical_unless_that_is_allowed()
    {
        await using var target = new HttpTarget(useTls: true);
        target.On("/x", "200 OK", "hi");
        var refused = await RunAsync("/x", spec => spec with { Http = $"{target.Url}/x" });
        refused.Status.ShouldBe(CheckStatus.Critical);
        refused.Output.ShouldStartWith($"Get \"{target.Url}/x\": tls: ");
        (await RunAsync("/x", spec => spec with { Http = $"{target.Url}/x", TlsSkipVerify = true }))
            .ShouldBe(CheckResult.Passing($"HTTP GET {target.Url}/x: 200 OK Output: hi"));
    }

    public ValueTask DisposeAsync() => _target.DisposeAsync();

    private Task<CheckResult> RunAsync(string path, Func<CheckSpec, CheckSpec>? change = null)
    {
        var spec = new CheckSpec { Id = "c", Http = _target.Url + path };
        return new HttpCheck(new Dialer(), TimeProvider.System)
            .RunAsync(change?.Invoke(spec) ?? spec, TestContext.Current.CancellationToken);
    }
}
