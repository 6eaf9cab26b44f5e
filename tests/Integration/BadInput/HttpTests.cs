using Shouldly;
using Support;
using Xunit;

namespace Integration.BadInput;

/// <summary>What a careless or hostile HTTP client sends: clear answers, and an agent that is unharmed.</summary>
public sealed class HttpTests(Sturdy sturdy) : IClassFixture<Sturdy>
{
    private const int ValueMax = 512 * 1024;
    private static readonly TimeSpan Soon = TimeSpan.FromSeconds(2);

    [Fact]
    public async Task A_value_that_is_too_large_by_one_byte_is_refused_and_not_stored()
    {
        (await sturdy.SendAsync("PUT", "/v1/kv/big", new string('x', ValueMax))).Status.ShouldBe(200);
        var (status, text) = await sturdy.SendAsync("PUT", "/v1/kv/toobig", new string('x', ValueMax + 1));
        status.ShouldBe(413, text);
        text.ShouldContain("524288");
        (await sturdy.SendAsync("GET", "/v1/kv/toobig", "")).Status.ShouldBe(404);
        await sturdy.ShouldBeUnharmedAsync();
    }

    [Theory]
    [InlineData("/v1/kv/announced")]
    [InlineData("/v1/agent/service/register")]
    [InlineData("/v1/agent/check/register")]
    [InlineData("/v1/catalog/register")]
    [InlineData("/v1/txn")]
    [InlineData("/v1/config")]
    [InlineData("/v1/connect/intentions/exact?source=a&destination=b")]
    [InlineData("/v1/agent/check/update/x")]
    public async Task A_body_announced_as_enormous_is_refused_before_it_comes(string path)
    {
        using var wire = await RawHttp.OpenAsync(sturdy.Agent.Ports.Http, Sturdy.Stop);
        await wire.SendAsync(
            $"PUT {path} HTTP/1.1\r\nHost: localhost\r\nContent-Length: 90000000000\r\n\r\n{{", Sturdy.Stop);
        var (status, text) = await wire.HearAsync(Soon, Sturdy.Stop);
        status.ShouldBe(413, text);
        await sturdy.ShouldBeUnharmedAsync();
    }

    [Theory]
    [InlineData("/v1/kv/chunks")]
    [InlineData("/v1/agent/service/register")]
    [InlineData("/v1/txn")]
    public async Task A_chunked_body_without_end_is_cut(string path)
    {
        using var wire = await RawHttp.OpenAsync(sturdy.Agent.Ports.Http, Sturdy.Stop);
        await wire.SendAsync(
            $"PUT {path} HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n", Sturdy.Stop);
        var chunk = $"10000\r\n{new string(' ', 0x10000)}\r\n";
        var sent = 0;
        while (sent < 200 && await wire.SendAsync(chunk, Sturdy.Stop))
        {
            sent++;
        }

        var (status, text) = await wire.HearAsync(Soon, Sturdy.Stop);
        (status is 413 or 0).ShouldBeTrue(text);
        (await sturdy.SendAsync("GET", "/v1/kv/chunks", "")).Status.ShouldBe(404);
        await sturdy.ShouldBeUnharmedAsync();
    }

    [Theory]
    [InlineData("gzip", true)]
    [InlineData("deflate, GZIP;q=0.5", true)]
    [InlineData("gzip;q=0", false)]
    [InlineData("gzip;q=0.0, identity", false)]
    [InlineData("x-gzip", false)]
    [InlineData(";;gzip;;", false)]
    public async Task Only_who_takes_gzip_is_sent_it(string accepted, bool isPacked)
    {
        var (status, text) = await RawHttp.AskAsync(
            sturdy.Agent.Ports.Http,
            $"GET /v1/agent/self HTTP/1.1\r\nHost: localhost\r\nAccept-Encoding: {accepted}\r\n\r\n",
            Sturdy.Stop);
        status.ShouldBe(200, text);
        text.Contains("Content-Encoding: gzip", StringComparison.Ordinal).ShouldBe(isPacked, text);
    }

    [Fact]
    public async Task A_body_that_ends_early_stores_nothing()
    {
        using var wire = await RawHttp.OpenAsync(sturdy.Agent.Ports.Http, Sturdy.Stop);
        await wire.SendAsync(
            "PUT /v1/kv/short HTTP/1.1\r\nHost: localhost\r\nContent-Length: 100\r\n\r\nabc", Sturdy.Stop);
        wire.EndSending();
        (await wire.HearAsync(Soon, Sturdy.Stop)).Status.ShouldBeOneOf(0, 400);
        (await sturdy.SendAsync("GET", "/v1/kv/short", "")).Status.ShouldBe(404);
        await sturdy.ShouldBeUnharmedAsync();
    }

    [Theory]
    [InlineData("Content-Length: -1\r\n")]
    [InlineData("Content-Length: abc\r\n")]
    [InlineData("Content-Length: 3\r\nContent-Length: 4\r\n")]
    [InlineData("Content-Length: 99999999999999999999\r\n")]
    [InlineData("Transfer-Encoding: nonsense\r\n")]
    [InlineData("Bad Header: x\r\n")]
    [InlineData("Host: other\r\n")]
    public async Task Headers_that_make_no_sense_are_refused(string headers)
    {
        var (status, text) = await sturdy.AskAsync($"PUT /v1/kv/lies HTTP/1.1\r\nHost: localhost\r\n{headers}\r\nabc");
        status.ShouldBeInRange(400, 413, text);
        (await sturdy.SendAsync("GET", "/v1/kv/lies", "")).Status.ShouldBe(404);
        await sturdy.ShouldBeUnharmedAsync();
    }

    [Fact]
    public async Task Two_lengths_for_one_body_smuggle_nothing()
    {
        using var wire = await RawHttp.OpenAsync(sturdy.Agent.Ports.Http, Sturdy.Stop);
        await wire.SendAsync(
            "PUT /v1/kv/front HTTP/1.1\r\nHost: localhost\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"
            + "PUT /v1/kv/smuggled HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1\r\n\r\nx",
            Sturdy.Stop);
        await wire.HearAsync(Soon, Sturdy.Stop);
        (await sturdy.SendAsync("GET", "/v1/kv/smuggled", "")).Status.ShouldBe(404);
        await sturdy.ShouldBeUnharmedAsync();
    }

    [Theory]
    [InlineData("PUT", "/v1/kv/%ff")]
    [InlineData("GET", "/v1/kv/%ff?raw")]
    [InlineData("PUT", "/v1/kv/a%c3%28")]
    [InlineData("GET", "/v1/health/service/%fe")]
    [InlineData("GET", "/v1/kv/%")]
    [InlineData("GET", "/v1/kv/%zz")]
    public async Task A_key_of_bytes_that_are_no_text_is_refused_clearly(string method, string path)
    {
        var (status, text) = await sturdy.SendAsync(method, path, "");
        status.ShouldBe(400, text);
        text.ToLowerInvariant().ShouldContain("utf-8");
        await sturdy.ShouldBeUnharmedAsync();
    }

    [Theory]
    [InlineData("")]
    [InlineData("{")]
    [InlineData("{\"Name\":")]
    [InlineData("[]")]
    [InlineData("null")]
    [InlineData("7")]
    [InlineData("\"text\"")]
    [InlineData("{\"Name\":7}")]
    [InlineData("{\"Name\":{}}")]
    [InlineData("{\"Name\":\"w\",\"Port\":\"abc\"}")]
    [InlineData("{\"Name\":\"w\",\"Port\":99999999999999999999}")]
    [InlineData("{\"Name\":\"w\",\"Port\":-5}")]
    [InlineData("{\"Name\":\"w\",\"Tags\":\"x\"}")]
    [InlineData("{\"Name\":\"w\",\"Check\":[]}")]
    [InlineData("{\"Name\":\"w\",\"Checks\":{}}")]
    [InlineData("{\"Name\":\"w\",\"Check\":{\"TTL\":\"soon\"}}")]
    [InlineData("{\"Name\":\"w\",\"Meta\":[1]}")]
    [InlineData("{\"Name\":\"w\",\"Nonsense\":1}")]
    [InlineData("{\"Name\":\"w\",\"Proxy\":5}")]
    [InlineData("{\"Name\":\"\\ud800\"}")]
    [InlineData("{\"Name\":\"w\"} trailing")]
    [InlineData("\u00ff\u00fe\u0000")]
    public async Task A_registration_that_makes_no_sense_is_refused_everywhere(string body)
    {
        foreach (var path in (string[])
            ["/v1/agent/service/register", "/v1/agent/check/register", "/v1/catalog/register", "/v1/catalog/deregister",
             "/v1/config", "/v1/connect/intentions/exact?source=a&destination=b", "/v1/connect/intentions", "/v1/txn",
             "/v1/agent/check/update/none", "/v1/connect/ca/configuration", "/v1/agent/connect/authorize"])
        {
            var (status, text) = await sturdy.SendAsync(
                path.EndsWith("/authorize") || path.EndsWith("/intentions") ? "POST" : "PUT", path, body);
            status.ShouldBeOneOf([200, 400, 404, 413, 500]);
            text.ShouldNotContain("internal error", Case.Sensitive, $"{path} {body}");
            text.ShouldNotContain("Exception");
        }

        (await sturdy.Agent.Http.GetStringAsync("/v1/health/node/lab", Sturdy.Stop)).ShouldContain("serfHealth");
        await sturdy.ShouldBeUnharmedAsync();
    }

    [Theory]
    [InlineData("/v1/agent/service/register", "{\"Name\":\"w\",\"Meta\":", "[", "]")]
    [InlineData("/v1/agent/service/register", "{\"Name\":\"w\",\"Proxy\":{\"Config\":", "{\"a\":", "1}")]
    [InlineData("/v1/agent/service/register", "", "[", "]")]
    [InlineData("/v1/config", "{\"Kind\":\"proxy-defaults\",\"Name\":\"global\",\"Config\":", "{\"a\":", "1}")]
    [InlineData("/v1/txn", "", "[", "]")]
    public async Task Ten_thousand_levels_of_nesting_are_refused(string path, string front, string open, string close)
    {
        var deep = front + string.Concat(Enumerable.Repeat(open, 10_000))
            + string.Concat(Enumerable.Repeat(close, 10_000));
        var (status, text) = await sturdy.SendAsync("PUT", path, deep);
        status.ShouldBe(400, text);
        await sturdy.ShouldBeUnharmedAsync();
    }

    [Theory]
    [InlineData("(", "ServiceName==a", ")", 4000)]
    [InlineData("not ", "ServiceName==a", "", 3000)]
    [InlineData("ServiceName==a and ", "ServiceName==a", "", 800)]
    public async Task A_filter_nested_without_measure_is_answered(string open, string middle, string close, int times)
    {
        var filter = string.Concat(Enumerable.Repeat(open, times)) + middle
            + string.Concat(Enumerable.Repeat(close, times));
        var target = $"/v1/catalog/service/consul?filter={Uri.EscapeDataString(filter)}";
        var (status, text) = await sturdy.SendAsync("GET", target, "");
        status.ShouldBeOneOf([200, 400, 414]);
        text.ShouldNotContain("internal error");
        await sturdy.ShouldBeUnharmedAsync();
    }

    [Fact]
    public async Task Headers_that_never_end_do_not_hold_up_others()
    {
        var wires = new List<RawHttp>();
        for (var slow = 0; slow < 50; slow++)
        {
            wires.Add(await RawHttp.OpenAsync(sturdy.Agent.Ports.Http, Sturdy.Stop));
            await wires[^1].SendAsync("GET /v1/kv/well HTTP/1.1\r\nHost: loc", Sturdy.Stop);
        }

        await sturdy.ShouldBeUnharmedAsync();
        wires.ForEach(static wire => wire.Dispose());
    }

    [Fact]
    public async Task Headers_without_measure_are_refused()
    {
        var (status, text) = await sturdy.SendAsync(
            "GET", "/v1/kv/well", "", $"X-Long: {new string('x', 200_000)}\r\n");
        status.ShouldBe(431, text);
        await sturdy.ShouldBeUnharmedAsync();
    }

    [Theory]
    [InlineData("evil.example")]
    [InlineData("evil.example:8500")]
    [InlineData("localhost.evil.example")]
    public async Task A_foreign_name_on_loopback_is_refused(string host)
    {
        var (status, text) = await sturdy.AskAsync($"GET /v1/agent/self HTTP/1.1\r\nHost: {host}\r\n\r\n");
        status.ShouldBe(403, text);
        text.ShouldContain("allowed_hosts");
        await sturdy.ShouldBeUnharmedAsync();
    }

    [Theory]
    [InlineData("Origin: http://evil.example\r\n")]
    [InlineData("Origin: null\r\n")]
    [InlineData("Origin: http://localhost:1\r\n")]
    public async Task A_page_from_elsewhere_changes_nothing(string origin)
    {
        var (status, text) = await sturdy.SendAsync("PUT", "/v1/kv/crossed", "x", origin);
        status.ShouldBe(403, text);
        (await sturdy.SendAsync("GET", "/v1/kv/crossed", "")).Status.ShouldBe(404);
        await sturdy.ShouldBeUnharmedAsync();
    }

    [Theory]
    [InlineData("index=abc")]
    [InlineData("index=-1")]
    [InlineData("wait=forever")]
    [InlineData("wait=-5s")]
    [InlineData("stale&consistent")]
    [InlineData("filter=%ff")]
    [InlineData("filter=Nope==1")]
    [InlineData("filter===")]
    public async Task A_question_that_makes_no_sense_gets_an_answer(string query)
    {
        var (status, text) = await sturdy.SendAsync("GET", $"/v1/catalog/service/consul?{query}", "");
        status.ShouldBeOneOf([200, 400, 500]);
        text.ShouldNotContain("internal error");
        await sturdy.ShouldBeUnharmedAsync();
    }
}
