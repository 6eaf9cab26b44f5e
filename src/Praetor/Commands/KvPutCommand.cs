using System.Text;
using Praetor.Client;
using Praetor.CommandLine;

namespace Praetor.Commands;

internal sealed class KvPutCommand : Command
{
    private readonly HttpFlags _http;
    private readonly Flag<bool> _acquire;
    private readonly Flag<bool> _release;
    private readonly Flag<bool> _base64;
    private readonly Flag<bool> _cas;
    private readonly Flag<ulong> _modifyIndex;
    private readonly Flag<ulong> _flags;
    private readonly Flag<string> _session;

    public KvPutCommand()
    {
        _http = new HttpFlags(Flags, HttpGroups.All);
        _cas = Flags.Bool("cas", "Write only if the key's index still is the one given with -modify-index.");
        _modifyIndex = Flags.UInt("modify-index", "The ModifyIndex that the key must have. 0: the key must not exist.");
        _flags = Flags.UInt("flags", "A number to keep with the value, for the application's own use. Default 0.");
        _base64 = Flags.Bool("base64", "The value is given in base64; store the bytes it stands for.");
        _session = Flags.String("session", "Id of the session to lock or unlock with.");
        _acquire = Flags.Bool("acquire", "Write and take the key's lock for -session, or do neither.");
        _release = Flags.Bool("release", "Write and give back the lock that -session holds, or do neither.");
    }

    public override string Arguments => "[options] KEY [VALUE]";

    public override Candidates Offer => Candidates.Keys;

    public override string About => """
        Stores a value. Without VALUE the key is stored empty; @FILE stores a file's content, - what comes
        from standard input.

            $ praetor kv put config/pool/size 5
            $ praetor kv put certificates/root @root.pem
            $ date | praetor kv put last/run -

        With -cas it is written only if nobody else wrote meanwhile:

            $ praetor kv put -cas -modify-index=123 config/pool/size 6
        """;

    public override async Task<int> RunAsync(Shell shell, IReadOnlyList<string> arguments, CancellationToken stop)
    {
        if (arguments.Count == 0)
        {
            throw new CommandException("Error! Missing KEY argument");
        }

        if (arguments.Count > 2)
        {
            throw new CommandException($"Error! Too many arguments (expected 1 or 2, got {arguments.Count})");
        }

        var key = arguments[0];
        var value = Value(shell, arguments);
        RequireSense(shell, key);
        using var client = _http.Connect(shell);
        var written = await client.PutKeyAsync(key, value, How(), stop: stop).OrFail(Doing);
        return written ? Report(shell, key) : throw new CommandException(Refused(key));
    }

    private string Doing => _cas.Value ? "Error! Did not write to" : Failed;

    private const string Failed = "Error! Failed writing data";

    private byte[] Value(Shell shell, IReadOnlyList<string> arguments)
    {
        var bytes = arguments.Count < 2 ? [] : ValueSource.Read(shell, arguments[1]);
        if (!_base64.Value || bytes.Length == 0)
        {
            return bytes;
        }

        var decoded = new byte[bytes.Length];
        if (Convert.TryFromBase64String(Encoding.UTF8.GetString(bytes), decoded, out var length))
        {
            return decoded[..length];
        }

        // Consul says this and goes on with an empty value. Scripts that call it consul get that; others an error.
        const string problem = "Error! Cannot base 64 decode data: illegal base64 data at input byte 0";
        if (!shell.IsConsul)
        {
            throw new CommandException(problem);
        }

        shell.Error.WriteLine(problem);
        return [];
    }

    private void RequireSense(Shell shell, string key)
    {
        if ((_acquire.Value || _release.Value) && _session.Value.Length == 0)
        {
            throw new CommandException("Error! Missing -session (required with -acquire and -release)");
        }

        if (_cas.Value && (shell.IsConsul ? _modifyIndex.Value == 0 : !_modifyIndex.IsSet))
        {
            throw new CommandException("Must specify -modify-index with -cas!");
        }

        if (key.StartsWith('/'))
        {
            throw new CommandException($"{Failed}: Invalid key. Key must not begin with a '/': {key}");
        }
    }

    private KvWrite How() => new()
    {
        Flags = _flags.Value,
        Cas = _cas.Value ? _modifyIndex.Value : null,
        Acquire = _acquire.Value && !_cas.Value ? _session.Value : null,
        Release = _release.Value && !_cas.Value && !_acquire.Value ? _session.Value : null,
    };

    private int Report(Shell shell, string key)
    {
        var done = _cas.Value || !(_acquire.Value || _release.Value) ? "Data written to"
            : _acquire.Value ? "Lock acquired on"
            : "Lock released on";
        shell.Say($"Success! {done}: {key}");
        return 0;
    }

    private string Refused(string key) =>
        _cas.Value ? $"Error! Did not write to {key}: CAS failed"
        : _acquire.Value ? "Error! Did not acquire lock"
        : _release.Value ? "Error! Did not release lock"
        : $"{Failed}: {key} was not written";
}
