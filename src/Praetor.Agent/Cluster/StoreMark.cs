using System.Text;
using Praetor.Agent.Config;
using Praetor.Agent.Local;
using Praetor.Server.Storage;

namespace Praetor.Agent.Cluster;

/// <summary>Which engine a data directory's state is in: a file <c>store</c> says so, so that nobody who changes the
/// engine starts with an empty state and takes the old one for lost.</summary>
internal static class StoreMark
{
    /// <summary>The file of the state in SQLite.</summary>
    public const string SqliteFile = "state.db";

    /// <summary>The folder of the etcd that the agent runs.</summary>
    public const string EtcdFolderName = "etcd";

    /// <summary>The file with the cluster that this server belongs to.</summary>
    public const string PlanFile = "cluster.json";

    private const string FileName = "store";
    private const string Sqlite = "sqlite";
    private const string Etcd = "etcd";
    private const string OutsideEtcd = "etcd=";

    /// <summary>The engine to use: the asked one, or the one that the data is in.</summary>
    /// <exception cref="StorageFailedException">The data is in another one than the asked one.</exception>
    /// <exception cref="IOException">The data directory cannot be used.</exception>
    public static StoreConfig Claim(string dataDir, StoreConfig asked)
    {
        if (dataDir.Length == 0)
        {
            return asked;
        }

        var found = Found(dataDir);
        if (found is not null && found != MarkOf(asked))
        {
            // Who has bootstrapped may leave bootstrap_expect away; the data still says what it is.
            return !asked.IsAsked && found is Sqlite or Etcd && StoreConfig.Parse(found) is { } kept
                ? asked with { Kind = kept.Kind }
                : throw new StorageFailedException(Refusal(dataDir, found, asked));
        }

        if (asked.Kind != StoreKind.Memory && !File.Exists(Path.Combine(dataDir, FileName)))
        {
            DurableFile.Write(Path.Combine(dataDir, FileName), Encoding.UTF8.GetBytes(MarkOf(asked) + "\n"));
        }

        return asked;
    }

    private static string MarkOf(StoreConfig store) => store.Kind switch
    {
        StoreKind.Memory => "memory",
        StoreKind.Sqlite => Sqlite,
        _ => store.IsOutside ? OutsideEtcd : Etcd,
    };

    // Older versions left no mark, but their data tells.
    private static string? Found(string dataDir)
    {
        var mark = Path.Combine(dataDir, FileName);
        return File.Exists(mark) ? File.ReadAllText(mark).Trim()
            : File.Exists(Path.Combine(dataDir, SqliteFile)) ? Sqlite
            : File.Exists(Path.Combine(dataDir, PlanFile)) || EtcdFolder.HasDataIn(
                Path.Combine(dataDir, EtcdFolderName)) ? Etcd
            : null;
    }

    private static string Refusal(string dataDir, string found, StoreConfig asked)
    {
        var old = found == OutsideEtcd ? "an etcd that somebody else runs (store = \"etcd=…\")" : $"store \"{found}\"";
        return $"{dataDir}: its state is in {old}, but \"{asked.Name}\" is asked for: to change over, run 'snapshot "
            + "save' while the agent runs as before, start it with an empty data_dir, and run 'snapshot restore'";
    }
}
