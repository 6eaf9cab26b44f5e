using System.Globalization;
using Praetor.Client;
using Praetor.CommandLine;

namespace Praetor.Commands;

internal sealed class ServicesRegisterCommand : Command
{
    private readonly HttpFlags _http;
    private readonly Flag<string> _name;
    private readonly Flag<string> _id;
    private readonly Flag<string> _kind;
    private readonly Flag<string> _address;
    private readonly Flag<int> _port;
    private readonly Flag<List<string>> _tags;
    private readonly Flag<SortedDictionary<string, string>> _meta;
    private readonly Flag<SortedDictionary<string, string>> _taggedAddresses;

    public ServicesRegisterCommand()
    {
        _http = new HttpFlags(Flags, HttpGroups.All);
        _name = Flags.String("name", "Name of the service.");
        _id = Flags.String("id", "Id of the instance, unique on the agent. Default: the name.");
        _kind = Flags.String(
            "kind", "Kind of service: connect-proxy, mesh-gateway and so on. Default: an ordinary one.");
        _address = Flags.String("address", "Address of the instance. Default: the node's.");
        _port = Flags.Int("port", "Port of the instance.");
        _tags = Flags.Strings("tag", "A tag. May be given again and again.");
        _meta = Flags.Pairs("meta", "Metadata as key=value. May be given again and again.");
        _taggedAddresses = Flags.Pairs(
            "tagged-address", "A further address as tag=host:port. May be given again and again.");
    }

    public override string Arguments => "[options] [FILE...]";

    public override Candidates Offer => Candidates.Files;

    public override string About => """
        Registers services with the agent: those defined in HCL or JSON files, or one described by flags.
        They are gone when the agent forgets its data; put the file into its configuration folder to keep
        them.

            $ praetor services register web.hcl
            $ praetor services register -name=web -port=8080 -tag=v1
        """;

    public override async Task<int> RunAsync(Shell shell, IReadOnlyList<string> arguments, CancellationToken stop)
    {
        var byFlags = Flags.All.Any(flag => flag.IsSet && !HttpFlags.Names.Contains(flag.Name));
        if (arguments.Count == 0 && !byFlags)
        {
            throw new CommandException("Service registration requires at least one argument or flags.");
        }

        if (arguments.Count > 0 && byFlags)
        {
            throw new CommandException("Service registration requires arguments or -id, not both.");
        }

        return byFlags ? await RegisterFlagsAsync(shell, stop) : await RegisterFilesAsync(shell, arguments, stop);
    }

    private async Task<int> RegisterFilesAsync(Shell shell, IReadOnlyList<string> paths, CancellationToken stop)
    {
        var services = ServiceFiles.Read(shell, paths);
        using var client = _http.Connect(shell);
        foreach (var service in services)
        {
            var name = ServiceFiles.NameOf(service);
            await client.RegisterServiceAsync(service, stop: stop).OrFail($"Error registering service \"{name}\"");
            shell.Say($"Registered service: {name}");
        }

        return 0;
    }

    private async Task<int> RegisterFlagsAsync(Shell shell, CancellationToken stop)
    {
        var service = new ServiceRegistration
        {
            Name = _name.Value,
            ID = NullIfEmpty(_id.Value),
            Kind = NullIfEmpty(_kind.Value),
            Address = NullIfEmpty(_address.Value),
            Port = _port.Value,
            Tags = _tags.Value.Count > 0 ? _tags.Value : null,
            Meta = _meta.Value.Count > 0 ? _meta.Value : null,
            TaggedAddresses = TaggedAddresses(),
        };
        using var client = _http.Connect(shell);
        await client.RegisterServiceAsync(service, stop: stop).OrFail($"Error registering service \"{service.Name}\"");
        shell.Say($"Registered service: {service.Name}");
        return 0;
    }

    private Dictionary<string, ServiceAddress>? TaggedAddresses()
    {
        var found = new Dictionary<string, ServiceAddress>(StringComparer.Ordinal);
        foreach (var (tag, text) in _taggedAddresses.Value)
        {
            if (HostPort.Problem(text) is { } problem)
            {
                throw new CommandException($"Invalid Tagged Address: {problem}");
            }

            var (host, port) = HostPort.Split(text);
            found[tag] = int.TryParse(port, NumberStyles.None, CultureInfo.InvariantCulture, out var number)
                ? new ServiceAddress { Address = host, Port = number }
                : throw new CommandException(
                    $"Invalid Tagged Address: strconv.Atoi: parsing \"{port}\": invalid syntax");
        }

        return found.Count > 0 ? found : null;
    }

    private static string? NullIfEmpty(string text) => text.Length > 0 ? text : null;
}
