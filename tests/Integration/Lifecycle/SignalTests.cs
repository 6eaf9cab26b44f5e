using System.Diagnostics;
using System.Net;
using System.Net.Sockets;
using Integration.BadInput;
using Shouldly;
using Support;
using Xunit;

namespace Integration.Lifecycle;

/// <summary>How an agent ends, and what it leaves behind: nothing.</summary>
public sealed class SignalTests
{
    private const int SigTerm = 15;
    private const int SigInt = 2;
    private static readonly TimeSpan EndLimit = TimeSpan.FromSeconds(10);

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    // Consul: a server stays in its cluster when it is interrupted, and says so by its exit code.
    [Theory]
    [InlineData(SigTerm, "", 1)]
    [InlineData(SigTerm, "leave_on_terminate = true", 0)]
    [InlineData(SigInt, "", 1)]
    [InlineData(SigInt, "skip_leave_on_interrupt = false", 0)]
    public async Task A_signal_ends_a_server_with_Consuls_exit_code(int signal, string hcl, int code)
    {
        using var folder = new TempFolder("signals");
        var pid = folder.File("agent.pid");
        await using var agent = await AgentProcess.StartAsync(
            new AgentOptions { IsDev = false, Hcl = [hcl], Arguments = ["-pid-file", pid] }, Stop);
        (await File.ReadAllTextAsync(pid, Stop)).ShouldBe($"{agent.ProcessId}");
        using var process = Process.GetProcessById(agent.ProcessId);
        Command.Signal(agent.ProcessId, signal);
        (await agent.EndedAsync(EndLimit)).ShouldBe(code, agent.Log);

        File.Exists(pid).ShouldBeFalse("the pid file is still there");
        ShouldBeFree(agent.Ports);
        await agent.StartAgainAsync(Stop);
    }

    // A shell script's background commands ignore INT, and those under nohup HUP.
    [Fact]
    public async Task Signals_that_were_ignored_where_it_was_started_are_heard()
    {
        using var folder = new TempFolder("signals");
        var script = folder.Write(
            "praetor", $"#!/bin/sh\ntrap '' INT HUP TERM\nexec '{new AgentOptions().Executable}' \"$@\"\n");
        if (!OperatingSystem.IsWindows())
        {
            File.SetUnixFileMode(script, UnixFileMode.UserRead | UnixFileMode.UserExecute);
        }

        await using var agent = await AgentProcess.StartAsync(
            new AgentOptions { Executable = script, Arguments = ["-config-dir", folder.Path] }, Stop);
        await HasServicesAsync(agent, "!web");
        folder.Write("web.hcl", """service { name = "web" port = 80 }""");
        agent.Reload();
        await HasServicesAsync(agent, "web");
        Command.Signal(agent.ProcessId, SigInt);
        (await agent.EndedAsync(EndLimit)).ShouldBe(1, agent.Log);
    }

    [Fact]
    public async Task Leave_ends_the_agent_with_zero()
    {
        await using var agent = await AgentProcess.StartAsync(null, Stop);
        var (code, output) = await agent.RunAsync("leave");
        code.ShouldBe(0, output);
        output.ShouldContain("Graceful leave complete");
        (await agent.EndedAsync(EndLimit)).ShouldBe(0, agent.Log);
        ShouldBeFree(agent.Ports);
    }

    [Fact]
    public async Task A_waiting_query_does_not_hold_up_the_end()
    {
        await using var agent = await AgentProcess.StartAsync(null, Stop);
        using var wire = await RawHttp.OpenAsync(agent.Ports.Http, Stop);

        // Both in one piece: when the first is answered, the agent has the second, and begins with it at once.
        await wire.SendAsync(
            "GET /v1/status/leader HTTP/1.1\r\nHost: localhost\r\n\r\n"
                + "GET /v1/catalog/services?index=100000&wait=60s HTTP/1.1\r\nHost: localhost\r\n\r\n",
            Stop);
        (await wire.HearAsync(EndLimit, Stop)).Status.ShouldBe(200);
        Command.Signal(agent.ProcessId, SigInt);
        await agent.EndedAsync(EndLimit);
        (await wire.HearAsync(EndLimit, Stop)).Text.ShouldBeEmpty("the client sees the end, and no half an answer");
    }

    [Fact]
    public async Task Hup_takes_over_files_and_a_broken_one_changes_nothing()
    {
        using var folder = new TempFolder("reload");
        folder.Write("web.hcl", """service { name = "web" port = 80 }""");
        await using var agent = await AgentProcess.StartAsync(
            new AgentOptions { Arguments = ["-config-dir", folder.Path] }, Stop);
        await HasServicesAsync(agent, "web", "!api");
        folder.Write("api.hcl", """service { name = "api" port = 81 }""");
        agent.Reload();
        await HasServicesAsync(agent, "web", "api");

        folder.Write("web.hcl", """service { name = "web" prot = 80 }""");
        agent.Reload();
        await Eventually.HoldsAsync(
            "the log names the key", EndLimit, () => Task.FromResult(agent.Log.Contains("prot")), Stop);
        await HasServicesAsync(agent, "web", "api");
        File.Delete(folder.File("web.hcl"));
        agent.Reload();
        await HasServicesAsync(agent, "!web", "api");
    }

    [Fact]
    public async Task With_auto_reload_config_a_changed_file_needs_no_command()
    {
        using var folder = new TempFolder("reload");
        folder.Write("web.hcl", """service { name = "web" port = 80 }""");
        await using var agent = await AgentProcess.StartAsync(
            new AgentOptions { Arguments = ["-config-dir", folder.Path, "-auto-reload-config"] }, Stop);
        folder.Write("api.hcl", """service { name = "api" port = 81 }""");
        await HasServicesAsync(agent, "web", "api");

        folder.Write("api.hcl", """service { name = "api" prot = 81 }""");
        await Eventually.HoldsAsync(
            "the log names the key", EndLimit, () => Task.FromResult(agent.Log.Contains("prot")), Stop);
        await HasServicesAsync(agent, "web", "api");
        File.Delete(folder.File("api.hcl"));
        await HasServicesAsync(agent, "web", "!api");
    }

    private static Task HasServicesAsync(AgentProcess agent, params string[] wanted) => Eventually.HoldsAsync(
        string.Join(' ', wanted),
        EndLimit,
        async () =>
        {
            var services = await agent.Http.GetStringAsync("/v1/agent/services", Stop);
            return wanted.All(name => services.Contains($"\"{name.TrimStart('!')}\"") != name.StartsWith('!'));
        },
        Stop);

    private static void ShouldBeFree(AgentPorts ports)
    {
        foreach (var port in (int[])[ports.Http, ports.Dns])
        {
            using var tcp = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
            tcp.Bind(new IPEndPoint(IPAddress.Loopback, port));
            tcp.Listen();
        }

        using var udp = new Socket(AddressFamily.InterNetwork, SocketType.Dgram, ProtocolType.Udp);
        udp.Bind(new IPEndPoint(IPAddress.Loopback, ports.Dns));
    }
}
