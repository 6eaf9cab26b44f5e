using System.Net;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.Extensions.Logging;
using Praetor.Agent.Checks;
using Shouldly;
using Xunit;

namespace Integration.Checks;

/// <summary>
/// gRPC and HTTP/2 checks against Kestrel: plain HTTP/2, TLS, and a server that speaks HTTP/1.1 only.
/// </summary>
public sealed class GrpcCheckTests : IAsyncLifetime
{
    private readonly WebApplication _app;
    private string[] _addresses = [];

    public GrpcCheckTests()
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.ConfigureKestrel(static kestrel =>
        {
            kestrel.Listen(IPAddress.Loopback, 0, static listen => listen.Protocols = HttpProtocols.Http2);
            kestrel.Listen(IPAddress.Loopback, 0, static listen =>
            {
                listen.Protocols = HttpProtocols.Http1AndHttp2;
                listen.UseHttps(HttpTarget.SelfSigned());
            });
        });
        _app = builder.Build();
        _app.MapPost("/grpc.health.v1.Health/Check", AnswerAsync);
    }

    private string Plain => _addresses[0];

    private string Tls => _addresses[1];

    public async ValueTask InitializeAsync()
    {
        _app.Urls.Clear();
        await _app.StartAsync(TestContext.Current.CancellationToken);
        _addresses = [.. _app.Urls.OrderBy(static url => url.Length).Select(static url => new Uri(url).Authority)];
    }

    public ValueTask DisposeAsync() => _app.DisposeAsync();

    [Fact]
    public async Task A_serving_service_passes()
    {
        (await GrpcAsync(Plain)).ShouldBe(CheckResult.Passing($"gRPC check {Plain}: success"));
        (await GrpcAsync($"{Plain}/good")).ShouldBe(CheckResult.Passing($"gRPC check {Plain}/good: success"));
    }

    [Fact]
    public async Task A_service_that_does_not_serve_is_critical() => (await GrpcAsync($"{Plain}/bad"))
        .ShouldBe(CheckResult.Critical("gRPC application didn't report service healthy"));

    [Fact]
    public async Task An_error_is_shown_by_its_name() => (await GrpcAsync($"{Plain}/nosuch"))
        .ShouldBe(CheckResult.Critical("rpc error: code = NotFound desc = unknown service"));

    [Fact]
    public async Task A_refused_connection_is_critical() =>
        (await GrpcAsync("127.0.0.1:1")).ShouldBe(CheckResult.Critical(
        "rpc error: code = Unavailable desc = connection error: desc = \"transport: "
        + "Error while dialing dial tcp 127.0.0.1:1: connect: connection refused\""));

    [Fact]
    public async Task A_service_that_hangs_is_critical_at_the_timeout() => (await GrpcAsync($"{Plain}/hang"))
        .ShouldBe(CheckResult.Critical("rpc error: code = DeadlineExceeded desc = context deadline exceeded"));

    [Fact]
    public async Task A_server_of_http_1_is_critical()
    {
        await using var target = new HttpTarget();
        target.On("*", "400 Bad Request");
        var result = await GrpcAsync($"127.0.0.1:{target.Port}");
        result.Status.ShouldBe(CheckStatus.Critical);
        result.Output.ShouldBe("rpc error: code = Unavailable desc = connection closed");
    }

    [Fact]
    public async Task Tls_is_spoken_and_verified()
    {
        (await GrpcAsync($"{Tls}/good", static spec => spec with { GrpcUseTls = true, TlsSkipVerify = true }))
            .ShouldBe(CheckResult.Passing($"gRPC check {Tls}/good: success"));
        (await GrpcAsync($"{Tls}/good", static spec => spec with { GrpcUseTls = true })).Output
            .ShouldStartWith("rpc error: code = Unavailable desc = connection error: "
                + "desc = \"transport: authentication handshake failed: ");
    }

    [Fact]
    public async Task A_ping_comes_back_over_plain_http_2_and_over_tls()
    {
        (await PingAsync(new CheckSpec { Id = "c", H2Ping = Plain, H2PingUseTls = false }))
            .ShouldBe(CheckResult.Passing("HTTP2 ping was successful"));
        (await PingAsync(new CheckSpec { Id = "c", H2Ping = Tls, TlsSkipVerify = true }))
            .ShouldBe(CheckResult.Passing("HTTP2 ping was successful"));
    }

    [Fact]
    public async Task A_ping_to_a_server_of_http_1_is_critical()
    {
        await using var target = new HttpTarget();
        target.On("*", "400 Bad Request");
        (await PingAsync(new CheckSpec { Id = "c", H2Ping = $"127.0.0.1:{target.Port}", H2PingUseTls = false }))
            .ShouldBe(CheckResult.Critical("HTTP2 ping failed: the target does not speak HTTP/2"));
        (await PingAsync(new CheckSpec { Id = "c", H2Ping = "127.0.0.1:1" })).ShouldBe(CheckResult.Critical(
            "Failed to dial to 127.0.0.1:1: dial tcp 127.0.0.1:1: connect: connection refused"));
    }

    private static Task<CheckResult> GrpcAsync(string target, Func<CheckSpec, CheckSpec>? change = null)
    {
        var timeout = target.EndsWith("/hang", StringComparison.Ordinal) ? 300 : 30_000;
        var spec = new CheckSpec { Id = "c", Grpc = target, Timeout = TimeSpan.FromMilliseconds(timeout) };
        return new GrpcCheck(new Dialer(), TimeProvider.System)
            .RunAsync(change?.Invoke(spec) ?? spec, TestContext.Current.CancellationToken);
    }

    private static Task<CheckResult> PingAsync(CheckSpec spec) =>
        new H2PingCheck(new Dialer(), TimeProvider.System).RunAsync(spec, TestContext.Current.CancellationToken);

    // What a gRPC server's health service does, by hand: the service's name begins after frame, tag and length.
    private static async Task AnswerAsync(HttpContext context)
    {
        using var body = new MemoryStream();
        await context.Request.Body.CopyToAsync(body, context.RequestAborted);
        var service = body.Length > 7 ? System.Text.Encoding.UTF8.GetString(body.ToArray()[7..]) : "";
        context.Response.ContentType = "application/grpc";
        if (service == "hang")
        {
            await Task.Delay(Timeout.InfiniteTimeSpan, TimeProvider.System, context.RequestAborted);
        }

        if (service == "nosuch")
        {
            context.Response.Headers["grpc-status"] = "5";
            context.Response.Headers["grpc-message"] = "unknown%20service";
            return;
        }

        byte[] answer = [0, 0, 0, 0, 2, 0x08, (byte)(service == "bad" ? 2 : 1)];
        await context.Response.Body.WriteAsync(answer, context.RequestAborted);
        context.Response.AppendTrailer("grpc-status", "0");
    }
}
