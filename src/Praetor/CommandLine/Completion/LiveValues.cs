using Praetor.Client;

namespace Praetor.CommandLine.Completion;

/// <summary>Values to complete with: names from the agent, files, fixed lists.</summary>
internal sealed class LiveValues(Shell shell, IReadOnlyList<string> kinds, IReadOnlyList<string> line)
{
    private static readonly string[] Levels = ["trace", "debug", "info", "warn", "err"];

    public async Task<IReadOnlyList<string>> FindAsync(Candidates wanted, string typed, CancellationToken stop)
    {
        switch (wanted)
        {
            case Candidates.None:
                return [];
            case Candidates.Files:
                return Files(typed);
            case Candidates.ConfigKinds:
                return kinds;
            case Candidates.LogLevels:
                return Levels;
            default:
                return await AskAsync(wanted, typed, stop);
        }
    }

    private async Task<IReadOnlyList<string>> AskAsync(Candidates wanted, string typed, CancellationToken stop)
    {
        try
        {
            using var client = Http().Connect(shell);
            return wanted switch
            {
                Candidates.Services => [.. ((await client.CatalogServicesAsync(stop: stop)).Value ?? []).Keys],
                Candidates.ServiceIds => [.. (await client.AgentServicesAsync(stop: stop)).Keys],
                Candidates.Nodes => [.. ((await client.CatalogNodesAsync(stop: stop)).Value ?? []).Select(n => n.Node)],
                Candidates.Datacenters => (await client.CatalogDatacentersAsync(stop)).Value ?? [],
                _ => (await client.ListKeysAsync(typed, "/", stop: stop)).Value ?? [],
            };
        }
        catch (Exception failure) when (AgentCalls.IsOfAgent(failure)
            || failure is OperationCanceledException or CommandException)
        {
            // Nobody wants to read about it in the middle of a line: there is nothing to offer, and that is all.
            return [];
        }
    }

    // The address and token may be on the line already; flags of the command itself do not matter here.
    private HttpFlags Http()
    {
        var flags = new FlagSet();
        var http = new HttpFlags(flags, HttpGroups.All);
        for (var i = 0; i < line.Count; i++)
        {
            var word = line[i].TrimStart('-');
            var equals = word.IndexOf('=', StringComparison.Ordinal);
            var name = equals < 0 ? word : word[..equals];
            if (!line[i].StartsWith('-') || !flags.TryFind(name, out var flag) || flag.IsSwitch)
            {
                continue;
            }

            var value = equals >= 0 ? word[(equals + 1)..] : i + 1 < line.Count ? line[i + 1] : "";
            flag.Take(value);
        }

        return http;
    }

    private static List<string> Files(string typed)
    {
        const int offered = 500;
        var prefix = typed.StartsWith('@') ? "@" : "";
        var slash = typed.LastIndexOf('/');
        var shown = slash < 0 ? "" : typed[prefix.Length..(slash + 1)];
        var folder = shown.Length == 0 ? "." : shown;
        if (!Directory.Exists(folder))
        {
            return [];
        }

        return
        [
            .. new DirectoryInfo(folder).EnumerateFileSystemInfos()
                .Take(offered)
                .Select(entry => $"{prefix}{shown}{entry.Name}{(entry is DirectoryInfo ? "/" : "")}"),
        ];
    }
}
