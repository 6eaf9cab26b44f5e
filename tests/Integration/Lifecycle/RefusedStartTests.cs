using System.Net;
using System.Net.Sockets;
using Shouldly;
using Support;
using Xunit;

namespace Integration.Lifecycle;

/// <summary>An agent that cannot start says why in one line, and ends with 1.</summary>
public sealed class RefusedStartTests : IDisposable
{
    private readonly TempFolder _folder = new("refused");

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    public void Dispose() => _folder.Dispose();

    [Fact]
    public async Task A_data_folder_in_use_is_not_shared()
    {
        await using var agent = await AgentProcess.StartAsync(new AgentOptions { IsDev = false }, Stop);
        await ShouldBeRefusedAsync(["another agent"], agent.Folder.File("data"), AgentPorts.Take());
        (await agent.Http.GetStringAsync("/v1/status/leader", Stop)).ShouldContain(":");
    }

    [Theory]
    [InlineData("http")]
    [InlineData("dns")]
    [InlineData("server")]
    public async Task A_taken_port_is_named(string which)
    {
        var ports = AgentPorts.Take();
        var port = which switch { "http" => ports.Http, "dns" => ports.Dns, _ => ports.Server };
        using var taken = new TcpListener(IPAddress.Loopback, port);
        taken.Start();
        await ShouldBeRefusedAsync([$"127.0.0.1:{port}", $"ports.{which}"], _folder.File("data"), ports);
    }

    [Fact]
    public async Task A_data_folder_that_cannot_be_made_is_named()
    {
        // Nobody makes folders here, not even root.
        await ShouldBeRefusedAsync(["/proc/praetor-data"], "/proc/praetor-data", AgentPorts.Take());
    }

    [Fact]
    public async Task A_data_folder_that_is_a_file_is_named()
    {
        var file = _folder.Write("a-file", "");
        await ShouldBeRefusedAsync([file], file, AgentPorts.Take());
    }

    [Fact]
    public async Task A_pid_file_that_cannot_be_written_is_named()
    {
        var file = _folder.File("no-such-folder/agent.pid");
        await ShouldBeRefusedAsync([file], _folder.File("data"), AgentPorts.Take(), "-pid-file", file);
    }

    private static async Task ShouldBeRefusedAsync(
        string[] words, string data, AgentPorts ports, params string[] more)
    {
        using var start = Command.Start([
            "agent", "-server", "-bootstrap-expect=1", "-data-dir", data, "-bind", "127.0.0.1",
            "-hcl", ports.ToHcl(), .. more]);
        var (code, output, errors) = await start.EndAsync();
        code.ShouldBe(1, output + errors);
        var said = errors.Trim().Split('\n');
        said.Length.ShouldBe(1, $"{output}\n--- errors\n{errors}");
        foreach (var word in words)
        {
            said[0].ShouldContain(word);
        }

        (output + errors).ShouldNotContain("   at ", Case.Sensitive, "a stack trace is shown");
    }
}
