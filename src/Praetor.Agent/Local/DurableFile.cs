using System.Runtime.InteropServices;
using Microsoft.Win32.SafeHandles;

namespace Praetor.Agent.Local;

/// <summary>
/// Writes small files so that after a crash there is the old content or the new, never a mixture or nothing.
/// </summary>
/// <remarks>
/// The content goes to a file beside the target, is brought to disk, takes the target's name, and then the folder with
/// its
/// new entry is brought to disk too. fsync is called directly, because the runtime's own flush hides its failures:
/// after a
/// failed fsync nothing may be believed to be stored. One writer per path at a time.
/// </remarks>
public static partial class DurableFile
{
    /// <summary>Ends the name of the file that is being written; one that a crash left behind is overwritten.</summary>
    public const string TemporarySuffix = ".tmp";

    private const UnixFileMode OwnerOnly = UnixFileMode.UserRead | UnixFileMode.UserWrite;
    private const UnixFileMode OwnerFolder = OwnerOnly | UnixFileMode.UserExecute;

    // O_RDONLY | O_CLOEXEC, the same number on every architecture that .NET runs on under Linux.
    private const int OpenForSync = 0x80000;
    private const int Interrupted = 4;

    /// <summary>Replaces the file, readable by its owner only.</summary>
    /// <exception cref="IOException">It could not be stored; the old content is still there.</exception>
    public static void Write(string path, ReadOnlySpan<byte> content)
    {
        var temporary = path + TemporarySuffix;
        try
        {
            File.Delete(temporary);
            using (var file = new FileStream(temporary, OptionsOf()))
            {
                file.Write(content);
                Sync(file.SafeFileHandle, temporary);
            }

            File.Move(temporary, path, overwrite: true);
        }
        catch (Exception failure) when (failure is IOException or UnauthorizedAccessException)
        {
            throw new IOException($"{path}: cannot be written: {failure.Message}", failure);
        }

        SyncFolder(FolderOf(path));
    }

    /// <summary>Gives a file that was written beside its place the place's name, once all of it is on disk.</summary>
    /// <exception cref="IOException">It could not be stored; what was at the place is still there.</exception>
    public static void Keep(string temporary, string path)
    {
        using (var file = Open(temporary, OpenForSync))
        {
            if (file.IsInvalid)
            {
                throw Failed(temporary, "cannot be opened for fsync", Marshal.GetLastPInvokeError());
            }

            Sync(file, temporary);
        }

        try
        {
            File.Move(temporary, path, overwrite: true);
        }
        catch (Exception failure) when (failure is IOException or UnauthorizedAccessException)
        {
            throw new IOException($"{path}: cannot be written: {failure.Message}", failure);
        }

        SyncFolder(FolderOf(path));
    }

    /// <summary>Removes the file for good; nothing happens when there is none.</summary>
    /// <exception cref="IOException">It could not be removed, or may be back after a crash.</exception>
    public static void Delete(string path)
    {
        if (!File.Exists(path))
        {
            return;
        }

        try
        {
            File.Delete(path);
        }
        catch (Exception failure) when (failure is IOException or UnauthorizedAccessException)
        {
            throw new IOException($"{path}: cannot be removed: {failure.Message}", failure);
        }

        SyncFolder(FolderOf(path));
    }

    /// <summary>
    /// Makes a folder, and those above it, that only their owner may enter; one that exists keeps its mode.
    /// </summary>
    /// <exception cref="IOException">It cannot be made, or a file has its name.</exception>
    public static void CreateFolder(string path)
    {
        if (Directory.Exists(path))
        {
            return;
        }

        try
        {
            if (OperatingSystem.IsWindows())
            {
                Directory.CreateDirectory(path);
            }
            else
            {
                Directory.CreateDirectory(path, OwnerFolder);
            }
        }
        catch (Exception failure) when (failure is IOException or UnauthorizedAccessException)
        {
            throw new IOException($"{path}: the folder cannot be made: {failure.Message}", failure);
        }

        SyncFolder(FolderOf(path));
    }

    private static FileStreamOptions OptionsOf()
    {
        var options = new FileStreamOptions { Mode = FileMode.CreateNew, Access = FileAccess.Write, BufferSize = 0 };
        if (!OperatingSystem.IsWindows())
        {
            options.UnixCreateMode = OwnerOnly;
        }

        return options;
    }

    private static string FolderOf(string path) =>
        Path.GetDirectoryName(Path.GetFullPath(Path.TrimEndingDirectorySeparator(path))) ?? "/";

    private static void SyncFolder(string folder)
    {
        using var handle = Open(folder, OpenForSync);
        if (handle.IsInvalid)
        {
            throw Failed(folder, "cannot be opened for fsync", Marshal.GetLastPInvokeError());
        }

        Sync(handle, folder);
    }

    private static void Sync(SafeFileHandle handle, string path)
    {
        while (Fsync(handle) != 0)
        {
            var error = Marshal.GetLastPInvokeError();
            if (error != Interrupted)
            {
                throw Failed(path, "fsync failed, nothing written is certain", error);
            }
        }
    }

    private static IOException Failed(string path, string what, int error) =>
        new($"{path}: {what}: {Marshal.GetPInvokeErrorMessage(error)} (errno {error})", error);

    [LibraryImport("libc", EntryPoint = "fsync", SetLastError = true)]
    private static partial int Fsync(SafeFileHandle file);

    [LibraryImport("libc", EntryPoint = "open", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    private static partial SafeFileHandle Open(string path, int flags);
}
