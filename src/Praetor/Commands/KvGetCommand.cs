using System.Globalization;
using System.Text;
using Praetor.Client;
using Praetor.CommandLine;

namespace Praetor.Commands;

internal sealed class KvGetCommand : Command
{
    private const int DetailPadding = 6;
    private const string Doing = "Error querying Consul agent";

    private readonly HttpFlags _http;
    private readonly OutputFlags _output;
    private readonly Flag<bool> _base64;
    private readonly Flag<bool> _detailed;
    private readonly Flag<bool> _keys;
    private readonly Flag<bool> _recurse;
    private readonly Flag<string> _separator;

    public KvGetCommand()
    {
        _http = new HttpFlags(Flags, HttpGroups.All);
        _output = new OutputFlags(Flags);
        _base64 = Flags.Bool("base64", "Print values in base64.");
        _detailed = Flags.Bool("detailed", "Print everything known about the key: indexes, flags, session, value.");
        _keys = Flags.Bool("keys", "Print the names of the keys that begin with the prefix, without values.");
        _recurse = Flags.Bool("recurse", "Print all keys that begin with the prefix, with their values.");
        _separator = Flags.String("separator", "With -keys: cut names behind this text. Default /.", initial: "/");
    }

    public override string Arguments => "[options] [KEY_OR_PREFIX]";

    public override Candidates Offer => Candidates.Keys;

    public override string About => """
        Prints a key's value as it was stored, or lists what is below a prefix. A key that does not exist is
        an error; a list of nothing is not.

            $ praetor kv get config/pool/size
            $ praetor kv get -detailed config/pool/size
            $ praetor kv get -recurse config/
            $ praetor kv get -keys ''
        """;

    public override async Task<int> RunAsync(Shell shell, IReadOnlyList<string> arguments, CancellationToken stop)
    {
        RequireAtMost(1, arguments);
        var key = arguments.Count == 0 ? "" : arguments[0];

        // Consul's own client cuts one slash in front, as everybody's muscle memory puts one there.
        var asked = key.StartsWith('/') ? key[1..] : key;
        if (asked.Length == 0 && !_keys.Value && !_recurse.Value)
        {
            throw new CommandException("Error! Missing KEY argument");
        }

        using var client = _http.Connect(shell);
        try
        {
            return await PrintAsync(shell, client, asked, stop);
        }
        catch (ApiException refused) when (shell.IsConsul)
        {
            // Consul's client drops the text for these endpoints; ours would help, but not a script that compares.
            throw new CommandException($"{Doing}: Unexpected response code: {(int)refused.Status}");
        }
        catch (Exception failure) when (AgentCalls.IsOfAgent(failure))
        {
            throw AgentCalls.Failed(failure, Doing);
        }
    }

    private Task<int> PrintAsync(Shell shell, PraetorClient client, string key, CancellationToken stop) =>
        _keys.Value ? PrintKeysAsync(shell, client, key, stop)
        : _recurse.Value ? PrintTreeAsync(shell, client, key, stop)
        : PrintOneAsync(shell, client, key, stop);

    private async Task<int> PrintKeysAsync(Shell shell, PraetorClient client, string prefix, CancellationToken stop)
    {
        var keys = (await client.ListKeysAsync(prefix, _separator.Value, _http.Query, stop)).Value ?? [];
        if (_output.IsJson)
        {
            OutputFlags.Print(shell, keys, OutputJson.Default.StringArray);
            return 0;
        }

        foreach (var key in keys)
        {
            shell.Say(key);
        }

        return 0;
    }

    private async Task<int> PrintTreeAsync(Shell shell, PraetorClient client, string prefix, CancellationToken stop)
    {
        var pairs = (await client.ListKvAsync(prefix, _http.Query, stop)).Value ?? [];
        if (_output.IsJson)
        {
            OutputFlags.Print(shell, pairs, OutputJson.Default.KvPairArray);
            return 0;
        }

        for (var i = 0; i < pairs.Length; i++)
        {
            if (_detailed.Value)
            {
                PrintDetails(shell, pairs[i], last: i == pairs.Length - 1);
            }
            else
            {
                shell.Out.Write($"{pairs[i].Key}:");
                PrintValue(shell, pairs[i]);
            }
        }

        return 0;
    }

    private async Task<int> PrintOneAsync(Shell shell, PraetorClient client, string key, CancellationToken stop)
    {
        var pair = (await client.GetKeyAsync(key, _http.Query, stop)).Value
            ?? throw new CommandException($"Error! No key exists at: {key}");
        if (_output.IsJson)
        {
            OutputFlags.Print(shell, pair, OutputJson.Default.KvPair);
        }
        else if (_detailed.Value)
        {
            PrintDetails(shell, pair, last: true);
        }
        else
        {
            PrintValue(shell, pair);
        }

        return 0;
    }

    private void PrintDetails(Shell shell, KvPair pair, bool last)
    {
        var lines = new Fields(DetailPadding);
        lines.Add("CreateIndex", Number(pair.CreateIndex));
        lines.Add("Flags", Number(pair.Flags));
        lines.Add("Key", pair.Key);
        lines.Add("LockIndex", Number(pair.LockIndex));
        lines.Add("ModifyIndex", Number(pair.ModifyIndex));
        lines.Add("Session", string.IsNullOrEmpty(pair.Session) ? "-" : pair.Session);

        // The value may be no text at all, so its bytes go out as they are.
        var bytes = pair.Value ?? [];
        var value = _base64.Value ? Encoding.ASCII.GetBytes(Convert.ToBase64String(bytes)) : bytes;
        lines.Add("Value", "");
        var text = lines.ToString().TrimEnd('\n');
        shell.Out.Write(value.Length == 0 ? text.TrimEnd() : text);
        shell.Out.Flush();
        shell.Output.Write(value);
        shell.Out.Write(last ? "\n" : "\n\n");
    }

    private void PrintValue(Shell shell, KvPair pair)
    {
        if (_base64.Value)
        {
            shell.Out.WriteLine(Convert.ToBase64String(pair.Value ?? []));
            return;
        }

        shell.Out.Flush();
        shell.Output.Write(pair.Value ?? []);
        shell.Out.WriteLine();
    }

    private static string Number(ulong value) => value.ToString(CultureInfo.InvariantCulture);
}
