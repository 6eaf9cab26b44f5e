using System.Globalization;
using Praetor.Client;
using Praetor.CommandLine;

namespace Praetor.Commands;

internal sealed class SnapshotAgentCommand : Command
{
    private const string Begin = "praetor-";
    private const string End = ".snap";
    private const int UsualRetain = 30;
    private const int UsualFailuresMax = 3;

    private readonly HttpFlags _http;
    private readonly Flag<TimeSpan> _interval;
    private readonly Flag<int> _retain;
    private readonly Flag<int> _failuresMax;
    private readonly Flag<string> _folder;

    public SnapshotAgentCommand()
    {
        _http = new HttpFlags(Flags, HttpGroups.Server);
        _interval = Flags.Duration(
            "interval", "From one snapshot to the next. 0: takes one and ends. Default 1h.", TimeSpan.FromHours(1));
        _retain = Flags.Int("retain", "How many snapshots to keep; the oldest go. Default 30.");
        _failuresMax = Flags.Int(
            "max-failures", "Ends with an error after so many failures in a row. Default 3; negative: never.");
        _folder = Flags.String(
            "local-path", "The folder that snapshots go to. Default: the one it is started in.", initial: ".",
            value: "path", offer: Candidates.Files);
    }

    public override string About => """
        Saves a snapshot of the servers' state now and then, until interrupted. Each is checked before it
        gets its name, praetor-<milliseconds>.snap; only files with such names are ever removed.

            $ praetor snapshot agent -interval=1h -retain=30 -local-path=/var/backups/praetor
            $ praetor snapshot agent -interval=0 -local-path=/var/backups/praetor

        Run it on one machine, under the system's service manager.
        """;

    public override async Task<int> RunAsync(Shell shell, IReadOnlyList<string> arguments, CancellationToken stop)
    {
        RequireAtMost(0, arguments);
        var retain = _retain.IsSet ? _retain.Value : UsualRetain;
        if (retain < 1)
        {
            throw new CommandException($"-retain is {retain}; keep at least 1");
        }

        using var signals = new ProcessSignals();
        using var both = CancellationTokenSource.CreateLinkedTokenSource(stop, signals.Stop);
        using var client = _http.Connect(shell, answerTime: SnapshotFiles.AnswerTime);
        try
        {
            return await KeepSavingAsync(shell, client, retain, both.Token);
        }
        catch (OperationCanceledException) when (both.IsCancellationRequested)
        {
            return 0;
        }
    }

    private async Task<int> KeepSavingAsync(Shell shell, PraetorClient client, int retain, CancellationToken stop)
    {
        var failuresMax = _failuresMax.IsSet ? _failuresMax.Value : UsualFailuresMax;
        var failures = 0;
        while (true)
        {
            try
            {
                await SaveAsync(shell, client, retain, stop);
                failures = 0;
            }
            catch (CommandException e) when (_interval.Value > TimeSpan.Zero)
            {
                failures++;
                await shell.Error.WriteLineAsync($"{Stamp(shell)} [ERROR] {e.Message}: failures={failures}");
                if (failuresMax >= 0 && failures >= Math.Max(1, failuresMax))
                {
                    throw new CommandException(
                        $"no snapshot after {failures} attempts; see to the agent and the folder");
                }
            }

            if (_interval.Value <= TimeSpan.Zero)
            {
                return 0;
            }

            await Task.Delay(_interval.Value, shell.Time, stop);
        }
    }

    private async Task SaveAsync(Shell shell, PraetorClient client, int retain, CancellationToken stop)
    {
        var now = shell.Time.GetUtcNow();
        var name = string.Create(CultureInfo.InvariantCulture, $"{Begin}{now.ToUnixTimeMilliseconds()}{End}");
        var file = Path.Combine(_folder.Value, name);
        var index = await SnapshotFiles.SaveAsync(client, _http.Query, file, now, stop);
        shell.Say($"{Stamp(shell)} [INFO] saved and verified a snapshot: file={file} index={index}");
        foreach (var old in Own(_folder.Value).SkipLast(retain))
        {
            File.Delete(old);
            shell.Say($"{Stamp(shell)} [INFO] removed an old snapshot: file={old}");
        }

        await shell.Out.FlushAsync(stop);
    }

    // By their time; whatever has another name is somebody else's.
    private static List<string> Own(string folder) =>
    [
        .. Directory.EnumerateFiles(folder, $"{Begin}*{End}")
            .Select(static path => (Path: path, Time: TimeOf(path)))
            .Where(static file => file.Time is not null)
            .OrderBy(static file => file.Time)
            .Select(static file => file.Path),
    ];

    private static long? TimeOf(string path) =>
        long.TryParse(
            Path.GetFileName(path).AsSpan(Begin.Length)[..^End.Length], NumberStyles.None, CultureInfo.InvariantCulture,
            out var time) ? time : null;

    private static string Stamp(Shell shell) =>
        shell.Time.GetUtcNow().ToString("yyyy-MM-dd'T'HH:mm:ss.fff'Z'", CultureInfo.InvariantCulture);
}
