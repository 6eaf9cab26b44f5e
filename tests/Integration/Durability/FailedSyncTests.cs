using System.Diagnostics;
using System.Globalization;
using System.Net;
using Shouldly;
using Support;
using Xunit;

namespace Integration.Durability;

/// <summary>The disk fails to keep a write: nothing more is acknowledged, and the process ends.</summary>
public sealed class FailedSyncTests
{
    private const string Strace = "/usr/bin/strace";
    private const int Writers = 8;
    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(30);

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData("/v1/kv/after", "x")]
    [InlineData("/v1/agent/service/register", """{"Name":"after"}""")]
    public async Task After_a_failed_sync_nothing_is_acknowledged_and_the_agent_ends_with_one_line(
        string path, string body)
    {
        Assert.SkipUnless(File.Exists(Strace), "needs strace, to make system calls fail");
        await using var agent = await AgentProcess.StartAsync(new AgentOptions { IsDev = false }, Stop);
        (await PutAsync(agent, "/v1/kv/before", "x")).ShouldBe(HttpStatusCode.OK);
        using var strace = await BreakSyncsAsync(agent.ProcessId);

        var writes = Enumerable.Range(0, Writers)
            .Select(i => PutAsync(agent, path, body.Replace("after", $"after{i}")));
        (await Task.WhenAll(writes)).ShouldNotContain(HttpStatusCode.OK, agent.Log);

        (await agent.EndedAsync(Limit)).ShouldBe(1, agent.Log);
        agent.Log.Split('\n').Count(static line => line.Contains("cannot go on")).ShouldBe(1, agent.Log);
        agent.Log.ShouldNotContain("   at ", Case.Sensitive, "a stack trace is shown");
        await agent.StartAgainAsync(Stop);
        (await agent.Http.GetStringAsync("/v1/kv/before?raw", Stop)).ShouldBe("x");
    }

    // Every sync fails from now on. It ends with the process.
    private static async Task<Process> BreakSyncsAsync(int process)
    {
        var id = process.ToString(CultureInfo.InvariantCulture);
        var strace = Process.Start(new ProcessStartInfo(
            Strace,
            [
                "-f", "-p", id, "-o", "/dev/null", "-e", "trace=fsync,fdatasync",
                "-e", "inject=fsync,fdatasync:error=EIO",
            ])
        {
            UseShellExecute = false, RedirectStandardError = true,
        })!;
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(Stop);
        limit.CancelAfter(Limit);
        var said = await strace.StandardError.ReadLineAsync(limit.Token) ?? "";
        if (!said.Contains("attached"))
        {
            strace.Dispose();
            Assert.Skip($"strace cannot attach to processes here: {said}");
        }

        // What else it says, about each thread, is of no use; unread it would stand still.
        _ = strace.StandardError.ReadToEndAsync(Stop);
        return strace;
    }

    private static async Task<HttpStatusCode> PutAsync(AgentProcess agent, string path, string body)
    {
        try
        {
            using var content = new StringContent(body);
            using var answer = await agent.Http.PutAsync(new Uri(path, UriKind.Relative), content, Stop);
            return answer.StatusCode;
        }
        catch (HttpRequestException)
        {
            // The process was gone before it could answer.
            return HttpStatusCode.ServiceUnavailable;
        }
    }
}
