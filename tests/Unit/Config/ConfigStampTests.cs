using Praetor.Agent.Config;
using Shouldly;
using Xunit;

namespace Unit.Config;

public sealed class ConfigStampTests : IDisposable
{
    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("stamp-");

    public void Dispose() => _folder.Delete(recursive: true);

    [Fact]
    public void It_stays_the_same_while_nobody_changes_anything()
    {
        Write("a.hcl", "x = 1");
        var stamp = ConfigStamp.Of([_folder.FullName, At("a.hcl"), At("not there")]);
        stamp.Again().Text.ShouldBe(stamp.Text);
    }

    [Fact]
    public void Another_size_a_new_file_one_that_is_gone_and_one_that_comes_are_seen()
    {
        Write("a.hcl", "x = 1");
        var folder = ConfigStamp.Of([_folder.FullName]);
        var named = ConfigStamp.Of([At("later.hcl")]);

        Write("a.hcl", "x = 12");
        folder = Changed(folder);
        Write("later.hcl", "");
        folder = Changed(folder);
        Changed(named);
        File.Delete(At("a.hcl"));
        folder = Changed(folder);
        _folder.Delete(recursive: true);
        Changed(folder);
        _folder.Create();
    }

    [Fact]
    public void A_link_that_is_led_elsewhere_is_seen()
    {
        Write("one", "x = 1");
        Write("two", "x = 2");
        File.SetLastWriteTimeUtc(At("two"), File.GetLastWriteTimeUtc(At("one")));
        File.CreateSymbolicLink(At("link.hcl"), At("one"));
        var stamp = ConfigStamp.Of([At("link.hcl")]);

        File.Delete(At("link.hcl"));
        File.CreateSymbolicLink(At("link.hcl"), At("two"));

        Changed(stamp);
    }

    [Fact]
    public void A_folder_whose_link_is_led_elsewhere_is_seen_even_if_all_in_it_looks_the_same()
    {
        var when = DateTime.UnixEpoch;
        foreach (var folder in (string[])["one", "two"])
        {
            Directory.CreateDirectory(At(folder));
            Write(Path.Combine(folder, "a.hcl"), "x = 1");
            File.SetLastWriteTimeUtc(At(Path.Combine(folder, "a.hcl")), when);
        }

        Directory.CreateSymbolicLink(At("link"), At("one"));
        var stamp = ConfigStamp.Of([At("link")]);

        Directory.Delete(At("link"));
        Directory.CreateSymbolicLink(At("link"), At("two"));

        Changed(stamp);
    }

    private static ConfigStamp Changed(ConfigStamp before)
    {
        var now = before.Again();
        now.Text.ShouldNotBe(before.Text);
        return now;
    }

    private string At(string name) => Path.Combine(_folder.FullName, name);

    private void Write(string name, string text) => File.WriteAllText(At(name), text);
}
