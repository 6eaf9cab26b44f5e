using System.Text;

namespace Praetor.CommandLine;

/// <summary>Where a command's input comes from and its output goes.</summary>
/// <param name="Program">The name that the executable was called by.</param>
/// <param name="Input">Standard input.</param>
/// <param name="Output">Standard output; <see cref="Out"/> writes text to it.</param>
/// <param name="Error">Standard error, for people.</param>
/// <param name="Environment">Reads an environment variable; null when it is not set.</param>
internal sealed record Shell(
    string Program, Stream Input, Stream Output, TextWriter Error, Func<string, string?> Environment)
{
    private const string Consul = "consul";
    private static readonly UTF8Encoding Utf8 = new(encoderShouldEmitUTF8Identifier: false);

    /// <summary>Text for standard output. Commands that print bytes flush it first.</summary>
    public TextWriter Out { get; } = new StreamWriter(Output, Utf8, bufferSize: 4096) { NewLine = "\n" };

    /// <summary>Whether output must be Consul's to the byte: no colour, no hints, no leniency.</summary>
    public bool IsConsul => Program == Consul;

    /// <summary>Whether a person reads standard error.</summary>
    public bool ForPeople { get; init; }

    public TimeProvider Time { get; init; } = TimeProvider.System;

    /// <summary>The shell that this process was started in.</summary>
    public static Shell OfProcess()
    {
        var program = NameOf(FirstWordOfCommandLine());
        var error = new StreamWriter(Console.OpenStandardError(), Utf8, bufferSize: 256)
        {
            NewLine = "\n",
            AutoFlush = true,
        };
        return new Shell(
            program,
            Console.OpenStandardInput(),
            Console.OpenStandardOutput(),
            error,
            System.Environment.GetEnvironmentVariable)
        {
            ForPeople = program != Consul && !Console.IsErrorRedirected,
        };
    }

    /// <summary>A setting from the environment: <c>PRAETOR_X</c>, else <c>CONSUL_X</c>. Null: not set, or
    /// empty.</summary>
    public string? Setting(string name)
    {
        var own = Environment("PRAETOR_" + name);
        var value = string.IsNullOrEmpty(own) ? Environment("CONSUL_" + name) : own;
        return string.IsNullOrEmpty(value) ? null : value;
    }

    /// <summary>Prints a line of output.</summary>
    public void Say(string line) => Out.WriteLine(line);

    /// <summary>Prints lines of output, aligned in columns.</summary>
    public void Say(Columns table) => Out.WriteLine(table.ToString());

    private static string NameOf(string path) => Path.GetFileName(path) is Consul ? Consul : "praetor";

    // .NET gives the path of the assembly here, and not the name that the user typed: a link named consul is known by
    // that only.
    private static string FirstWordOfCommandLine()
    {
        try
        {
            var bytes = File.ReadAllBytes("/proc/self/cmdline");
            var end = Array.IndexOf(bytes, (byte)0);
            return Utf8.GetString(bytes, 0, end < 0 ? bytes.Length : end);
        }
        catch (Exception unreadable) when (unreadable is IOException or UnauthorizedAccessException)
        {
            return System.Environment.ProcessPath ?? "";
        }
    }
}
