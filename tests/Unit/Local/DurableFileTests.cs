using System.Runtime.Versioning;
using Praetor.Agent.Local;
using Shouldly;
using Xunit;

namespace Unit.Local;

[UnsupportedOSPlatform("windows")]
public sealed class DurableFileTests : IDisposable
{
    private const UnixFileMode Owner = UnixFileMode.UserRead | UnixFileMode.UserWrite;
    private readonly string _folder = Directory.CreateTempSubdirectory("praetor-").FullName;

    [Fact]
    public void A_file_is_replaced_whole_and_only_its_owner_may_read_it()
    {
        var path = Path.Combine(_folder, "a");
        File.WriteAllText(path + DurableFile.TemporarySuffix, "left behind by a crash");
        DurableFile.Write(path, "first, and longer"u8);
        DurableFile.Write(path, "second"u8);
        File.ReadAllText(path).ShouldBe("second");
        Directory.GetFiles(_folder).ShouldBe([path]);
        File.GetUnixFileMode(path).ShouldBe(Owner);
    }

    [Fact]
    public void A_failure_names_the_file_and_keeps_the_old_content()
    {
        var path = Path.Combine(_folder, "a");
        DurableFile.Write(path, "old"u8);
        Directory.CreateDirectory(path + DurableFile.TemporarySuffix);
        Should.Throw<IOException>(() => DurableFile.Write(path, "new"u8)).Message.ShouldStartWith($"{path}: cannot be");
        File.ReadAllText(path).ShouldBe("old");
    }

    [Fact]
    public void A_missing_folder_is_an_error_that_names_the_file()
    {
        var path = Path.Combine(_folder, "no", "a");
        Should.Throw<IOException>(() => DurableFile.Write(path, "x"u8)).Message.ShouldStartWith($"{path}: cannot be");
    }

    [Fact]
    public void A_removed_file_is_gone_and_removing_it_again_is_no_error()
    {
        var path = Path.Combine(_folder, "a");
        DurableFile.Write(path, "x"u8);
        DurableFile.Delete(path);
        DurableFile.Delete(path);
        File.Exists(path).ShouldBeFalse();
    }

    [Fact]
    public void A_new_data_folder_belongs_to_its_owner_alone()
    {
        var path = Path.Combine(_folder, "x", "data");
        DurableFile.CreateFolder(path);
        File.GetUnixFileMode(path).ShouldBe(Owner | UnixFileMode.UserExecute);
        DurableFile.CreateFolder(path);
    }

    [Fact]
    public void A_file_in_the_place_of_the_data_folder_is_an_error()
    {
        var path = Path.Combine(_folder, "data");
        File.WriteAllText(path, "");
        Should.Throw<IOException>(() => DurableFile.CreateFolder(path)).Message.ShouldStartWith($"{path}: the folder");
    }

    [Fact]
    public void A_new_node_gets_a_random_id_and_keeps_it()
    {
        var data = Path.Combine(_folder, "data");
        var id = NodeId.LoadOrCreate(data, null);
        id.ShouldMatch("^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$");
        File.ReadAllText(Path.Combine(data, "node-id")).ShouldBe(id);
        NodeId.LoadOrCreate(data, null).ShouldBe(id);
        NodeId.LoadOrCreate(null, null).ShouldNotBe(id);
    }

    [Fact]
    public void A_configured_id_wins_and_is_not_kept()
    {
        NodeId.LoadOrCreate(_folder, "0EC9EE1E-D4C5-4FE6-BDE3-0E4E3B0F3AAA")
            .ShouldBe("0ec9ee1e-d4c5-4fe6-bde3-0e4e3b0f3aaa");
        Directory.GetFiles(_folder).ShouldBeEmpty();
    }

    [Fact]
    public void A_kept_id_is_read_whatever_its_case_and_white_space()
    {
        File.WriteAllText(Path.Combine(_folder, "node-id"), " 0EC9EE1E-D4C5-4FE6-BDE3-0E4E3B0F3AAA\n");
        NodeId.LoadOrCreate(_folder, null).ShouldBe("0ec9ee1e-d4c5-4fe6-bde3-0e4e3b0f3aaa");
    }

    [Theory]
    [InlineData("")]
    [InlineData("garbage")]
    public void A_damaged_id_is_never_silently_replaced(string content)
    {
        File.WriteAllText(Path.Combine(_folder, "node-id"), content);
        Should.Throw<FormatException>(() => NodeId.LoadOrCreate(_folder, null)).Message
            .ShouldStartWith($"NodeID in {_folder}/node-id is invalid: ");
        Should.Throw<FormatException>(() => NodeId.LoadOrCreate(_folder, "xyz")).Message
            .ShouldStartWith("specified NodeID is invalid: ");
    }

    [Fact]
    public void The_id_of_a_machine_is_spread_as_consul_does_it()
    {
        NodeId.OfHost("3d1219c7c4c5404aaa1f6d2a48adfda4\n").ShouldBe("333a158e-0d38-e425-ad6a-b7db4732c648");
        NodeId.OfHost("no machine").ShouldBeNull();
    }

    public void Dispose() => Directory.Delete(_folder, recursive: true);
}
