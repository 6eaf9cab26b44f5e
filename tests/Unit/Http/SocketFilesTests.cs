using System.Net.Sockets;
using Praetor.Agent.Config;
using Praetor.Agent.Http;
using Shouldly;
using Support;
using Xunit;

namespace Unit.Http;

public sealed class SocketFilesTests : IDisposable
{
    private readonly TempFolder _folder = new("sockets");

    private string Path => _folder.File("agent.sock");

    private UnixDomainSocketEndPoint At => new(Path);

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void A_socket_has_its_mode_before_anybody_can_connect()
    {
        using var bound = Files(mode: "0620").Bind(At);
        ModeOf(Path).ShouldBe(Settings.ModeOf("0620"));
        using var early = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        Should.Throw<SocketException>(() => early.Connect(At));
    }

    [Fact]
    public void The_agents_own_socket_is_for_nobody_else()
    {
        using var bound = new SocketFiles(new SocketFileConfig("", "", Settings.ModeOf("0777")), Path).Bind(At);
        ModeOf(Path).ShouldBe(UnixFileMode.UserRead | UnixFileMode.UserWrite);
    }

    [Fact]
    public void A_socket_that_a_killed_process_left_is_replaced()
    {
        using (var dead = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified))
        {
            // .NET would remove the file on closing; a hard link keeps what a kill would have left.
            dead.Bind(new UnixDomainSocketEndPoint(_folder.File("dead.sock")));
            File.Move(_folder.File("dead.sock"), Path);
        }

        File.Exists(Path).ShouldBeTrue();
        using var bound = Files().Bind(At);
        bound.Listen();
        using var client = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        client.Connect(At);
    }

    [Fact]
    public void A_socket_that_is_in_use_is_left_alone()
    {
        using var live = Files().Bind(At);
        live.Listen();
        Should.Throw<IOException>(() => Files().Bind(At)).Message.ShouldContain("another process listens on");
    }

    [Fact]
    public void A_file_is_not_taken_for_a_socket()
    {
        _folder.Write("agent.sock", "precious");
        Should.Throw<IOException>(() => Files().Bind(At)).Message.ShouldContain("no socket");
        File.ReadAllText(Path).ShouldBe("precious");
    }

    [Theory]
    [InlineData("no-such-user", "", "there is no user \"no-such-user\"")]
    [InlineData("", "no-such-group", "there is no group \"no-such-group\"")]
    public void An_owner_who_is_not_there_is_named_and_nothing_stays_behind(string user, string group, string why)
    {
        Should.Throw<IOException>(() => Files(user, group).Bind(At)).Message.ShouldContain(why);
        File.Exists(Path).ShouldBeFalse();
    }

    [Fact]
    public void An_owner_is_a_name_or_a_number()
    {
        // Who runs the test may give files to himself.
        using var byName = Files(Environment.UserName).Bind(At);
        byName.Dispose();
        if (Environment.UserName == "root")
        {
            using var byNumber = Files("65534", "65534").Bind(At);
        }
    }

    [Theory]
    [InlineData("0660", true)]
    [InlineData("777", true)]
    [InlineData("0999", false)]
    [InlineData("rw", false)]
    [InlineData("77777", false)]
    public void A_mode_is_octal(string text, bool isMode) => (Settings.ModeOf(text) is not null).ShouldBe(isMode);

    private static SocketFiles Files(string user = "", string group = "", string mode = "") =>
        new(new SocketFileConfig(user, group, Settings.ModeOf(mode)), null);

    private static UnixFileMode? ModeOf(string path) =>
        OperatingSystem.IsWindows() ? null : File.GetUnixFileMode(path);
}
