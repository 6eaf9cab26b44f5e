using System.Text;
using Praetor.CommandLine;
using Praetor.Commands;
using Shouldly;
using Xunit;

namespace Unit.Cli;

/// <summary>What commands say about files with mistakes: as consul what 1.8.7 says, else more.</summary>
public sealed class FileErrorTests : IDisposable
{
    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("praetor-files");

    public void Dispose() => _folder.Delete(recursive: true);

    [Theory]
    [InlineData("data_dir = \"/x\" datacenter = \"Bad!\"", "datacenter cannot be \"bad!\". Please use only [a-z0-9-_]\n")]
    [InlineData("dc = \"x\"", "failed to parse FILE: 1 error occurred:\n\t* invalid config key dc\n\n\n")]
    [InlineData("data_dir = \"/x\" service { name=\"a\" prt=1 } ports { foo = 1 }",
        "failed to parse FILE: 2 errors occurred:\n"
        + "\t* invalid config key ports.foo\n\t* invalid config key service.prt\n\n\n")]
    [InlineData("data_dir = \"/x\" ports { dns = \"x\" }",
        "failed to parse FILE: 1 error(s) decoding:\n\n* 'ports.dns' expected type 'int', got unconvertible type "
        + "'string'\n")]
    [InlineData("retry_join = \"x\" ports { dns = \"x\" }",
        "failed to parse FILE: 2 error(s) decoding:\n\n* 'ports.dns' expected type 'int', got unconvertible type "
        + "'string'\n* 'retry_join': source data must be an array or slice, got string\n")]
    [InlineData("data_dir = \"/x\" performance { raft_multiplier = 20 }",
        "performance.raft_multiplier cannot be 20. Must be between 1 and 10\n")]
    [InlineData("data_dir = \"/x\" check_update_interval = \"x\"",
        "1 error occurred:\n\t* check_update_interval: invalid duration: \"x\": time: invalid duration \"x\"\n\n\n")]
    [InlineData("service {", "failed to parse FILE: At 1:11: object expected closing RBRACE got: EOF\n")]
    [InlineData("bind_addr = \"127.0.0.1\"", "data_dir cannot be empty\n")]
    public async Task Called_consul_validate_says_what_Consul_says(string text, string said)
    {
        var (code, _, error) = await RunAsync("consul", "validate", Write("a.hcl", text));
        code.ShouldBe(1);
        error.Replace(Path("a.hcl"), "FILE", StringComparison.Ordinal)
            .ShouldBe($"Config validation failed: {said}");
    }

    [Fact]
    public async Task A_file_that_is_not_there_is_named_as_Consul_names_it()
    {
        var (code, _, error) = await RunAsync("consul", "validate", Path("no.hcl"));
        code.ShouldBe(1);
        error.ShouldBe($"Config validation failed: config: Open failed on {Path("no.hcl")}. "
            + $"open {Path("no.hcl")}: no such file or directory\n");
    }

    [Theory]
    [InlineData("{bad", "invalid character 'b' looking for beginning of object key string")]
    [InlineData("{}", "json: cannot unmarshal object into Go value of type []*impexp.Entry")]
    [InlineData("3", "json: cannot unmarshal number into Go value of type []*impexp.Entry")]
    [InlineData("[3]", "json: cannot unmarshal number into Go value of type impexp.Entry")]
    [InlineData("[{\"key\":3}]", "json: cannot unmarshal number into Go struct field Entry.key of type string")]
    [InlineData("[{\"key\":\"a\",\"flags\":\"x\"}]",
        "json: cannot unmarshal string into Go struct field Entry.flags of type uint64")]
    [InlineData("[{\"key\":\"a\",\"flags\":-1}]",
        "json: cannot unmarshal number -1 into Go struct field Entry.flags of type uint64")]
    [InlineData("[{\"key\":\"a\"} ", "unexpected end of JSON input")]
    [InlineData("[{\"key\":\"a\"}]x", "invalid character 'x' after top-level value")]
    [InlineData("[tru]", "invalid character ']' in literal true (expecting 'e')")]
    [InlineData("[1,]", "invalid character ']' looking for beginning of value")]
    public async Task An_import_that_cannot_be_read_is_explained_as_Consul_explains_it(string data, string why) =>
        (await RunAsync("consul", "kv", "import", data)).Error.ShouldBe($"Cannot unmarshal data: {why}\n");

    [Theory]
    [InlineData("{bad", "invalid character 'b' looking for beginning of object key string")]
    [InlineData("[]", "json: cannot unmarshal array into Go value of type api.Intention")]
    [InlineData("{\"SourceName\":3}",
        "json: cannot unmarshal number into Go struct field Intention.SourceName of type string")]
    [InlineData("{\"Meta\":3}",
        "json: cannot unmarshal number into Go struct field Intention.Meta of type map[string]string")]
    [InlineData("{\"SourceName\":\"a\"", "unexpected EOF")]
    [InlineData("", "EOF")]
    public async Task An_intention_that_cannot_be_read_is_explained_as_Consul_explains_it(string data, string why) =>
        (await RunAsync("consul", "intention", "create", "-file", Write("i.json", data))).Error
            .ShouldBe($"Error: {why}\n");

    [Theory]
    [InlineData("{\"servce\":{\"name\":\"x\"}}", "1 error occurred:\n\t* invalid config key servce\n\n\n")]
    [InlineData("{\"services\":[{\"name\":\"a\"},{\"name\":\"x\",\"prt\":9}]}",
        "1 error occurred:\n\t* invalid config key services[1].prt\n\n\n")]
    [InlineData("{\"service\":{\"name\":\"x\",\"port\":\"x\"}}",
        "1 error(s) decoding:\n\n* 'service.port' expected type 'int', got unconvertible type 'string'\n")]
    public async Task Called_consul_services_are_refused_as_Consul_refuses_them(string text, string why)
    {
        foreach (var verb in (string[])["register", "deregister"])
        {
            var (code, output, error) = await RunAsync("consul", "services", verb, Write("s.json", text));
            code.ShouldBe(1);
            output.ShouldBe("");
            error.ShouldBe($"Error: failed to parse {Path("s.json")}: {why}");
        }
    }

    [Theory]
    [InlineData("services { name = \"good\" }\nservices {\n  name = \"web\"\n  prt = 9\n}", "s.hcl:4:3", "prt",
        "did you mean \"port\"?")]
    [InlineData("services { name = \"good\" }\nservices {\n  port = 9\n}", "s.hcl:2:", "service \"\"", "name")]
    [InlineData("service {\n  name = \"web\"\n  check { http = \"http://x\" }\n}", "s.hcl:1:", "web",
        "Interval must be > 0")]
    public async Task A_mistake_in_any_service_is_told_with_its_place_before_the_first_is_registered(
        string text, string place, string name, string why)
    {
        // No agent listens there: what is refused has not asked one.
        var (code, output, error) = await RunAsync(
            "praetor", "services", "register", "-http-addr=127.0.0.1:1", Write("s.hcl", text));
        code.ShouldBe(1);
        output.ShouldBe("");
        error.ShouldContain(place);
        error.ShouldContain(name);
        error.ShouldContain(why);
    }

    [Fact]
    public async Task Examples_call_the_program_by_the_name_it_was_called_by()
    {
        foreach (var row in CommandTable.Rows)
        {
            var (_, output, _) = await RunAsync("consul", [.. row.Name.Split(' '), "-h"]);
            output.ShouldNotContain("$ praetor");
            output.ShouldNotContain("| praetor");
        }
    }

    private string Path(string name) => System.IO.Path.Combine(_folder.FullName, name);

    private string Write(string name, string text)
    {
        File.WriteAllText(Path(name), text);
        return Path(name);
    }

    private static async Task<(int Code, string Output, string Error)> RunAsync(string program, params string[] line)
    {
        var output = new MemoryStream();
        var error = new StringWriter { NewLine = "\n" };
        var shell = new Shell(program, Stream.Null, output, error, static _ => null);
        var code = await new Launcher(CommandTable.Rows, "version").RunAsync(shell, line, CancellationToken.None);
        return (code, Encoding.UTF8.GetString(output.ToArray()), error.ToString());
    }
}
