using System.Text;
using Praetor.Agent.Checks;

namespace Praetor.Agent.Cluster;

/// <summary>etcd cannot be run here; the message says why and what to do.</summary>
internal sealed class EtcdStartException(string message, Exception? inner = null) : Exception(message, inner);

/// <summary>The etcd that this machine has.</summary>
/// <param name="Path">The executable.</param>
/// <param name="Version">Its version.</param>
internal sealed record EtcdProgram(string Path, Version Version)
{
    private const string Prefix = "etcd Version: ";
    private const int OutputMax = 4096;
    private const string Remedy =
        "install it (Debian, Ubuntu: apt-get install etcd-server) or take a release from "
        + "https://github.com/etcd-io/etcd/releases, and have it on the PATH or name it by etcd_path";

    /// <summary>The oldest that will do.</summary>
    public static readonly Version Oldest = new(3, 4);

    // Some milliseconds; but a machine that is just starting everything at once must not refuse its servers.
    private const int VersionTries = 3;

    private static readonly TimeSpan VersionLimit = TimeSpan.FromSeconds(60);

    // Since these, reads after a pause of the process are no longer stale (etcd's issue 20418).
    private static readonly Version[] Recommended = [new(3, 4, 42), new(3, 5, 28), new(3, 6, 9)];

    /// <summary>Whether it will do.</summary>
    public bool IsNewEnough => Version >= Oldest;

    /// <summary>Why a newer one is better; null when it is new enough.</summary>
    public string? Warning
    {
        get
        {
            var line = Array.Find(Recommended, r => r.Major == Version.Major && r.Minor == Version.Minor);
            return line is null || Version >= line
                ? null
                : $"etcd {Version} ({Path}) has known faults: old answers to reads after a pause, events of watches "
                + "that are lost or told twice. Praetor does not build on what they break, but 3.5.28 or newer is "
                + "recommended";
        }
    }

    /// <summary>Finds it and asks for its version.</summary>
    /// <param name="configured">The configured path. Null: look on the PATH.</param>
    /// <param name="time">Measures the limit.</param>
    /// <param name="stop">Ends it.</param>
    /// <exception cref="EtcdStartException">It is not there, does not run, or is too old.</exception>
    public static async Task<EtcdProgram> FindAsync(string? configured, TimeProvider time, CancellationToken stop)
    {
        var path = configured ?? CheckProcess.Find("etcd")
            ?? throw new EtcdStartException($"the store needs etcd, and there is none on the PATH: {Remedy}");
        if (!File.Exists(path))
        {
            throw new EtcdStartException($"{path}: there is no etcd, but the configuration names it: {Remedy}");
        }

        var end = await new CheckProcess(time).RunAsync([path, "--version"], VersionLimit, OutputMax, stop);
        for (var tries = 1; tries < VersionTries && end.StartError is null && end.Output.Text().Length == 0; tries++)
        {
            // An overloaded machine may end it before it has said anything.
            end = await new CheckProcess(time).RunAsync([path, "--version"], VersionLimit, OutputMax, stop);
        }

        if (end.StartError is { } error)
        {
            throw new EtcdStartException($"{path}: cannot be run: {error}; {Remedy}");
        }

        if (end.IsLate)
        {
            throw new EtcdStartException(
                $"{path}: did not tell its version within {VersionLimit.TotalSeconds} s: try '{path} --version'");
        }

        if (VersionOf(end.Output.Text()) is not { } version)
        {
            throw new EtcdStartException($"{path}: does not tell its version, as etcd does: {Remedy}");
        }

        var program = new EtcdProgram(path, version);
        return program.IsNewEnough
            ? program
            : throw new EtcdStartException($"{path}: etcd {version} is too old, {Oldest} is the oldest that will do: "
                + Remedy);
    }

    /// <summary>The version in what <c>etcd --version</c> prints; null when there is none.</summary>
    internal static Version? VersionOf(string output)
    {
        var line = output.Split('\n').FirstOrDefault(l => l.StartsWith(Prefix, StringComparison.Ordinal));
        return VersionIn(line?[Prefix.Length..].Trim() ?? "");
    }

    /// <summary>The version at the beginning of a text, as <c>3.6.0-rc.1</c>; null when there is none.</summary>
    internal static Version? VersionIn(string text)
    {
        var digits = new StringBuilder();
        foreach (var c in text.TakeWhile(static c => char.IsAsciiDigit(c) || c == '.'))
        {
            digits.Append(c);
        }

        return Version.TryParse(digits.ToString(), out var version) ? version : null;
    }
}
