namespace Support;

/// <summary>The real etcd, where somebody has unpacked it; never part of this repository.</summary>
public static class RealEtcd
{
    /// <summary>Why tests that need it are skipped.</summary>
    public static string Missing => $"needs the real etcd at {Executable} (the folder above 'etcd' is $PEERS)";

    /// <summary>Where it would be; <c>PRAETOR_ETCD</c> names another.</summary>
    public static string Executable { get; } =
        Environment.GetEnvironmentVariable("PRAETOR_ETCD") is { Length: > 0 } set
            ? set
            : Path.Combine(Peers.Folder, "etcd", "usr", "bin", "etcd");

    /// <summary>Whether it is there.</summary>
    public static bool IsThere => File.Exists(Executable);
}
