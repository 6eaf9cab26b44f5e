using System.Text;

namespace Praetor.Agent.Cluster;

/// <summary>The socket over which the agent, and nobody else, talks to its etcd.</summary>
/// <remarks>
/// etcd wants a host and a port even of a Unix socket, and takes both together for the name of a file in its working
/// directory; a path it refuses. So it is started in the socket's folder. That is the member's own folder, or, when the
/// path would be longer than a socket's may be, a private one among the temporary files.
/// </remarks>
internal sealed class EtcdSocket : IDisposable
{
    /// <summary>The socket's name in its folder.</summary>
    public const string FileName = "client:0";

    /// <summary>As etcd is told it.</summary>
    public const string Url = "unix://" + FileName;

    // sockaddr_un has room for 108 bytes, and the last is a zero.
    private const int PathBytesMax = 107;

    private readonly bool _isTemporary;

    /// <param name="folder">Where it is when its path is short enough.</param>
    public EtcdSocket(string folder)
    {
        _isTemporary = Encoding.UTF8.GetByteCount(Path.Combine(folder, FileName)) > PathBytesMax;
        Folder = _isTemporary ? Directory.CreateTempSubdirectory("praetor-etcd-").FullName : folder;
    }

    /// <summary>The folder it is in, which only we may enter.</summary>
    public string Folder { get; }

    /// <summary>The socket.</summary>
    public string File => Path.Combine(Folder, FileName);

    public void Dispose()
    {
        try
        {
            if (_isTemporary)
            {
                Directory.Delete(Folder, recursive: true);
            }
        }
        catch (Exception failure) when (failure is IOException or UnauthorizedAccessException)
        {
            // An empty folder among the temporary files; the system's cleaner takes it.
        }
    }
}
