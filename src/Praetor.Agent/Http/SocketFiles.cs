using System.Globalization;
using System.Net;
using System.Net.Sockets;
using System.Runtime.InteropServices;
using Microsoft.AspNetCore.Server.Kestrel.Transport.Sockets;
using Praetor.Agent.Config;

namespace Praetor.Agent.Http;

/// <summary>Binds listeners; Unix sockets take the place of one that was left behind, and belong to whom the
/// configuration says before anybody can connect.</summary>
/// <param name="config">Whom sockets belong to. Null: who runs the process.</param>
/// <param name="own">The path of one that nobody else may connect to. Null: there is none.</param>
internal sealed partial class SocketFiles(SocketFileConfig? config, string? own)
{
    // Leaves an owner as it is.
    private const uint Unchanged = uint.MaxValue;

    private static readonly SocketFileConfig OwnerOnly = new("", "", UnixFileMode.UserRead | UnixFileMode.UserWrite);

    /// <summary>Gives a socket that is bound and does not listen yet.</summary>
    /// <exception cref="IOException">Something else has the path, or the owner cannot be set.</exception>
    public Socket Bind(EndPoint endPoint)
    {
        if (endPoint is not UnixDomainSocketEndPoint unix)
        {
            return SocketTransportOptions.CreateDefaultBoundListenSocket(endPoint);
        }

        var path = unix.ToString()!;
        RemoveLeftBehind(path, unix);
        var socket = SocketTransportOptions.CreateDefaultBoundListenSocket(unix);
        try
        {
            if ((path == own ? OwnerOnly : config) is { } owner)
            {
                Give(path, owner);
            }

            return socket;
        }
        catch
        {
            socket.Dispose();
            File.Delete(path);
            throw;
        }
    }

    // A process that was killed leaves its socket; one that lives would lose its clients without noticing.
    private static void RemoveLeftBehind(string path, UnixDomainSocketEndPoint unix)
    {
        if (Directory.Exists(path) || IsFile(path))
        {
            throw new IOException($"{path} is there and no socket; remove it, or name another path");
        }

        if (!File.Exists(path))
        {
            return;
        }

        using var probe = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        try
        {
            probe.Connect(unix);
        }
        catch (SocketException)
        {
            File.Delete(path);
            return;
        }

        throw new IOException($"another process listens on {path}; end it, or name another path");
    }

    // A socket cannot be opened.
    private static bool IsFile(string path)
    {
        try
        {
            File.OpenHandle(path).Dispose();
            return true;
        }
        catch (IOException)
        {
            return false;
        }
    }

    private static void Give(string path, SocketFileConfig owner)
    {
        if (OperatingSystem.IsWindows())
        {
            return;
        }

        var user = IdOf(owner.User, "user", GetUser);
        var group = IdOf(owner.Group, "group", GetGroup);
        if ((user != Unchanged || group != Unchanged) && ChangeOwner(path, user, group) != 0)
        {
            var why = Marshal.GetPInvokeErrorMessage(Marshal.GetLastPInvokeError());
            throw new IOException($"{path} cannot be given to {owner.User}:{owner.Group}: {why}; "
                + "set unix_sockets.user and unix_sockets.group to what this user may give away");
        }

        if (owner.Mode is { } mode)
        {
            File.SetUnixFileMode(path, mode);
        }
    }

    private static uint IdOf(string name, string what, Func<string, nint> find)
    {
        if (name.Length == 0)
        {
            return Unchanged;
        }

        if (uint.TryParse(name, NumberStyles.None, CultureInfo.InvariantCulture, out var id))
        {
            return id;
        }

        // The name and the password, both pointers, stand before the id, for users and groups alike.
        var entry = find(name);
        return entry != 0
            ? (uint)Marshal.ReadInt32(entry, 2 * nint.Size)
            : throw new IOException($"unix_sockets.{what}: there is no {what} \"{name}\"; "
                + "name one of this machine, or give its number");
    }

    [LibraryImport("libc", EntryPoint = "getpwnam", StringMarshalling = StringMarshalling.Utf8)]
    private static partial nint GetUser(string name);

    [LibraryImport("libc", EntryPoint = "getgrnam", StringMarshalling = StringMarshalling.Utf8)]
    private static partial nint GetGroup(string name);

    [LibraryImport("libc", EntryPoint = "lchown", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    private static partial int ChangeOwner(string path, uint user, uint group);
}
