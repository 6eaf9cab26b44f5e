using Praetor.CommandLine;
using Praetor.CommandLine.Completion;
using Praetor.Commands;

namespace Praetor;

internal static class Program
{
    public static async Task<int> Main(string[] args)
    {
        if (args is ["agent", ..] or ["connect", "proxy", ..])
        {
            // Sockets then go on with their work on the thread that saw them ready, instead of handing it to another:
            // measured to be the faster by far for these two. It is read once, when the first socket is made.
            Environment.SetEnvironmentVariable("DOTNET_SYSTEM_NET_SOCKETS_INLINE_COMPLETIONS", "1");
        }

        var shell = Shell.OfProcess();
        if (shell.Environment("COMP_LINE") is { Length: > 0 } line)
        {
            return await CompletionRun.AnswerAsync(shell, line, args, CommandTable.Rows, ConfigEntryKinds.All);
        }

        return args switch
        {
            ["-autocomplete-install" or "--autocomplete-install", ..] => Say(shell, Completion(shell).Install()),
            ["-autocomplete-uninstall" or "--autocomplete-uninstall", ..] => Say(shell, Completion(shell).Uninstall()),
            _ => await new Launcher(CommandTable.Rows, "version").RunAsync(shell, args, CancellationToken.None),
        };
    }

    private static Installation Completion(Shell shell) => new(
        shell.Environment("HOME") ?? "/root", shell.Program, Environment.ProcessPath ?? shell.Program);

    private static int Say(Shell shell, IReadOnlyList<string> changed)
    {
        if (shell.ForPeople)
        {
            shell.Error.WriteLine(changed.Count == 0
                ? "Nothing to change."
                : $"Changed {string.Join(", ", changed)}; it counts for shells started from now on.");
        }

        return 0;
    }
}
