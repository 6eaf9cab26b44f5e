using System.Diagnostics;
using System.Globalization;
using Shouldly;
using Support;
using Xunit;

namespace Integration.Faults;

/// <summary>All machines lose their power at once: the disk is as the last sync left it, and what was acknowledged is
/// on it.</summary>
/// <remarks>The servers' data stands on ext4 in a file. The file is copied while all processes stand still: it has what
/// they synced, and of the rest what the kernel happened to write. The copy is what the next round begins from.
/// </remarks>
public sealed class PowerLossTests : IDisposable
{
    private const string DiskSize = "1500M";
    private static readonly bool IsLong = Environment.GetEnvironmentVariable("PRAETOR_LONG") == "1";
    private static readonly int Images = int.TryParse(
        Environment.GetEnvironmentVariable("PRAETOR_IMAGES"), CultureInfo.InvariantCulture, out var set)
        ? set : IsLong ? 50 : 1;

    private static readonly TimeSpan Soon = TimeSpan.FromSeconds(120);

    private readonly TempFolder _folder = new("power");
    private bool _isMounted;

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    private string Disk => _folder.File("disk");

    public void Dispose()
    {
        Unmount();
        _folder.Dispose();
    }

    [Fact]
    public async Task Nothing_is_lost_when_the_power_fails()
    {
        Assert.SkipWhen(FaultLab.Missing is not null, FaultLab.Missing ?? "");
        var image = _folder.File("0.img");
        Run("truncate", "-s", DiskSize, image).ShouldBe(0);
        Run("mkfs.ext4", "-q", "-F", "-E", "lazy_itable_init=0,lazy_journal_init=0", image).ShouldBe(0);
        Assert.SkipUnless(Mount(image), "needs loop devices, to mount a file as a disk");
        await using var lab = await FaultLab.MakeAsync(name => Path.Combine(Disk, name));
        await lab.StartAsync(Stop);
        var random = new Random(1);
        var total = 0L;
        for (var round = 1; round <= Images; round++)
        {
            IReadOnlyDictionary<string, long> acknowledged;
            var copy = _folder.File($"{round}.img");
            var prefix = $"power-{round}/";
            await using (var writes = new AckedWrites(lab, prefix))
            {
                writes.Start();
                await Eventually.HoldsAsync("some is written", Soon, () => Task.FromResult(writes.Count > 200), Stop);
                await Task.Delay(TimeSpan.FromMilliseconds(random.Next(1500)), TimeProvider.System, Stop);
                acknowledged = writes.Acknowledged();
                total += writes.Count;
                lab.Servers.ToList().ForEach(static s => s.Stop(agent: true, etcd: true));
                Run("cp", "--sparse=always", image, copy).ShouldBe(0);
                foreach (var server in lab.Servers)
                {
                    server.ContinueAll();
                    await server.KillAsync();
                }
            }

            Unmount();
            File.Delete(image);
            image = copy;
            Mount(image).ShouldBeTrue();
            await lab.HealAsync();
            await lab.ReadyAsync(Stop);
            await using var check = new AckedWrites(lab, prefix);
            await check.CheckAsync(acknowledged, lab.ProbeOf(lab.Servers[round % 3]), $"image {round}");
        }

        TestContext.Current.TestOutputHelper?.WriteLine($"{Images} images, {total} acknowledged writes");
    }

    private bool Mount(string image)
    {
        Directory.CreateDirectory(Disk);
        _isMounted = Run("mount", "-o", "loop", image, Disk) == 0;
        return _isMounted;
    }

    private void Unmount()
    {
        if (_isMounted)
        {
            _isMounted = false;
            Run("umount", Disk).ShouldBe(0);
        }
    }

    private static int Run(string command, params string[] arguments)
    {
        using var process = Process.Start(new ProcessStartInfo(command, arguments) { UseShellExecute = false })!;
        process.WaitForExit();
        return process.ExitCode;
    }
}
