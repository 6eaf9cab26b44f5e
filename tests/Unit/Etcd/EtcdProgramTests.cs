using System.Runtime.Versioning;
using Praetor.Agent.Cluster;
using Praetor.Server.Storage.Etcd;
using Shouldly;
using Support;
using Xunit;

namespace Unit.Etcd;

[SupportedOSPlatform("linux")]
public sealed class EtcdProgramTests
{
    private static readonly EtcdChildOptions Options = new()
    {
        Folder = "/d/etcd",
        NodeId = "n",
        ClusterToken = "t",
        Name = "a",
        PeerListenUrl = "http://10.0.0.1:8302",
        PeerUrl = "http://10.0.0.1:8302",
        InitialCluster = [new("a", "http://10.0.0.1:8302"), new("b", "http://10.0.0.2:8302")],
        IsNewCluster = true,
    };

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData("etcd Version: 3.5.30\nGit SHA: x\n", "3.5.30"), InlineData("etcd Version: 3.6.0-rc.1\n", "3.6.0")]
    [InlineData("warning\netcd Version: 3.4.23", "3.4.23"), InlineData("etcd version 3", null), InlineData("", null)]
    public void The_version_is_read_from_what_etcd_prints(string output, string? version)
    {
        EtcdProgram.VersionOf(output).ShouldBe(version is null ? null : Version.Parse(version));
    }

    [Theory]
    [InlineData("3.4.23", true), InlineData("3.4.42", false), InlineData("3.5.27", true), InlineData("3.5.28", false)]
    [InlineData("3.6.8", true), InlineData("3.6.9", false), InlineData("3.7.0", false)]
    public void A_version_with_known_faults_is_warned_of(string version, bool isWarned)
    {
        var warning = new EtcdProgram("/usr/bin/etcd", Version.Parse(version)).Warning;
        (warning is not null).ShouldBe(isWarned);
        warning?.ShouldContain("3.5.28 or newer is recommended");
    }

    [Fact]
    public async Task A_missing_an_old_and_a_wrong_program_are_refused_with_a_remedy()
    {
        using var folder = new TempFolder("etcd-program");
        (await ProblemOfAsync(folder.File("none"))).ShouldContain("apt-get install etcd-server");
        (await ProblemOfAsync(Script(folder, "old", "echo etcd Version: 3.3.25")))
            .ShouldContain("etcd 3.3.25 is too old");
        (await ProblemOfAsync(Script(folder, "wrong", "echo hello"))).ShouldContain("does not tell its version");
        (await EtcdProgram.FindAsync(
            Script(folder, "good", "echo etcd Version: 3.5.30"), TimeProvider.System, Stop)).Warning.ShouldBeNull();
    }

    [Fact]
    public void Options_that_cannot_work_are_told_with_a_remedy()
    {
        Options.Problems().ShouldBeEmpty();
        (Options with { Name = "a,b" }).Problems().First().ShouldContain("cannot name a member");
        (Options with { PeerListenUrl = "http://host:1" }).Problems().ShouldHaveSingleItem()
            .ShouldContain("IP address");
        (Options with { PeerUrl = "http://10.0.0.9:1" }).Problems().ShouldHaveSingleItem()
            .ShouldContain("lacks this member: a=http://10.0.0.9:1");
        (Options with { HeartbeatInterval = TimeSpan.FromMilliseconds(200) }).Problems().ShouldHaveSingleItem()
            .ShouldContain("at least five times");
    }

    [Fact]
    public void Endpoints_that_cannot_work_are_told_with_a_remedy()
    {
        static string[] ProblemsOf(params string[] endpoints) =>
            [.. new EtcdClientOptions { Endpoints = endpoints }.Problems()];

        ProblemsOf("https://a:2379", "http://10.0.0.1:2379", "unix:///run/x").ShouldBeEmpty();
        ProblemsOf().ShouldHaveSingleItem().ShouldContain("at least one");
        ProblemsOf("a:2379", "unix://x", "ftp://a", "http://a/b").Length.ShouldBe(4);
        new EtcdClientOptions { Endpoints = ["https://a:1"], CertificateFile = "/dev/null" }.Problems()
            .ShouldHaveSingleItem().ShouldContain("needs its key");
        new EtcdClientOptions { Endpoints = ["https://a:1"], CaFile = "/no/ca" }.Problems()
            .ShouldHaveSingleItem().ShouldContain("/no/ca: no such file");
    }

    [Theory]
    [InlineData("etcdserver: mvcc: database space exceeded", 8, true)]
    [InlineData("etcdserver: too many requests", 8, false)]
    [InlineData("etcdserver: mvcc: required revision has been compacted", 11, false)]
    public void Only_a_lack_of_space_is_called_so(string message, int code, bool isNoSpace)
    {
        new EtcdRefusedException(message, code).IsNoSpace.ShouldBe(isNoSpace);
    }

    private static async Task<string> ProblemOfAsync(string path) =>
        (await Should.ThrowAsync<EtcdStartException>(() => EtcdProgram.FindAsync(path, TimeProvider.System, Stop)))
        .Message;

    private static string Script(TempFolder folder, string name, string line)
    {
        var path = folder.Write(name, $"#!/bin/sh\n{line}\n");
        File.SetUnixFileMode(path, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
        return path;
    }
}
