using System.Net;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.Extensions.Logging;
using Praetor.Agent.Http;
using Praetor.Agent.Logging;
using Shouldly;
using Support;
using Xunit;

namespace Unit.Http;

public sealed class RequestLogTests
{
    private readonly ManualTime _time = new();
    private readonly StringWriter _said = new();

    [Theory]
    [InlineData("/v1/kv/a?%74oken=secret&raw", "/v1/kv/a?token=<hidden>&raw")]
    [InlineData("/v1/kv/a", "/v1/kv/a")]
    [InlineData("/v1/kv/token=x", "/v1/kv/token=x")]
    [InlineData("/v1/kv/a?raw&token=secret&dc=dc1", "/v1/kv/a?raw&token=<hidden>&dc=dc1")]
    [InlineData("/v1/kv/a?TOKEN=secret", "/v1/kv/a?token=<hidden>")]
    public void A_token_in_the_address_is_hidden(string target, string shown) =>
        RequestLog.WithoutToken(target).ShouldBe(shown);

    [Fact]
    public async Task A_request_is_named_with_its_status_and_how_long_it_took_even_if_it_broke_off()
    {
        var said = await SaidOfAsync(LogLevel.Trace, context =>
        {
            context.Response.StatusCode = 404;
            _time.Advance(TimeSpan.FromMilliseconds(3));
            throw new OperationCanceledException();
        });

        said.ShouldContain(
            "Request finished: method=PUT url=/v1/kv/a status=404 from=127.0.0.1:1234 latency=3ms");
    }

    [Fact]
    public async Task The_level_of_a_dev_agent_does_not_show_requests()
    {
        var said = await SaidOfAsync(LogLevel.Debug, static _ => Task.CompletedTask);
        said.ShouldBeEmpty();
    }

    private async Task<string> SaidOfAsync(LogLevel level, Func<HttpContext, Task> answer)
    {
        using (var log = new AgentLog(new AgentLogOptions { Level = level }, _said, _time))
        {
            var requests = new RequestLog(log.CreateLogger("agent.http"), _time);
            requests.IsRead.ShouldBe(level == LogLevel.Trace);
            var context = new DefaultHttpContext();
            context.Request.Method = "PUT";
            context.Features.GetRequiredFeature<IHttpRequestFeature>().RawTarget = "/v1/kv/a";
            context.Connection.RemoteIpAddress = IPAddress.Loopback;
            context.Connection.RemotePort = 1234;
            try
            {
                await requests.AnswerAsync(context, answer);
            }
            catch (OperationCanceledException)
            {
                // The client went away.
            }
        }

        return _said.ToString();
    }
}
