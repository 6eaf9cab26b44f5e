using Shouldly;
using Support;
using Xunit;

namespace Integration.Membership;

/// <summary>The resolvers that people have in front of the agent's DNS: dnsmasq and unbound, the real ones, on a
/// machine of their own, where the agent has port 53.</summary>
public sealed class DnsFrontTests
{
    private const string Agent = "127.0.0.1";
    private const string Dnsmasq = "127.0.0.2";
    private const string Unbound = "127.0.0.3";
    private const string Tools = "/usr/sbin/";

    private static readonly TimeSpan Soon = TimeSpan.FromSeconds(30);

    [Fact]
    public async Task Dnsmasq_and_unbound_pass_questions_on_to_an_agent_at_port_53()
    {
        Assert.SkipUnless(NetworkLab.IsPossible, NetworkLab.Missing);
        Assert.SkipUnless(
            File.Exists(Tools + "dnsmasq") && File.Exists(Tools + "unbound"), "needs dnsmasq and unbound");
        await using var lab = await NetworkLab.MakeAsync(1);
        var machine = lab.Machines[0];
        machine.Start(["agent", "-dev", "-node", "lab", "-alt-domain", "corp", "-hcl", "ports { dns = 53 }"]);
        StartResolvers(lab, machine);
        await RegisterAsync(machine);

        foreach (var server in (string[])[Agent, Dnsmasq, Unbound])
        {
            await Eventually.HoldsAsync($"{server} answers", Soon, async () =>
                await AskAsync(machine, server, "web.service.consul") == "10.1.1.1");
            await AnswersRightAsync(machine, server);
        }
    }

    [Fact]
    public async Task A_port_that_needs_a_privilege_is_refused_with_what_to_do()
    {
        Assert.SkipUnless(NetworkLab.IsPossible, NetworkLab.Missing);
        await using var lab = await NetworkLab.MakeAsync(1);
        string[] agent = [new AgentOptions().Executable, "agent", "-dev", "-node", "lab", "-hcl", "ports { dns = 53 }"];

        var (code, output) = await lab.Machines[0].RunAsync(["setpriv", "--bounding-set=-net_bind_service", .. agent]);

        code.ShouldBe(1);
        output.ShouldContain("DNS cannot listen on 127.0.0.1:53: Permission denied");
        output.ShouldContain("CAP_NET_BIND_SERVICE");
        output.ShouldContain("set ports.dns to a port from 1024 on");
    }

    private static async Task AnswersRightAsync(Machine machine, string server)
    {
        (await AskAsync(machine, server, "WEB.sErViCe.consul")).ShouldBe("10.1.1.1", server);
        (await AskAsync(machine, server, "web.service.corp")).ShouldBe("10.1.1.1", server);
        foreach (var there in (string[])["web.service.consul", "web.service.corp"])
        {
            (await AskAsync(machine, server, there, "SRV")).ShouldStartWith("1 1 8080 ", customMessage: server);
        }

        (await AskAsync(machine, server, "web.service.consul", "+dnssec")).ShouldBe("10.1.1.1", server);
        (await AskAsync(machine, server, "lab.node.consul")).ShouldBe("127.0.0.1", server);
        (await AskAsync(machine, server, "-x", "10.1.1.1")).ShouldBe("web.service.dc1.consul.", server);
        (await AskAsync(machine, server, "many.service.consul")).Split('\n').Length.ShouldBe(40, server);
        foreach (var missing in (string[])["nothere.service.consul", "nothere.service.corp"])
        {
            (await machine.RunAsync(Dig(server, missing))).Output.ShouldContain("NXDOMAIN", customMessage: server);
        }

        var (_, none) = await machine.RunAsync(Dig(server, "web.service.consul", "AAAA"));
        none.ShouldContain("NOERROR", customMessage: server);
        none.ShouldContain("ANSWER: 0", customMessage: server);
    }

    private static async Task<string> AskAsync(Machine machine, string server, params string[] question) =>
        (await machine.RunAsync([.. Dig(server, question), "+short"])).Output.Trim();

    private static string[] Dig(string server, params string[] question) =>
        ["dig", "+time=3", "+tries=2", "@" + server, .. question];

    private static async Task RegisterAsync(Machine machine)
    {
        await Eventually.HoldsAsync("the agent leads", Soon, async () =>
            (await machine.RunAsync("curl", "-s", "http://127.0.0.1:8500/v1/status/leader")).Output.Contains(':'));
        await PutAsync(machine, """{"Name":"web","Address":"10.1.1.1","Port":8080}""");
        for (var i = 1; i <= 40; i++)
        {
            await PutAsync(machine, $$"""{"ID":"m{{i}}","Name":"many","Address":"10.2.2.{{i}}","Port":{{i}}}""");
        }
    }

    private static async Task PutAsync(Machine machine, string body) => (await machine.RunAsync(
        "curl", "-sf", "-X", "PUT", "-d", body, "http://127.0.0.1:8500/v1/agent/service/register")).Code.ShouldBe(0);

    private static void StartResolvers(NetworkLab lab, Machine machine)
    {
        machine.Serve(
            Tools + "dnsmasq", "-k", "--conf-file=/dev/null", "--no-resolv", "--no-hosts", "--user=root", "--pid-file=",
            "--bind-interfaces", $"--listen-address={Dnsmasq}", $"--server=/consul/{Agent}", $"--server=/corp/{Agent}",
            $"--server=/10.in-addr.arpa/{Agent}");
        var file = lab.Folder.File("unbound.conf");
        File.WriteAllText(file, UnboundConfiguration(lab.Folder.Path));
        machine.Serve(Tools + "unbound", "-d", "-c", file);
    }

    // Questions in changing case (0x20) and with EDNS, as careful resolvers ask them.
    private static string UnboundConfiguration(string folder) => $"""
        server:
          interface: {Unbound}
          username: ""
          chroot: ""
          directory: "{folder}"
          pidfile: "{folder}/unbound.pid"
          use-syslog: no
          module-config: "iterator"
          do-not-query-localhost: no
          use-caps-for-id: yes
          local-zone: "10.in-addr.arpa." nodefault
        stub-zone:
          name: "consul"
          stub-addr: {Agent}
        stub-zone:
          name: "10.in-addr.arpa"
          stub-addr: {Agent}
        forward-zone:
          name: "corp"
          forward-addr: {Agent}
        """;
}
