using Praetor.CommandLine;

namespace Praetor.Commands;

internal sealed class SnapshotRestoreCommand : Command
{
    private readonly HttpFlags _http;

    public SnapshotRestoreCommand() => _http = new HttpFlags(Flags, HttpGroups.Server);

    public override string Arguments => "[options] FILE";

    public override Candidates Offer => Candidates.Files;

    public override string About => """
        Puts the state of a snapshot in place of the servers' own, in one step: either all of it is there
        afterwards, or nothing has changed. Snapshots of Consul 1.8 are taken as well as ours.

        What is restored is meant for servers that lost their state. Agents that run tell the new state
        of their services again.

            $ praetor snapshot restore backup.snap
        """;

    public override async Task<int> RunAsync(Shell shell, IReadOnlyList<string> arguments, CancellationToken stop)
    {
        var file = SnapshotArguments.File(arguments);
        await using var archive = SnapshotFiles.Open(file);
        using var client = _http.Connect(shell, answerTime: SnapshotFiles.AnswerTime);
        var without = await client.RestoreSnapshotAsync(archive, _http.Query, stop).OrFail("Error restoring snapshot");
        if (without.Length > 0 && !shell.IsConsul)
        {
            await shell.Error.WriteLineAsync($"Without effect here (kept for later versions where known): {without}");
        }

        shell.Say("Restored snapshot");
        return 0;
    }
}
