using Praetor.CommandLine;

namespace Praetor.Commands;

internal sealed class ServicesDeregisterCommand : Command
{
    private readonly HttpFlags _http;
    private readonly Flag<string> _id;

    public ServicesDeregisterCommand()
    {
        _http = new HttpFlags(Flags, HttpGroups.All);
        _id = Flags.String("id", "Id of the instance to remove.", offer: Candidates.ServiceIds);
    }

    public override string Arguments => "[options] [FILE...]";

    public override Candidates Offer => Candidates.Files;

    public override string About => """
        Removes services from the agent: those defined in HCL or JSON files, or the one with an id.

            $ praetor services deregister web.hcl
            $ praetor services deregister -id=web-1
        """;

    public override async Task<int> RunAsync(Shell shell, IReadOnlyList<string> arguments, CancellationToken stop)
    {
        if (arguments.Count == 0 && _id.Value.Length == 0)
        {
            throw new CommandException("Service deregistration requires at least one argument or -id.");
        }

        if (arguments.Count > 0 && _id.Value.Length > 0)
        {
            throw new CommandException("Service deregistration requires arguments or -id, not both.");
        }

        var ids = arguments.Count == 0
            ? [_id.Value]
            : ServiceFiles.Read(shell, arguments).Select(ServiceFiles.IdOf).Where(id => id.Length > 0).ToList();
        using var client = _http.Connect(shell);
        foreach (var id in ids)
        {
            await client.DeregisterServiceAsync(id, stop: stop).OrFail($"Error deregistering service \"{id}\"");
            shell.Say($"Deregistered service: {id}");
        }

        return 0;
    }
}
