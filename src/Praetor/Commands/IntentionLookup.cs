using Praetor.Client;
using Praetor.CommandLine;

namespace Praetor.Commands;

/// <summary>Finds the intention that one or two arguments mean: an id, or a source and a destination.</summary>
internal static class IntentionLookup
{
    /// <summary>Null: there is no such intention.</summary>
    /// <remarks>The list is searched, because Consul has an endpoint for pairs of names only since 1.9.</remarks>
    public static async Task<Intention?> FindAsync(
        PraetorClient client, string source, string destination, CancellationToken stop)
    {
        var all = (await client.IntentionsAsync(stop: stop)).Value ?? [];
        return Array.Find(all, each => each.Source == WithoutDefault(source)
            && each.Destination == WithoutDefault(destination));
    }

    /// <summary>The intention that the arguments mean.</summary>
    /// <exception cref="CommandException">There is none, or the arguments are not one or two.</exception>
    public static async Task<Intention> RequireAsync(
        PraetorClient client, IReadOnlyList<string> arguments, CancellationToken stop)
    {
        RequireOneOrTwo(arguments);
        if (arguments.Count == 2)
        {
            return await FindAsync(client, arguments[0], arguments[1], stop).OrFail("Error")
                ?? throw NotFound(arguments[0], arguments[1]);
        }

        try
        {
            return (await client.IntentionAsync(arguments[0], stop: stop)).Value
                ?? throw new CommandException($"Error: Intention \"{arguments[0]}\" not found.");
        }
        catch (ApiException refused)
        {
            throw new CommandException(
                $"Error reading the intention: Unexpected response {(int)refused.Status}: {refused.Body}");
        }
        catch (Exception failure) when (AgentCalls.IsOfAgent(failure))
        {
            throw AgentCalls.Failed(failure, "Error reading the intention");
        }
    }

    public static void RequireOneOrTwo(IReadOnlyList<string> arguments)
    {
        if (arguments.Count is not (1 or 2))
        {
            throw new CommandException("Error: command requires exactly 1 or 2 arguments");
        }
    }

    public static CommandException NotFound(string source, string destination) =>
        new($"Error: Intention with source \"{source}\" and destination \"{destination}\" not found.");

    private static string WithoutDefault(string name)
    {
        const string space = "default/";
        return name.StartsWith(space, StringComparison.Ordinal) ? name[space.Length..] : name;
    }
}
