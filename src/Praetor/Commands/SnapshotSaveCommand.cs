using Praetor.CommandLine;

namespace Praetor.Commands;

internal sealed class SnapshotSaveCommand : Command
{
    private readonly HttpFlags _http;

    public SnapshotSaveCommand() => _http = new HttpFlags(Flags, HttpGroups.Server);

    public override string Arguments => "[options] FILE";

    public override Candidates Offer => Candidates.Files;

    public override string About => """
        Saves the servers' state to a file: keys, the catalog, sessions, config entries, intentions, the
        mesh's certificate authority. The file is in Consul's format, is checked before it gets its name,
        and holds secrets: only its owner may read it.

            $ praetor snapshot save backup.snap
            $ praetor snapshot save -stale backup.snap
        """;

    public override async Task<int> RunAsync(Shell shell, IReadOnlyList<string> arguments, CancellationToken stop)
    {
        var file = SnapshotArguments.File(arguments);
        using var client = _http.Connect(shell, answerTime: SnapshotFiles.AnswerTime);
        var index = await SnapshotFiles.SaveAsync(client, _http.Query, file, shell.Time.GetUtcNow(), stop);
        shell.Say($"Saved and verified snapshot to index {index}");
        return 0;
    }
}

/// <summary>What the snapshot commands take beside flags.</summary>
internal static class SnapshotArguments
{
    public static string File(IReadOnlyList<string> arguments) => arguments.Count switch
    {
        0 => throw new CommandException("Missing FILE argument"),
        1 => arguments[0],
        var count => throw new CommandException($"Too many arguments (expected 1, got {count})"),
    };
}
