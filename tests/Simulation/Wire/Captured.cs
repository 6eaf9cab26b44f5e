namespace Simulation.Wire;

/// <summary>Bytes that real agents sent: lines of "packet", "opening" or "answer" and hexadecimal digits.</summary>
internal sealed record Captured(string Kind, byte[] Bytes)
{
    public static readonly string[] Files =
    [
        "serf-0.9.4.txt", "serf-0.9.4-encrypted.txt", "consul-1.8.7.txt", "consul-1.8.7-encrypted.txt",
    ];

    public bool IsPacket => Kind == "packet";

    public static IReadOnlyList<Captured> Read(string file) =>
        [.. from line in Lines(file) where line[0] != '#' let parts = line.Split(' ')
            select new Captured(parts[0], Convert.FromHexString(parts[1]))];

    public static IReadOnlyList<byte[]> Keys(string file) =>
        [.. from line in Lines(file) where line.StartsWith("# key ", StringComparison.Ordinal)
            select Convert.FromBase64String(line[6..])];

    private static string[] Lines(string file) =>
        File.ReadAllLines(Path.Combine(AppContext.BaseDirectory, "Fixtures", file));
}
