using System.Globalization;
using System.Text;
using Praetor.Client;
using Praetor.CommandLine;

namespace Praetor.Commands.Exec;

/// <summary>Follows the keys that agents write while they run a job, and prints what they say, until nobody says
/// anything more.</summary>
internal sealed class ExecResults(Shell shell, PraetorClient client, string folder, TimeSpan quiet, bool verbose)
{
    private const string Job = "job";
    private const string Ack = "/ack";
    private const string Exit = "/exit";
    private const string Out = "/out/";
    private const int FailedSomewhere = 2;

    private readonly HashSet<string> _seen = new(StringComparer.Ordinal);
    private int _acknowledged;
    private int _ended;
    private int _failed;

    /// <summary>Follows until it has been quiet for a while; longer, while somebody still works.</summary>
    /// <returns>The exit code.</returns>
    public async Task<int> FollowAsync(CancellationToken stop)
    {
        var began = shell.Time.GetTimestamp();
        var heard = began;
        ulong index = 0;
        while (QuietLeft(heard) is var left && left > TimeSpan.Zero)
        {
            var answer = await client
                .ListKeysAsync(folder + "/", query: new QueryOptions { Index = index, Wait = left }, stop: stop)
                .OrFail("Failed to read results");
            index = answer.Meta.Index;
            var fresh = (answer.Value ?? []).Where(_seen.Add).Select(key => key[(folder.Length + 1)..])
                .Where(static key => key != Job).OrderBy(RankOf).ToList();
            foreach (var key in fresh)
            {
                await SayAsync(key, stop);
                heard = shell.Time.GetTimestamp();
            }

            await shell.Out.FlushAsync(stop);
        }

        shell.Say($"{_ended} / {_acknowledged} node(s) completed / acknowledged");
        if (verbose)
        {
            var seconds = shell.Time.GetElapsedTime(began).TotalSeconds.ToString("F2", CultureInfo.InvariantCulture);
            shell.Say($"Completed in {seconds} seconds");
        }

        return _failed > 0 || _ended < _acknowledged ? FailedSomewhere : 0;
    }

    private TimeSpan QuietLeft(long heard) =>
        (_acknowledged > _ended ? quiet * 2 : quiet) - shell.Time.GetElapsedTime(heard);

    // Keys that came together are told in the order in which they were written: the end is the last.
    private static int RankOf(string key) =>
        key.EndsWith(Ack, StringComparison.Ordinal) ? 0 : key.EndsWith(Exit, StringComparison.Ordinal) ? 2 : 1;

    private async Task SayAsync(string key, CancellationToken stop)
    {
        if (key.EndsWith(Ack, StringComparison.Ordinal))
        {
            _acknowledged++;
            SayVerbosely(key[..^Ack.Length], "acknowledged");
            return;
        }

        var divider = key.LastIndexOf(Out, StringComparison.Ordinal);
        if (!key.EndsWith(Exit, StringComparison.Ordinal) && divider < 0)
        {
            shell.Error.WriteLine($"Unknown key '{key}', ignoring.");
            return;
        }

        var pair = (await client.GetKeyAsync($"{folder}/{key}", stop: stop).OrFail("Failed to read results")).Value;
        if (pair is null)
        {
            shell.Error.WriteLine($"Failed to read key '{folder}/{key}': <nil>");
        }
        else if (divider >= 0)
        {
            SayOutput(key[..divider], pair.Value ?? []);
        }
        else
        {
            SayEnd(key[..^Exit.Length], Encoding.UTF8.GetString(pair.Value ?? []));
        }
    }

    private void SayOutput(string node, byte[] output)
    {
        if (output.Length == 0)
        {
            SayVerbosely(node, "heartbeat received");
            return;
        }

        Say("   ", node, Encoding.UTF8.GetString(output));
    }

    private void SayEnd(string node, string text)
    {
        if (!int.TryParse(text, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out var code))
        {
            shell.Error.WriteLine($"Failed to parse exit code '{text}': "
                + $"strconv.ParseInt: parsing \"{text}\": invalid syntax");
            return;
        }

        _ended++;
        _failed += code == 0 ? 0 : 1;
        Say("==>", node, $"finished with exit code {code}");
    }

    private void SayVerbosely(string node, string text)
    {
        if (verbose)
        {
            Say("==>", node, text);
        }
    }

    private void Say(string mark, string node, string text) =>
        shell.Say(string.Join('\n', text.Split('\n').Select(line => $"{mark} {node}: {line}")).TrimEnd());
}
