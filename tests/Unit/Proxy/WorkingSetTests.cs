using System.Text;
using Praetor.Proxy.Native;
using Shouldly;
using Xunit;

namespace Unit.Proxy;

public sealed class WorkingSetTests
{
    [Fact]
    public void Only_what_is_a_files_alone_and_cannot_be_written_is_given_back()
    {
        var mappings = new CleanMappings();
        foreach (var line in (string[])[
            "7f0000000000-7f0000010000 r-xp 00001000 fe:00 42                         /usr/lib/code of x.so",
            "Rss:                  60 kB",
            "Anonymous:             0 kB",
            "7f0000020000-7f0000030000 r--p 00001000 fe:00 42                         /usr/lib/relocated.so",
            "Anonymous:             4 kB",
            "7f0000040000-7f0000050000 rw-p 00001000 fe:00 42                         /usr/lib/written.so",
            "Anonymous:             0 kB",
            "7f0000060000-7f0000070000 r-xs 00000000 00:01 7                          /memfd:code (deleted)",
            "Anonymous:             0 kB",
            "7f0000080000-7f0000090000 r-xp 00000000 fe:00 8                          /usr/lib/old.so (deleted)",
            "Anonymous:             0 kB",
            "7f00000a0000-7f00000b0000 r--p 00000000 00:00 0 ",
            "Anonymous:             0 kB",
            "7f00000c0000-7f00000d0000 r-xp 00000000 00:00 0                          [vdso]",
            "Anonymous:             0 kB",
            "7f00000e0000 nonsense", "7f00000e0000-", "", "Anonymous:             0 kB",
        ])
        {
            mappings.TakeLine(Encoding.UTF8.GetBytes(line));
        }

        mappings.Found.ShouldBe([new Mapping(0x7f0000000000, 0x7f0000010000, 0x1000, 42)]);
    }

    [Fact]
    public void A_process_finds_the_files_that_it_is_made_of()
    {
        if (OperatingSystem.IsLinux())
        {
            CleanMappings.OfThisProcess()!.Found.Count.ShouldBeGreaterThan(10);
        }
    }

    [Fact]
    public void What_was_given_back_comes_again_when_it_is_used()
    {
        if (!OperatingSystem.IsLinux())
        {
            return;
        }

        foreach (var mapping in CleanMappings.OfThisProcess()!.Found)
        {
            LibC.Advise((nint)mapping.Start, (nuint)(mapping.End - mapping.Start), LibC.AdviceDontNeed).ShouldBe(0);
        }

        string.Join(',', Enumerable.Range(0, 5).Select(static n => $"{n * n}")).ShouldBe("0,1,4,9,16");
    }
}
