using System.Runtime.Versioning;
using Praetor.Agent.Cluster;
using Shouldly;
using Support;
using Xunit;

namespace Unit.Etcd;

[SupportedOSPlatform("linux")]
public sealed class EtcdFolderTests : IDisposable
{
    private readonly TempFolder _temp = new("etcd-folder");

    private string Path => _temp.File("etcd");

    [Fact]
    public void A_new_folder_can_be_entered_by_its_owner_only()
    {
        EtcdFolder.Claim(Path, "n1", "t1").HasData.ShouldBeFalse();
        File.GetUnixFileMode(Path).ShouldBe(
            UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
    }

    [Fact]
    public void A_folder_that_others_could_enter_is_closed_to_them()
    {
        EtcdFolder.Claim(Path, "n1", "t1");
        File.SetUnixFileMode(Path, File.GetUnixFileMode(Path) | UnixFileMode.OtherExecute);
        EtcdFolder.Claim(Path, "n1", "t1");
        File.GetUnixFileMode(Path).HasFlag(UnixFileMode.OtherExecute).ShouldBeFalse();
    }

    [Fact]
    public void The_same_node_gets_its_data_again()
    {
        WithData();
        EtcdFolder.Claim(Path, "n1", "t1").HasData.ShouldBeTrue();
        EtcdFolder.HasDataIn(Path).ShouldBeTrue();
    }

    [Theory, InlineData("n2", "t1"), InlineData("n1", "t2")]
    public void Data_of_another_node_or_cluster_is_refused(string node, string token)
    {
        WithData();
        Should.Throw<EtcdStartException>(() => EtcdFolder.Claim(Path, node, token)).Message.ShouldBe(
            $"{Path}: holds etcd's data of node n1 of cluster t1, but this is node {node} of cluster {token}: name "
            + "another data_dir, or remove the folder when its data is not needed any more");
    }

    [Fact]
    public void Data_that_nobody_has_marked_as_ours_is_refused()
    {
        _temp.Write("etcd/data/member/wal/0.wal", "somebody's");
        Should.Throw<EtcdStartException>(() => EtcdFolder.Claim(Path, "n1", "t1")).Message
            .ShouldContain("holds data that this agent did not put there");
        File.Exists(System.IO.Path.Combine(Path, "owner")).ShouldBeFalse();
    }

    [Fact]
    public void A_link_to_a_folder_is_refused()
    {
        EtcdFolder.Claim(Path, "n1", "t1");
        var link = _temp.File("link");
        Directory.CreateSymbolicLink(link, Path);
        Should.Throw<EtcdStartException>(() => EtcdFolder.Claim(link, "n1", "t1")).Message
            .ShouldContain("is a link to");
    }

    [Fact]
    public void Removed_data_is_gone_and_the_folder_is_free_for_a_new_member()
    {
        var folder = WithData();
        folder.RemoveData();
        folder.HasData.ShouldBeFalse();
        Directory.EnumerateFileSystemEntries(Path).ShouldBeEmpty();
        EtcdFolder.Claim(Path, "n1", "t2").HasData.ShouldBeFalse();
    }

    [Fact]
    public void What_a_crash_left_of_a_removal_is_removed_with_the_next_claim()
    {
        EtcdFolder.Claim(Path, "n1", "t1");
        _temp.Write("etcd/removed-1/member/x", "old");
        EtcdFolder.Claim(Path, "n1", "t1");
        Directory.Exists(_temp.File("etcd/removed-1")).ShouldBeFalse();
    }

    [Fact]
    public void A_socket_whose_path_would_be_too_long_stands_in_a_private_folder()
    {
        using (var near = new EtcdSocket("/var/lib/praetor/etcd"))
        {
            near.File.ShouldBe("/var/lib/praetor/etcd/client:0");
        }

        string folder;
        using (var far = new EtcdSocket("/" + new string('x', 120)))
        {
            folder = far.Folder;
            far.File.Length.ShouldBeLessThan(107);
            (File.GetUnixFileMode(folder) & (UnixFileMode.GroupExecute | UnixFileMode.OtherExecute))
                .ShouldBe(UnixFileMode.None);
        }

        Directory.Exists(folder).ShouldBeFalse();
    }

    public void Dispose() => _temp.Dispose();

    private EtcdFolder WithData()
    {
        var folder = EtcdFolder.Claim(Path, "n1", "t1");
        Directory.CreateDirectory(System.IO.Path.Combine(folder.Data, "member", "wal"));
        return folder;
    }
}
