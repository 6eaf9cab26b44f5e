using System.Security.Cryptography;
using Praetor.CommandLine;

namespace Praetor.Commands;

internal sealed class KeygenCommand : Command
{
    private const int KeyBytes = 32;

    public override string Arguments => "";

    public override string About => """
        Prints a new random key for encrypting gossip, to be given to every agent with -encrypt.

            $ praetor keygen
        """;

    public override Task<int> RunAsync(Shell shell, IReadOnlyList<string> arguments, CancellationToken stop)
    {
        shell.Say(Convert.ToBase64String(RandomNumberGenerator.GetBytes(KeyBytes)));
        return Task.FromResult(0);
    }
}
