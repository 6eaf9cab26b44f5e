using System.Security.Cryptography;
using System.Text;

namespace Praetor.Agent.Local;

/// <summary>The id by which a node is known whatever its name: a UUID in lower case, kept in the data folder.</summary>
public static class NodeId
{
    /// <summary>The file in the data folder; Consul's name and format, so that a migrated node keeps its id.</summary>
    public const string FileName = "node-id";

    // More than any UUID; a larger file is something else.
    private const int FileBytesMax = 1024;
    private const int UuidChars = 36;
    private static readonly string[] HostFiles = ["/sys/class/dmi/id/product_uuid", "/etc/machine-id"];

    /// <summary>The configured id, else the kept one, else a new one that is kept from now on.</summary>
    /// <param name="dataDir">Null: nothing is kept, as in development mode.</param>
    /// <param name="configured">The <c>node_id</c> setting; null or empty when not set. It is not written down.</param>
    /// <param name="disableHostId">
    /// <c>disable_host_node_id</c>, by default true: a new id is random. False: it follows from the machine's own id,
    /// so
    /// that it outlives the data folder, but two agents on one machine clash.
    /// </param>
    /// <exception cref="FormatException">The configured or the kept id is no UUID.</exception>
    /// <exception cref="IOException">The file cannot be read or written.</exception>
    public static string LoadOrCreate(string? dataDir, string? configured, bool disableHostId = true)
    {
        if (!string.IsNullOrEmpty(configured))
        {
            return Read(configured)
                ?? throw new FormatException($"specified NodeID is invalid: \"{configured}\" is not a UUID");
        }

        if (dataDir is null)
        {
            return Create(disableHostId);
        }

        var path = Path.Combine(dataDir, FileName);
        if (File.Exists(path))
        {
            return Load(path);
        }

        var created = Create(disableHostId);
        DurableFile.CreateFolder(dataDir);
        DurableFile.Write(path, Encoding.ASCII.GetBytes(created));
        return created;
    }

    /// <summary>A node id out of a machine's id, well spread; null when that is no UUID.</summary>
    public static string? OfHost(string hostId)
    {
        if (!Guid.TryParse(hostId.Trim(), out var host))
        {
            return null;
        }

        const int Bytes = 16;
        var hash = SHA512.HashData(Encoding.ASCII.GetBytes(host.ToString("D")));
        return new Guid(hash.AsSpan(0, Bytes), bigEndian: true).ToString("D");
    }

    private static string Load(string path)
    {
        string text;
        try
        {
            using var file = File.OpenRead(path);
            var bytes = new byte[FileBytesMax];
            text = Encoding.UTF8.GetString(bytes, 0, file.ReadAtLeast(bytes, bytes.Length, throwOnEndOfStream: false));
        }
        catch (UnauthorizedAccessException failure)
        {
            throw new IOException($"{path}: cannot be read: {failure.Message}", failure);
        }

        return Read(text.Trim()) ?? throw new FormatException(
            $"NodeID in {path} is invalid: not a UUID; restore the file, or remove it and the node gets a new id");
    }

    private static string Create(bool disableHostId) =>
        (disableHostId ? null : HostFiles.Select(HostId).FirstOrDefault(static id => id is not null))
            ?? Guid.NewGuid().ToString("D");

    private static string? HostId(string path)
    {
        try
        {
            return File.Exists(path) ? OfHost(File.ReadAllText(path)) : null;
        }
        catch (Exception failure) when (failure is IOException or UnauthorizedAccessException)
        {
            // product_uuid may be root's alone; the next source, or a random id, does as well.
            return null;
        }
    }

    private static string? Read(string text) =>
        text.Length == UuidChars && Guid.TryParseExact(text, "D", out var id) ? id.ToString("D") : null;
}
