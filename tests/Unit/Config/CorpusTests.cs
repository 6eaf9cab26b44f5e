using System.Net;
using System.Text.RegularExpressions;
using Praetor.Agent.Config;
using Shouldly;
using Xunit;

namespace Unit.Config;

/// <summary>
/// Over two hundred files with the verdict of a real Consul 1.8.7 (recorded by
/// tests/Integration/oracle/record-validate.py):
/// ours is the same, save where the list below says otherwise.
/// </summary>
public sealed partial class CorpusTests
{
    /// <summary>Where we differ on purpose: a part of the file's text, our verdict, and why.</summary>
    private static readonly (string Part, bool IsValid, string Why)[] Differences =
    [
        ("tls { defaults", true, "key of newer agents"),
        ("peering {", true, "key of newer agents"),
        ("ui_config {", true, "key of newer agents"),
        ("grpc_tls", true, "key of newer agents"),
        ("use_streaming_backend", true, "key of newer agents"),
        ("request_limits", true, "key of newer agents"),
        ("ports = [{name=", true, "services of newer agents have named ports"),
        ("udp = ", true, "checks of newer agents know UDP"),
        ("EnableTagOverride", true, "definitions take both spellings, as request bodies always did"),
        ("CheckID", true, "definitions take both spellings"),
        ("script_args", true, "definitions take both spellings"),
        ("namespace = \"x\"", true, "taken from files of other editions"),
        ("connect { proxy {", true, "the agent runs proxies itself again"),
        ("default_policy = \"x\"", false, "Consul finds out when the ACL system starts"),
        ("enable_mesh_gateway_wan_federation = true", true, "the mesh is on by default"),
        ("\"services\":{\"name\"", true, "a single object stands for a list of one in JSON as in HCL"),
        ("acl_default_policy", false, "Consul finds out when the ACL system starts"),
        ("log_level = \"FOO\"", false, "Consul finds out when the agent starts"),
        ("syslog_facility = \"x\"", false, "Consul finds out when it writes to the system's log"),
        ("tls_min_version = \"x\"", false, "Consul finds out when the agent starts"),
        ("unix_sockets { mode = \"999\" }", false, "Consul finds out when the agent listens"),
        ("\nprotocol = 1", false, "Consul finds out when the agent starts"),
        ("serf_lan = -1", false, "Consul falls over when the agent starts"),
        ("recursors = [\"x:y:z\"]", false, "Consul finds out when the agent starts"),
    ];

    private sealed record Case(string Format, bool IsValid, string Text, string Message);

    [Fact]
    public void Every_file_gets_the_verdict_of_the_real_one()
    {
        var directory = Directory.CreateTempSubdirectory("praetor-corpus");
        try
        {
            var cases = Cases();
            cases.Count.ShouldBeGreaterThan(200);
            cases.Select(c => Disagreement(c, directory.FullName)).Where(static text => text is not null)
                .ShouldBeEmpty();
        }
        finally
        {
            directory.Delete(recursive: true);
        }
    }

    private static string? Disagreement(Case given, string directory)
    {
        var path = Path.Combine(directory, $"case.{given.Format}");
        File.WriteAllText(path, given.Text);
        var result = ConfigLoader.Validate([path], null, Machine);
        var different = Differences.FirstOrDefault(d => given.Text.Contains(d.Part, StringComparison.Ordinal));
        var wanted = different.Part is null ? given.IsValid : different.IsValid;
        if (result.Problems.Count > 0 != !wanted)
        {
            return $"{given.Text}\n  real: {given.Message}\n  ours: {result.ProblemText}";
        }
        var unplaced = result.Problems.FirstOrDefault(static p => p.Key.Length == 0 && p.At.Line == 0);
        return unplaced is null ? null : $"{given.Text}\n  no place: {unplaced}";
    }

    private static ConfigSurroundings Machine { get; } =
        new("host", static () =>
        [
            new LocalAddress("eth0", IPAddress.Parse("10.0.0.5"), 24, true, true),
            new LocalAddress("lo", IPAddress.Loopback, 8, true, false),
        ]);

    private static List<Case> Cases()
    {
        var text = File.ReadAllText(Path.Combine(Repository.Root, "tests/Unit/Config/Corpus/validate-1.8.7.txt"));
        return [.. CaseHead().Split(text).Skip(1).Select(ReadCase)];
    }

    private static Case ReadCase(string text)
    {
        var head = text[..text.IndexOf('\n')].Split(' ');
        var end = text.LastIndexOf("\n--- ", StringComparison.Ordinal);
        var start = text.IndexOf('\n') + 1;
        var body = end < start ? "" : text[start..end];
        var ending = body.Length == 0 || body.EndsWith("EOF", StringComparison.Ordinal) ? "" : "\n";
        return new Case(head[0], head[1] == "valid", body + ending, text[(end + 5)..].Trim());
    }

    [GeneratedRegex("^=== ", RegexOptions.Multiline | RegexOptions.NonBacktracking)]
    private static partial Regex CaseHead();
}

internal static class Repository
{
    /// <summary>The folder of the solution file, above the test's own.</summary>
    public static string Root { get; } = Find(AppContext.BaseDirectory);

    private static string Find(string folder) => File.Exists(Path.Combine(folder, "Praetor.slnx"))
        ? folder
        : Find(Path.GetDirectoryName(folder) ?? throw new InvalidOperationException("no solution above the test"));
}
