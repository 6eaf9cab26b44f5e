using System.Net;
using Languages;
using Praetor.Agent.Logging;

namespace Praetor.Agent.Config;

/// <summary>
/// The table of all configuration keys. A new setting is one row in one of this type's files (and its reader in
/// <see cref="AgentConfig"/>): flags, defaults, checks, reload, warnings and the reference page follow from the row.
/// </summary>
public static partial class Settings
{
    private const long QuotaBytesMin = 64L << 20;
    private const long RequestBytesMin = 1L << 20;
    private const long RequestBytesMax = 64L << 20;

    private const string ListRemedy = "one network is written address/bits, as in 10.0.0.0/8";

    /// <summary>All rows, group by group.</summary>
    public static IReadOnlyList<(string Title, IReadOnlyList<Setting> Rows)> Groups { get; } =
    [
        ("Node", Node), ("Addresses and ports", Addresses), ("Joining", Joining), ("Access control", Acl), ("TLS", Tls),
        ("Gossip", Gossip), ("Consensus", Consensus), ("Services and checks", Services), ("Mesh", Connect), ("DNS",
            Dns),
        ("HTTP and web interface", Http), ("Limits", Limits), ("Logging", Logging), ("Telemetry", Telemetry),
        ("Others", Misc),
    ];

    /// <summary>All rows by key.</summary>
    public static IReadOnlyDictionary<string, Setting> ByKey { get; } =
        Groups.SelectMany(static group => group.Rows).ToDictionary(static row => row.Key, StringComparer.Ordinal);

    /// <summary>The rows that have a flag, by its name without the dash.</summary>
    public static IReadOnlyDictionary<string, Setting> ByFlag { get; } =
        ByKey.Values.Where(static row => row.FlagName is not null)
            .ToDictionary(static row => row.FlagName!, StringComparer.Ordinal);

    /// <summary>The flags that are no keys but say where keys come from, by name, with a line for people.</summary>
    public static IReadOnlyDictionary<string, string> SourceFlags { get; } =
        new Dictionary<string, string>(StringComparer.Ordinal)
        {
            ["config-dir"] = "Directory with configuration files, read in the order of their names; again and again.",
            ["config-file"] = "Configuration file, .hcl or .json; again and again.",
            ["config-format"] = "Format of all files, hcl or json, whatever their names.",
            ["dev"] = "Everything in memory: one server, for trying out and for development.",
            ["hcl"] = "A piece of configuration that wins over files and flags; again and again.",
        };

    /// <summary>The keys as a tree, as files nest them.</summary>
    internal static SettingTree Tree { get; } = SettingTree.Of(ByKey.Values);

    private static Setting Text(string key, string? fallback, string help) => new(key, SettingKind.Text, fallback,
        help);

    private static Setting Flag(string key, string? fallback, string help) => new(key, SettingKind.Flag, fallback,
        help);

    private static Setting Whole(string key, string? fallback, string help) => new(key, SettingKind.Whole, fallback,
        help);

    private static Setting Real(string key, string? fallback, string help) => new(key, SettingKind.Real, fallback,
        help);

    private static Setting Duration(string key, string? fallback, string help) =>
        new(key, SettingKind.Duration, fallback, help);

    private static Setting Texts(string key, string? fallback, string help) => new(key, SettingKind.Texts, fallback,
        help);

    private static Setting TextMap(string key, string? fallback, string help) =>
        new(key, SettingKind.TextMap, fallback, help);

    private static Setting DurationMap(string key, string? fallback, string help) =>
        new(key, SettingKind.DurationMap, fallback, help);

    private static Setting Blocks(string key, string? fallback, string help) =>
        new(key, SettingKind.Blocks, fallback, help);

    private static Setting Free(string key, string? fallback, string help) => new(key, SettingKind.Free, fallback,
        help);

    // Consul reads any negative number as "off" and refuses only what is above the range.
    private static Setting Port(this Setting row) => row.Checked(
        static value => (long)value > ushort.MaxValue ? $"invalid port: {value}" : null,
        "use 1 to 65535, or -1 to switch it off");

    private static Setting Positive(this Setting row) => row.Checked(
        value => (long)value < 1 ? $"{row.Key} must be positive, got {value}" : null, "use 1 or more");

    private static Setting NotNegative(this Setting row) => row.Checked(
        value => (long)value < 0 ? $"{row.Key} cannot be {value}. Must be greater than or equal to zero" : null,
        "");

    private static Setting Policy(this Setting row) => row.Checked(
        static value => (string)value is "" or "allow" or "deny" ? null : $"invalid policy \"{value}\"",
        "use allow or deny");

    private static Setting Strategy(this Setting row) => row.Checked(
        static value => (string)value is "sequential" or "random"
            ? null
            : $"dns_config.recursor_strategy must be one of: sequential, random (got \"{value}\")",
        "use sequential or random");

    private static Setting Engine(this Setting row) => row.Checked(
        static value => StoreConfig.Parse((string)value) is not null
            ? null
            : $"store cannot be \"{value}\"",
        "use memory, sqlite, etcd, or etcd=https://host:2379,https://host:2379 for an etcd that runs already");

    // The log takes 64 MiB and more, and a snapshot is written beside the one before.
    private static Setting Quota(this Setting row) => row.Checked(
        static value => (long)value < QuotaBytesMin ? $"etcd_quota_bytes is {value}" : null,
        $"use {QuotaBytesMin} (64 MiB) or more");

    // A value of 512 KiB, what goes with it, and some more. The most is what a call over gRPC is framed with.
    private static Setting Request(this Setting row) => row.Checked(
        static value => (long)value is 0 or (>= RequestBytesMin and <= RequestBytesMax) ? null
            : $"etcd_max_request_bytes is {value}",
        $"use {RequestBytesMin} (1 MiB) to {RequestBytesMax} (64 MiB), or 0 for what is usual");

    // Consul's validate lets any text pass, and the agent then refuses to start.
    private static Setting Level(this Setting row) => row.Checked(
        static value => ((string)value).ToUpperInvariant() is "" or "TRACE" or "DEBUG" or "INFO" or "WARN" or "ERR"
            or "ERROR"
            ? null
            : $"Invalid log level: {value}. Valid log levels are: [TRACE DEBUG INFO WARN ERR ERROR]",
        "");

    private static Setting OldestTls(this Setting row) => row.Checked(
        static value => TlsConfig.VersionsFrom((string)value) is not null
            ? null
            : $"TLSMinVersion: value {value} not supported, please specify one of [TLSv1_2, TLSv1_3]",
        "");

    private static Setting Suites(this Setting row) => row.Checked(
        static value => TlsConfig.TryReadSuites((string)value, out _, out var unknown)
            ? null
            : $"invalid tls cipher suites: unsupported cipher \"{unknown}\"",
        "use names such as TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256, separated by commas");

    private static Setting Facility(this Setting row) => row.Checked(
        static value => Syslog.FacilityOf((string)value) is not null ? null : $"invalid syslog facility: {value}",
        "use LOCAL0 to LOCAL7, DAEMON, USER or another of syslog's names");

    private static Setting Mode(this Setting row) => row.Checked(
        static value => ((string)value).Length == 0 || ModeOf((string)value) is not null
            ? null
            : $"invalid specified mode: {value}",
        "use an octal number such as 0660");

    /// <summary>A mode as it is written, octal. Null: it is none.</summary>
    internal static UnixFileMode? ModeOf(string text)
    {
        const int bits = 0xfff;
        var mode = 0;
        foreach (var digit in text)
        {
            if (digit is < '0' or > '7' || mode > bits / 8)
            {
                return null;
            }

            mode = (mode * 8) + (digit - '0');
        }

        return text.Length == 0 ? null : (UnixFileMode)mode;
    }

    private static Setting Provider(this Setting row) => row.Checked(
        static value => (string)value switch
        {
            "" or "consul" => null,
            "vault" or "aws-pca" => $"this version does not have the CA provider {value}",
            _ => $"{value} is not a valid CA provider",
        },
        "use consul");

    private static Setting UiPath(this Setting row) => row.Checked(
        static value => ((string)value).All(static c => char.IsAsciiLetterOrDigit(c) || c is '-' or '_' or '/')
            ? null
            : "path can only contain alphanumeric, -, _, or /",
        "use a path such as /ui/");

    private static Setting Networks(this Setting row) => row.Checked(
        static value => ((IReadOnlyList<string>)value).FirstOrDefault(static text => !IsNetwork(text)) is { } bad
            ? $"invalid CIDR address: {bad}"
            : null,
        ListRemedy);

    private static bool IsNetwork(string text)
    {
        var slash = text.IndexOf('/');
        return slash > 0
            && IPAddress.TryParse(text.AsSpan(0, slash), out var address)
            && int.TryParse(text.AsSpan(slash + 1), out var bits)
            && bits >= 0
            && bits <= address.GetAddressBytes().Length * 8;
    }
}

/// <summary>Keys as files nest them: a branch has children, a leaf a row.</summary>
internal sealed class SettingTree
{
    private readonly Dictionary<string, SettingTree> _children = new(StringComparer.OrdinalIgnoreCase);

    public Setting? Row { get; private set; }

    public IEnumerable<string> Names => _children.Keys;

    public SettingTree? this[string name] => _children.GetValueOrDefault(name);

    public static SettingTree Of(IEnumerable<Setting> rows)
    {
        var root = new SettingTree();
        foreach (var row in rows)
        {
            var branch = root;
            foreach (var name in NamesOf(row.Key))
            {
                branch = branch._children.TryGetValue(name, out var child)
                    ? child
                    : branch._children[name] = new SettingTree();
            }
            branch.Row = row;
        }
        return root;
    }

    /// <summary>The names of a dotted path; a dot before a digit belongs to the name (disable_compat_1.9).</summary>
    private static IEnumerable<string> NamesOf(string key)
    {
        var start = 0;
        for (var i = 0; i < key.Length; i++)
        {
            if (key[i] == '.' && !char.IsAsciiDigit(key[i + 1]))
            {
                yield return key[start..i];
                start = i + 1;
            }
        }
        yield return key[start..];
    }
}
