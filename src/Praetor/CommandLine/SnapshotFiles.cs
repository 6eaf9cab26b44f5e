using System.Globalization;
using Codecs.Snapshots;
using Praetor.Agent.Local;
using Praetor.Client;

namespace Praetor.CommandLine;

/// <summary>Snapshots as files: fetched beside their place, read through, and only then given their name.</summary>
internal static class SnapshotFiles
{
    /// <summary>How long saving or restoring may take until the agent answers: 2 GiB are to arrive.</summary>
    public static readonly TimeSpan AnswerTime = TimeSpan.FromMinutes(35);

    /// <summary>Fetches a snapshot into a file; gives the index that it has.</summary>
    /// <exception cref="CommandException">It did not come about; a file that was there is as it was.</exception>
    public static async Task<ulong> SaveAsync(
        PraetorClient client, QueryOptions query, string file, DateTimeOffset now, CancellationToken stop)
    {
        await using var download = await client.SaveSnapshotAsync(query, stop).OrFail("Error saving snapshot");
        var unverified = string.Create(
            CultureInfo.InvariantCulture, $"{file}.unverified.tmp{now.ToUnixTimeMilliseconds()}");
        try
        {
            await FetchAsync(download, unverified, stop);
            Verify(unverified, "Error verifying snapshot file");
            DurableFile.Keep(unverified, file);
        }
        catch (IOException e)
        {
            throw new CommandException($"Error writing snapshot file: {e.Message}");
        }
        finally
        {
            File.Delete(unverified);
        }

        return download.Meta.Index;
    }

    /// <summary>Reads a snapshot through.</summary>
    /// <exception cref="CommandException">It is not sound.</exception>
    public static SnapshotMeta Verify(string file, string doing, TakeRecord? take = null)
    {
        using var archive = Open(file);
        try
        {
            return SnapshotReader.Read(archive, static _ => { }, take ?? (static (_, _) => { }));
        }
        catch (SnapshotException e)
        {
            throw new CommandException($"{doing}: {e.Message}");
        }
    }

    /// <summary>Opens a snapshot.</summary>
    /// <exception cref="CommandException">It cannot be opened.</exception>
    public static FileStream Open(string file)
    {
        try
        {
            return new FileStream(file, FileMode.Open, FileAccess.Read, FileShare.Read, bufferSize: 0);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new CommandException($"Error opening snapshot file: {GoErrors.Open(file, e)}");
        }
    }

    private static async Task FetchAsync(SnapshotDownload download, string unverified, CancellationToken stop)
    {
        var options = new FileStreamOptions { Mode = FileMode.CreateNew, Access = FileAccess.Write };
        if (!OperatingSystem.IsWindows())
        {
            // A snapshot holds secrets, such as the key of the certificate authority.
            options.UnixCreateMode = UnixFileMode.UserRead | UnixFileMode.UserWrite;
        }

        try
        {
            await using var to = new FileStream(unverified, options);
            await using var body = download.Open();
            await body.CopyToAsync(to, stop);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or HttpRequestException)
        {
            throw new CommandException($"Error writing unverified snapshot file: {GoErrors.Open(unverified, e)}");
        }
    }
}
