using System.Net;
using System.Text;
using Praetor.Agent.Checks;
using Shouldly;
using Xunit;

namespace Unit.Checks;

public sealed class CheckTextTests
{
    [Fact]
    public void An_output_keeps_its_last_bytes_and_says_how_many_there_were()
    {
        var output = new OutputCapture(4);
        output.Add("abc"u8);
        output.Summary().ShouldBe("abc");
        output.Add("defgh"u8);
        output.Add("ij"u8);
        output.Summary().ShouldBe("Captured 4 of 10 bytes\n...\nghij");
    }

    [Fact]
    public void An_output_of_any_pieces_is_the_tail_of_their_sum()
    {
        var random = new Random(7);
        var whole = new StringBuilder();
        var output = new OutputCapture(50);
        for (var i = 0; i < 500; i++)
        {
            var piece = new string((char)('a' + (i % 26)), random.Next(0, 120));
            whole.Append(piece);
            output.Add(Encoding.ASCII.GetBytes(piece));
            var expected = whole.ToString();
            output.Text().ShouldBe(expected[Math.Max(0, expected.Length - 50)..]);
        }
    }

    [Theory]
    [InlineData(100, "100ms")]
    [InlineData(1000, "1s")]
    [InlineData(1500, "1.5s")]
    [InlineData(60_000, "1m0s")]
    [InlineData(3_723_000, "1h2m3s")]
    [InlineData(3_600_000, "1h0m0s")]
    public void Durations_read_as_users_know_them(int milliseconds, string text) =>
        GoText.Duration(TimeSpan.FromMilliseconds(milliseconds)).ShouldBe(text);

    [Theory]
    [InlineData("http://user:pass@host:1/p?x=@", "http://user:xxxxx@host:1/p?x=@")]
    [InlineData("http://user@host/", "http://user@host/")]
    [InlineData("http://host/a:b@c", "http://host/a:b@c")]
    [InlineData("http://host", "http://host")]
    [InlineData("", "")]
    [InlineData("://", "://")]
    public void A_password_in_a_url_is_not_shown(string url, string shown) => HttpRequests.Shown(url).ShouldBe(shown);

    [Theory]
    [InlineData("http://a/x", "http://a/y", true)]
    [InlineData("http://a/x", "https://a/y", true)]
    [InlineData("http://a:8080/x", "https://a:8443/y", true)]
    [InlineData("https://a/x", "http://a/y", false)]
    [InlineData("http://a/x", "http://a:8500/y", false)]
    [InlineData("http://a/x", "http://169.254.169.254/", false)]
    [InlineData("http://a/x", "http://a.evil/", false)]
    [InlineData("http://a/x", "http://a@evil/", false)]
    [InlineData("http://a/x", "file:///etc/passwd", false)]
    [InlineData("http://a/x", "gopher://a/", false)]
    public void A_redirect_stays_on_its_host(string from, string to, bool isFollowed) =>
        (HttpRequests.RefusalOf(new Uri(from), new Uri(to)) is null).ShouldBe(isFollowed);

    [Theory]
    [InlineData(HttpStatusCode.Found, "POST", "GET")]
    [InlineData(HttpStatusCode.TemporaryRedirect, "POST", "POST")]
    [InlineData(HttpStatusCode.Found, "HEAD", "HEAD")]
    public void Only_some_redirects_repeat_the_method(HttpStatusCode status, string method, string next) =>
        HttpRequests.MethodAfter(status, method).ShouldBe(next);

    [Theory]
    [InlineData("ftp://127.0.0.1/", "GET", "x", "v", "Get \"ftp://127.0.0.1/\": unsupported protocol scheme \"ftp\"")]
    [InlineData("http://x", "B AD", "x", "v", "net/http: invalid method \"B AD\"")]
    [InlineData("http://x", "GET", "a b", "v", "Get \"http://x\": net/http: invalid header field name \"a b\"")]
    [InlineData("http://x", "GET", "a", "b\r\nc", "Get \"http://x\": net/http: invalid header field value for \"a\"")]
    [InlineData("http://x", "GET", "a", "b", null)]
    public void An_impossible_request_is_never_sent(
        string url, string method, string name, string value, string? why) =>
        HttpRequests.Problem(new CheckSpec
        {
            Id = "c",
            Http = url,
            Method = method,
            Headers = new Dictionary<string, IReadOnlyList<string>>(StringComparer.Ordinal) { [name] = [value] },
        }).ShouldBe(why);

    [Theory]
    [InlineData("http://[::1]/", "[::1]")]
    [InlineData("http://[::1]:81/", "[::1]:81")]
    [InlineData("https://h/", "h")]
    [InlineData("https://h:443/", "h")]
    [InlineData("http://h:443/", "h:443")]
    public void The_host_header_names_the_target(string url, string host)
    {
        using var request = HttpRequests.Make(new CheckSpec { Id = "c" }, new Uri(url), "GET");
        request.Headers.Host.ShouldBe(host);
    }

    [Theory]
    [InlineData("127.0.0.1:80", "127.0.0.1", 80, "")]
    [InlineData("[::1]:80", "::1", 80, "")]
    [InlineData(":80", "localhost", 80, "")]
    [InlineData("127.0.0.1", "", 0, "address 127.0.0.1: missing port in address")]
    [InlineData("::1", "", 0, "address ::1: too many colons in address")]
    [InlineData("a:b", "", 0, "address a:b: invalid port \"b\"")]
    [InlineData("a:99999", "", 0, "address a:99999: invalid port \"99999\"")]
    public void A_target_is_a_host_and_a_port(string text, string host, int port, string why)
    {
        HostPort.TryParse(text, out var target, out var problem).ShouldBe(why.Length == 0);
        problem.ShouldBe(why);
        (target.Host ?? "", target.Port).ShouldBe((host, port));
    }

    [Fact]
    public void A_health_request_names_its_service() =>
        GrpcHealthMessage.Request("web").ShouldBe([0, 0, 0, 0, 5, 0x0A, 3, (byte)'w', (byte)'e', (byte)'b']);

    [Theory]
    [InlineData("00000000020801", true)]
    [InlineData("00000000020802", false)]
    [InlineData("0000000000", false)]
    [InlineData("000000000612024142" + "0801", true)]
    [InlineData("000000000208", false)]
    [InlineData("0000000003088080", false)]
    [InlineData("00ffffffff0801", false)]
    [InlineData("01000000020801", false)]
    [InlineData("", false)]
    public void Only_serving_is_healthy(string hex, bool isServing) =>
        GrpcHealthMessage.IsServing(Convert.FromHexString(hex)).ShouldBe(isServing);

    [Theory]
    [InlineData(CheckOrigin.ConfigFile, ScriptChecks.Off, "Scripts are disabled on this agent; to enable, "
        + "configure 'enable_script_checks' or 'enable_local_script_checks' to true")]
    [InlineData(CheckOrigin.ConfigFile, ScriptChecks.LocalOnly, null)]
    [InlineData(CheckOrigin.Api, ScriptChecks.LocalOnly, "Scripts are disabled on this agent from remote calls; "
        + "to enable, configure 'enable_script_checks' to true")]
    [InlineData(CheckOrigin.Api, ScriptChecks.Off, "Scripts are disabled on this agent from remote calls; "
        + "to enable, configure 'enable_script_checks' to true")]
    [InlineData(CheckOrigin.Api, ScriptChecks.On, null)]
    public void Scripts_are_refused_unless_allowed(CheckOrigin origin, ScriptChecks allowed, string? refusal) =>
        ScriptPermission.Refusal(new CheckSpec { Id = "s", ScriptArgs = ["true"] }, origin, allowed).ShouldBe(refusal);
}
