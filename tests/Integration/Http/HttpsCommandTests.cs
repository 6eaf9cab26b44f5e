using System.Diagnostics;
using Integration.Lifecycle;
using Shouldly;
using Support;
using Xunit;

namespace Integration.Http;

/// <summary>Commands, ours and the real Consul's, talk to our agent over TLS and over a Unix socket.</summary>
public sealed class HttpsCommandTests : IDisposable
{
    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(30);

    private readonly TestPki _pki = new();
    private readonly TempFolder _folder = new("https");
    private readonly int _port = FreePorts.Take();

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    public static TheoryData<string> Commands =>
        RealConsul.IsThere ? [new AgentOptions().Executable, RealConsul.Executable] : [new AgentOptions().Executable];

    public void Dispose()
    {
        _pki.Dispose();
        _folder.Dispose();
    }

    [Theory]
    [MemberData(nameof(Commands))]
    public async Task Flags_and_variables_for_tls_lead_to_the_agent(string command)
    {
        await using var agent = await StartAsync();
        var at = $"-http-addr=https://localhost:{_port}";
        (await RunAsync(command, ["kv", "put", at, $"-ca-file={_pki.CaFile}", "a", "b"])).ShouldBe((0, Written));
        (await RunAsync(command, ["kv", "get", "a"], ("HTTP_SSL", "true"), ("HTTP_ADDR", $"localhost:{_port}"),
            ("CACERT", _pki.CaFile))).ShouldBe((0, "b"));
        (await RunAsync(command, ["kv", "get", "a"], ("HTTP_ADDR", $"https://127.0.0.1:{_port}"),
            ("HTTP_SSL_VERIFY", "false"))).ShouldBe((0, "b"));

        var (code, said) = await RunAsync(command, ["kv", "get", at, "a"]);
        code.ShouldBe(1);
        said.ShouldEndWith("x509: certificate signed by unknown authority");
        (code, said) = await RunAsync(command, ["members", $"-http-addr=localhost:{_port}"]);
        code.ShouldBe(1);
        said.ShouldContain("Client sent an HTTP request to an HTTPS server.");
    }

    [Theory]
    [MemberData(nameof(Commands))]
    public async Task A_client_certificate_opens_an_agent_that_asks_for_one(string command)
    {
        await using var agent = await StartAsync($"verify_incoming_https = true ca_file = \"{_pki.CaFile}\"");
        var (cert, key) = _pki.Issue("client");
        string[] line = ["kv", "put", $"-http-addr=https://localhost:{_port}", $"-ca-file={_pki.CaFile}"];
        (await RunAsync(command, [.. line, $"-client-cert={cert}", $"-client-key={key}", "a", "b"]))
            .ShouldBe((0, Written));
        (await RunAsync(command, [.. line, "c", "d"])).Code.ShouldBe(1);
        (await RunAsync(command, ["kv", "get", "c"], ("HTTP_ADDR", $"https://localhost:{_port}"),
            ("CACERT", _pki.CaFile), ("CLIENT_CERT", cert), ("CLIENT_KEY", key))).Said.ShouldContain("No key exists");
    }

    [Theory]
    [MemberData(nameof(Commands))]
    public async Task A_unix_socket_is_used_by_its_path(string command)
    {
        var path = _folder.File("agent.sock");
        await using var agent = await StartAsync(
            $"addresses {{ http = \"127.0.0.1 unix://{path}\" }} unix_sockets {{ mode = \"0600\" }}");
        (OperatingSystem.IsWindows() ? default : File.GetUnixFileMode(path))
            .ShouldBe(UnixFileMode.UserRead | UnixFileMode.UserWrite);
        (await RunAsync(command, ["kv", "put", $"-http-addr=unix://{path}", "a", "b"])).ShouldBe((0, Written));
        (await RunAsync(command, ["kv", "get", "a"], ("HTTP_ADDR", $"unix://{path}"))).ShouldBe((0, "b"));
        await agent.KillAsync();
        File.Exists(path).ShouldBeTrue();
        await agent.StartAgainAsync(Stop);
        (await RunAsync(command, ["members", $"-http-addr=unix://{path}"])).Code.ShouldBe(0);
        await agent.EndAsync();
        File.Exists(path).ShouldBeFalse("the socket is still there");
    }

    [Fact]
    public async Task Hup_picks_up_a_renewed_certificate()
    {
        using var renewed = new TestPki("renewed");
        await using var agent = await StartAsync();
        var (cert, key) = renewed.Issue("server");
        var mine = _pki.Issue("server");
        File.Copy(cert, mine.Cert, overwrite: true);
        File.Copy(key, mine.Key, overwrite: true);
        agent.Reload();
        await Eventually.HoldsAsync(
            "the renewed certificate is shown",
            Limit,
            async () => (await RunAsync(new AgentOptions().Executable, ["kv", "put",
                $"-http-addr=https://localhost:{_port}", $"-ca-file={renewed.CaFile}", "a", "b"])).Code == 0,
            Stop);
    }

    private const string Written = "Success! Data written to: a";

    private Task<AgentProcess> StartAsync(string hcl = "")
    {
        var (cert, key) = _pki.Issue("server");
        return AgentProcess.StartAsync(
            new AgentOptions
            {
                Hcl = [$"ports {{ https = {_port} }} cert_file = \"{cert}\" key_file = \"{key}\"", hcl],
            },
            Stop);
    }

    private static async Task<(int Code, string Said)> RunAsync(
        string command, string[] line, params (string Name, string Value)[] variables)
    {
        var start = new ProcessStartInfo(command, line)
        {
            UseShellExecute = false, RedirectStandardOutput = true, RedirectStandardError = true,
        };
        foreach (var (name, value) in variables)
        {
            start.Environment[$"CONSUL_{name}"] = value;
        }

        using var run = Process.Start(start)!;
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(Stop);
        limit.CancelAfter(Limit);
        var output = run.StandardOutput.ReadToEndAsync(limit.Token);
        var errors = run.StandardError.ReadToEndAsync(limit.Token);
        await run.WaitForExitAsync(limit.Token);
        return (run.ExitCode, (await output + await errors).Trim());
    }
}
