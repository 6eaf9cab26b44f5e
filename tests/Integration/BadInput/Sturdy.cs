using System.Globalization;
using Shouldly;
using Support;
using Xunit;

namespace Integration.BadInput;

/// <summary>One agent for all the bad input of a class, and the claim that it is none the worse for it.</summary>
public sealed class Sturdy : IAsyncLifetime
{
    private const long GrowthBytesMax = 64 * 1024 * 1024;
    private const int KilobytesAt = 1024;
    private AgentProcess? _agent;
    private long _bytes;
    private int _failures;

    public AgentProcess Agent => _agent!;

    public static CancellationToken Stop => TestContext.Current.CancellationToken;

    public async ValueTask InitializeAsync()
    {
        _agent = await AgentProcess.StartAsync(new AgentOptions { IsDev = false }, Stop);

        // Once through everything, so that what is compiled or set up at first use is not counted as growth.
        for (var warm = 0; warm < 50; warm++)
        {
            await IsWellAsync();
        }

        _bytes = Resident();
    }

    public async ValueTask DisposeAsync()
    {
        if (_agent is not null)
        {
            await _agent.DisposeAsync();
        }
    }

    /// <summary>Answers as ever, and has not grown.</summary>
    public async Task ShouldBeUnharmedAsync()
    {
        await IsWellAsync();
        (Resident() - _bytes).ShouldBeLessThan(GrowthBytesMax, "the agent has grown");
        var failed = Agent.Log.Split('\n').Where(static line => line.Contains("request failed"))
            .Skip(_failures).ToList();
        _failures += failed.Count;
        failed.ShouldBeEmpty("a request ended in an internal error");
    }

    /// <summary>One request of raw bytes; gives the status and the answer.</summary>
    public Task<(int Status, string Text)> AskAsync(string request) =>
        RawHttp.AskAsync(Agent.Ports.Http, request, Stop);

    /// <summary>A request with a body and an honest length.</summary>
    public Task<(int Status, string Text)> SendAsync(string method, string path, string body, string headers = "") =>
        AskAsync($"{method} {path} HTTP/1.1\r\nHost: localhost\r\n"
            + $"{headers}Content-Length: {body.Length}\r\n\r\n{body}");

    private async Task IsWellAsync()
    {
        using var body = new StringContent("x");
        using var put = await Agent.Http.PutAsync("/v1/kv/well", body, Stop);
        (await put.Content.ReadAsStringAsync(Stop)).Trim().ShouldBe("true");
        (await Agent.Http.GetStringAsync("/v1/kv/well?raw", Stop)).ShouldBe("x");
        (await Agent.Http.GetStringAsync("/v1/health/service/consul?filter=Service.Port!=1", Stop))
            .ShouldContain("consul");
    }

    private long Resident()
    {
        var line = File.ReadLines($"/proc/{Agent.ProcessId}/status").First(static l => l.StartsWith("VmRSS:"));
        return long.Parse(line.Split(' ', StringSplitOptions.RemoveEmptyEntries)[1], CultureInfo.InvariantCulture)
            * KilobytesAt;
    }
}
