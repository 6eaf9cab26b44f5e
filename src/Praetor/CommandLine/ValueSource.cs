using System.Text;

namespace Praetor.CommandLine;

/// <summary>Arguments that stand for something else: <c>@file</c> for a file's bytes, <c>-</c> for standard
/// input.</summary>
internal static class ValueSource
{
    /// <summary>The bytes that an argument stands for.</summary>
    /// <exception cref="CommandException">There is no such file.</exception>
    public static byte[] Read(Shell shell, string argument, string failure = "Error! Failed to read file")
    {
        if (argument == "-")
        {
            return ReadAll(shell.Input);
        }

        return argument.StartsWith('@') ? ReadFile(argument[1..], failure) : Encoding.UTF8.GetBytes(argument);
    }

    /// <summary>The bytes of a file, or of standard input for <c>-</c>.</summary>
    /// <exception cref="CommandException">There is no such file.</exception>
    public static byte[] ReadPath(Shell shell, string path, string failure) =>
        path == "-" ? ReadAll(shell.Input) : ReadFile(path, failure);

    /// <summary>The bytes of a file.</summary>
    /// <exception cref="CommandException">There is no such file.</exception>
    public static byte[] ReadFile(string path, string failure, string between = ": ")
    {
        try
        {
            return path.Length > 0 ? File.ReadAllBytes(path) : throw new FileNotFoundException();
        }
        catch (Exception missing) when (missing is IOException or UnauthorizedAccessException)
        {
            throw new CommandException($"{failure}{between}{GoErrors.Open(path, missing)}");
        }
    }

    private static byte[] ReadAll(Stream input)
    {
        using var all = new MemoryStream();
        input.CopyTo(all);
        return all.ToArray();
    }
}
