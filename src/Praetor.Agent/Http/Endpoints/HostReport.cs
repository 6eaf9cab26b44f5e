using System.Globalization;
using System.Runtime.InteropServices;
using System.Text.Json;

namespace Praetor.Agent.Http.Endpoints;

/// <summary>Tells about the machine what the operating system tells; what it does not tell is left out.</summary>
/// <param name="path">Whose disk is shown: the data directory, or the root.</param>
/// <param name="time">The clock of CollectionTime.</param>
internal sealed class HostReport(string path, TimeProvider time)
{
    private static readonly (string Field, string Key)[] Memory =
    [
        ("total", "MemTotal"), ("available", "MemAvailable"), ("free", "MemFree"), ("active", "Active"),
        ("inactive", "Inactive"), ("buffers", "Buffers"), ("cached", "Cached"), ("writeback", "Writeback"),
        ("dirty", "Dirty"), ("shared", "Shmem"), ("slab", "Slab"), ("swaptotal", "SwapTotal"), ("swapfree", "SwapFree"),
    ];

    public void Write(Utf8JsonWriter json)
    {
        json.WriteStartObject();
        WriteMemory(json);
        WriteProcessors(json);
        WriteHost(json);
        WriteDisk(json);
        json.WriteNumber("CollectionTime", (time.GetUtcNow() - DateTimeOffset.UnixEpoch).Ticks * 100);
        json.WriteNull("Errors");
        json.WriteEndObject();
    }

    private static void WriteMemory(Utf8JsonWriter json)
    {
        var values = Fields("/proc/meminfo").ToDictionary(static f => f.Key, Kilobytes, StringComparer.Ordinal);
        json.WriteStartObject("Memory");
        foreach (var (field, key) in Memory)
        {
            if (values.TryGetValue(key, out var bytes))
            {
                json.WriteNumber(field, bytes);
            }
        }

        if (values.TryGetValue("MemTotal", out var total) && values.TryGetValue("MemAvailable", out var available))
        {
            json.WriteNumber("used", total - available);
            json.WriteNumber("usedPercent", total == 0 ? 0 : 100.0 * (total - available) / total);
        }

        json.WriteEndObject();
    }

    private static void WriteProcessors(Utf8JsonWriter json)
    {
        var model = Fields("/proc/cpuinfo").FirstOrDefault(static f => f.Key == "model name").Value ?? "";
        json.WriteStartArray("CPU");
        for (var i = 0; i < Environment.ProcessorCount; i++)
        {
            json.WriteStartObject();
            json.WriteNumber("cpu", i);
            json.WriteNumber("cores", 1);
            json.WriteString("modelName", model);
            json.WriteEndObject();
        }

        json.WriteEndArray();
    }

    private void WriteHost(Utf8JsonWriter json)
    {
        var uptime = Lines("/proc/uptime").FirstOrDefault()?.Split(' ')[0] ?? "0";
        var seconds = double.TryParse(uptime, NumberStyles.Float, CultureInfo.InvariantCulture, out var s) ? (long)s
            : 0;
        json.WriteStartObject("Host");
        json.WriteString("hostname", Environment.MachineName);
        json.WriteNumber("uptime", seconds);
        json.WriteNumber("bootTime", time.GetUtcNow().ToUnixTimeSeconds() - seconds);
        json.WriteString("os", OperatingSystem.IsLinux() ? "linux" : OperatingSystem.IsWindows() ? "windows" : "other");
        json.WriteString("platform",
            Fields("/etc/os-release", '=').FirstOrDefault(static f => f.Key == "ID").Value ?? "");
        json.WriteString("kernelVersion", Lines("/proc/sys/kernel/osrelease").FirstOrDefault() ?? "");
        json.WriteString("kernelArch", RuntimeInformation.OSArchitecture switch
        {
            Architecture.X64 => "x86_64",
            Architecture.Arm64 => "aarch64",
            var other => other.ToString().ToLowerInvariant(),
        });
        json.WriteEndObject();
    }

    private void WriteDisk(Utf8JsonWriter json)
    {
        json.WriteStartObject("Disk");
        json.WriteString("path", path);
        try
        {
            var drive = new DriveInfo(path);
            json.WriteString("fstype", drive.DriveFormat);
            json.WriteNumber("total", drive.TotalSize);
            json.WriteNumber("free", drive.AvailableFreeSpace);
            json.WriteNumber("used", drive.TotalSize - drive.TotalFreeSpace);
            json.WriteNumber("usedPercent",
                100.0 * (drive.TotalSize - drive.TotalFreeSpace) / Math.Max(1, drive.TotalSize));
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or ArgumentException)
        {
            // A disk that cannot be asked is shown with its path only.
        }

        json.WriteEndObject();
    }

    private static long Kilobytes(KeyValuePair<string, string> field) =>
        long.TryParse(field.Value.Split(' ')[0], NumberStyles.None, CultureInfo.InvariantCulture, out var kb)
            ? kb * 1024 : 0;

    private static IEnumerable<KeyValuePair<string, string>> Fields(string file, char separator = ':')
    {
        foreach (var line in Lines(file))
        {
            if (line.IndexOf(separator) is var at and > 0)
            {
                yield return KeyValuePair.Create(line[..at].Trim(), line[(at + 1)..].Trim());
            }
        }
    }

    private static string[] Lines(string file)
    {
        try
        {
            return File.Exists(file) ? File.ReadAllLines(file) : [];
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return [];
        }
    }
}
