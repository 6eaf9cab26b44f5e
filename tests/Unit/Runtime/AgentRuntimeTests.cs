using System.Net;
using Praetor.Agent.Config;
using Praetor.Agent.Runtime;
using Praetor.Client;
using Shouldly;
using Xunit;

namespace Unit.Runtime;

public sealed class AgentRuntimeTests : IDisposable
{
    private readonly StringWriter _log = new();
    private Func<ConfigResult>? _load;

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    public void Dispose() => _log.Dispose();

    [Fact]
    public async Task Without_http_its_own_parts_ask_over_a_socket_that_is_theirs_alone()
    {
        string path;
        await using (var agent = Make("-http-port=-1"))
        {
            await agent.StartAsync([], Stop);
            path = agent.OwnAddress["unix://".Length..];
            (OperatingSystem.IsWindows() ? default : File.GetUnixFileMode(path))
                .ShouldBe(UnixFileMode.UserRead | UnixFileMode.UserWrite);
            using var client = new PraetorClient(new ClientOptions { Address = agent.OwnAddress });
            using var answer = await client.SendAsync(HttpMethod.Get, "/v1/status/leader", null, null, Stop);
            answer.IsSuccessStatusCode.ShouldBeTrue();
        }

        File.Exists(path).ShouldBeFalse("the socket is still there");
    }

    [Fact]
    public async Task What_needs_a_restart_or_has_no_effect_is_said_once()
    {
        string[] line = ["-hcl", "license_path = \"x\""];
        await using (var agent = Make(line))
        {
            await agent.StartAsync(Load(line).Warnings, Stop);
            _load = static () => Load("-hcl", "license_path = \"x\" ports { sidecar_min_port = 21100 }");
            (await agent.ReloadAsync(Stop)).ShouldBeNull();
            (await agent.ReloadAsync(Stop)).ShouldBeNull();
        }

        var said = _log.ToString();
        said.Split("key license_path has no effect yet").Length.ShouldBe(2, said);
        said.Split("needs a restart to take effect: key=ports.sidecar_min_port").Length.ShouldBe(2, said);
    }

    [Fact]
    public async Task What_breaks_a_reload_by_signal_is_logged()
    {
        await using (var agent = Make())
        {
            _load = static () => throw new InvalidOperationException("the cause");
            agent.BeginReload(Stop);
            _load = static () => throw new IOException("cannot be read");
            agent.BeginReload(Stop);
        }

        // Whole only once the log is closed.
        var said = _log.ToString();
        said.ShouldContain("the reload broke");
        said.ShouldContain("the cause");
        said.ShouldContain("cannot be read");
    }

    private static ConfigResult Load(params string[] line) => ConfigLoader.Load(
        ["-dev", "-node-id", "11111111-2222-3333-4444-555555555555", "-dns-port=-1", .. line],
        new ConfigSurroundings("n1", static () => []));

    private AgentRuntime Make(params string[] line)
    {
        var loaded = Load(line);
        _load = () => loaded;
        var config = loaded.Config.ShouldNotBeNull(loaded.ProblemText);
        config = config with
        {
            Ports = config.Ports with { Server = 0, SerfLan = 0, SerfWan = -1 },
            Addresses = config.Addresses with { Bind = IPAddress.Loopback },
        };
        return new AgentRuntime(
            config, () => _load(), new AgentBuild("0", "", ""), TextWriter.Synchronized(_log), TimeProvider.System);
    }
}
