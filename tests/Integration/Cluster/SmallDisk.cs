using System.Diagnostics;
using Support;
using Xunit;

namespace Integration.Cluster;

/// <summary>A small file system in memory, that can be filled to its last byte. Needs root.</summary>
internal sealed class SmallDisk : IDisposable
{
    private const int Chunk = 1 << 20;

    private readonly TempFolder _folder = new("small-disk");

    private SmallDisk(int megabytes) => Run("mount", "-t", "tmpfs", "-o", $"size={megabytes}m", "praetor-test", Path);

    /// <summary>Where it is.</summary>
    public string Path => _folder.Path;

    private string Ballast => _folder.File("ballast");

    /// <summary>Makes one; skips the test where that is not allowed.</summary>
    public static SmallDisk Mount(int megabytes)
    {
        Assert.SkipUnless(Environment.UserName == "root", "needs root, to mount a small file system");
        return new SmallDisk(megabytes);
    }

    /// <summary>Takes all the room there is.</summary>
    public void Fill()
    {
        using var file = new FileStream(Ballast, FileMode.Append, FileAccess.Write, FileShare.None, bufferSize: 0);
        var chunk = new byte[Chunk];
        for (var size = chunk.Length; size > 0;)
        {
            try
            {
                file.Write(chunk, 0, size);
            }
            catch (IOException)
            {
                size /= 2;
            }
        }
    }

    /// <summary>Gives the room back.</summary>
    public void Free() => File.Delete(Ballast);

    public void Dispose()
    {
        Run("umount", "--lazy", Path);
        _folder.Dispose();
    }

    private static void Run(string program, params string[] arguments)
    {
        using var process = Process.Start(new ProcessStartInfo(program, arguments) { UseShellExecute = false })!;
        process.WaitForExit();
        if (process.ExitCode != 0)
        {
            throw new InvalidOperationException($"{program} {string.Join(' ', arguments)}: code {process.ExitCode}");
        }
    }
}
