using System.Buffers.Binary;
using System.Runtime.InteropServices;
using System.Text;
using Praetor.Agent.Local;

namespace Praetor.Agent.Cluster;

/// <summary>The folder of one member of etcd: nobody but us may enter it, and nobody else's data is taken for
/// ours.</summary>
/// <remarks>
/// A file <c>owner</c> beside the data says which node of which cluster it belongs to. A data folder that was copied
/// with a machine's image, or belongs to an etcd that somebody else runs, would make a member that votes with another's
/// memory; so what is not marked as ours is refused, never adopted.
/// </remarks>
internal sealed partial class EtcdFolder
{
    private const UnixFileMode Private = UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute;
    private const string RemovedPrefix = "removed-";
    private const int NotFollowed = 0x100;
    private const int CurrentFolder = -100;
    private const uint MaskUser = 0x8;
    private const int StatBytes = 256;
    private const int StatUserAt = 20;

    private readonly string _owner;

    private EtcdFolder(string path)
    {
        Path = path;
        _owner = System.IO.Path.Combine(path, "owner");
    }

    /// <summary>The folder.</summary>
    public string Path { get; }

    /// <summary>What etcd calls its data directory.</summary>
    public string Data => System.IO.Path.Combine(Path, "data");

    /// <summary>Whether a member has been in it: then it comes back as that member, and nothing else.</summary>
    public bool HasData => Directory.Exists(System.IO.Path.Combine(Data, "member"));

    /// <summary>Makes the folder, or takes the one that this node made for this cluster.</summary>
    /// <exception cref="EtcdStartException">It is not ours, or cannot be used.</exception>
    public static EtcdFolder Claim(string path, string nodeId, string clusterToken)
    {
        var folder = new EtcdFolder(System.IO.Path.GetFullPath(path));
        try
        {
            folder.MakePrivate();
            folder.CheckOwner($"node {nodeId}\ncluster {clusterToken}\n");
            folder.DeleteRemoved();
        }
        catch (Exception failure) when (failure is IOException or UnauthorizedAccessException)
        {
            throw new EtcdStartException($"{path}: cannot be etcd's folder: {failure.Message}", failure);
        }

        return folder;
    }

    /// <summary>Whether there is data of a member in a folder; it need not be ours.</summary>
    public static bool HasDataIn(string path) => new EtcdFolder(path).HasData;

    /// <summary>Removes the member's data, for one that was taken out of the cluster and shall come back as a new
    /// one. The member does not run.</summary>
    /// <remarks>The data is first renamed, so that a crash never leaves half of it behind as a member's.</remarks>
    /// <exception cref="EtcdStartException">It cannot be removed.</exception>
    public void RemoveData()
    {
        try
        {
            if (Directory.Exists(Data))
            {
                Directory.Move(Data, System.IO.Path.Combine(Path, RemovedPrefix + Guid.NewGuid().ToString("N")));
            }

            DurableFile.Delete(_owner);
            DeleteRemoved();
        }
        catch (Exception failure) when (failure is IOException or UnauthorizedAccessException)
        {
            throw new EtcdStartException($"{Data}: etcd's data cannot be removed: {failure.Message}", failure);
        }
    }

    private void MakePrivate()
    {
        DurableFile.CreateFolder(Path);
        if (new DirectoryInfo(Path).LinkTarget is { } target)
        {
            throw new EtcdStartException($"{Path}: is a link to {target}: etcd's folder must be a folder itself");
        }

        if (UserOf(Path) is { } user && user != EffectiveUser())
        {
            throw new EtcdStartException(
                $"{Path}: belongs to the user with id {user}, and this agent runs as {EffectiveUser()}: give it to the "
                + "agent's user (chown -R), or name another data_dir");
        }

        if (!OperatingSystem.IsWindows() && File.GetUnixFileMode(Path) != Private)
        {
            File.SetUnixFileMode(Path, Private);
        }
    }

    private void CheckOwner(string claim)
    {
        if (File.Exists(_owner))
        {
            var told = File.ReadAllText(_owner);
            if (told != claim)
            {
                throw new EtcdStartException(
                    $"{Path}: holds etcd's data of {OneLine(told)}, but this is {OneLine(claim)}: name another "
                    + "data_dir, or remove the folder when its data is not needed any more");
            }

            return;
        }

        if (Directory.EnumerateFileSystemEntries(Path).Any(IsForeign))
        {
            throw new EtcdStartException(
                $"{Path}: holds data that this agent did not put there (no file 'owner'): name another data_dir, or "
                + "move the folder away");
        }

        DurableFile.Write(_owner, Encoding.UTF8.GetBytes(claim));
    }

    private static bool IsForeign(string path)
    {
        var name = System.IO.Path.GetFileName(path);
        return name != "owner" + DurableFile.TemporarySuffix
            && !name.StartsWith(RemovedPrefix, StringComparison.Ordinal)
            && name != EtcdSocket.FileName;
    }

    private void DeleteRemoved()
    {
        foreach (var removed in Directory.GetDirectories(Path, RemovedPrefix + "*"))
        {
            Directory.Delete(removed, recursive: true);
        }
    }

    private static string OneLine(string owner) => owner.Trim().Replace("\n", " of ", StringComparison.Ordinal);

    // struct statx is the same on every architecture; the user's id stands at its byte 20.
    private static uint? UserOf(string path)
    {
        if (!OperatingSystem.IsLinux())
        {
            return null;
        }

        Span<byte> stat = stackalloc byte[StatBytes];
        return Statx(CurrentFolder, path, NotFollowed, MaskUser, ref MemoryMarshal.GetReference(stat)) == 0
            ? BinaryPrimitives.ReadUInt32LittleEndian(stat[StatUserAt..])
            : throw new IOException(Marshal.GetLastPInvokeErrorMessage());
    }

    [LibraryImport("libc", EntryPoint = "statx", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    private static partial int Statx(int folder, string path, int flags, uint mask, ref byte stat);

    [LibraryImport("libc", EntryPoint = "geteuid")]
    private static partial uint EffectiveUser();
}
