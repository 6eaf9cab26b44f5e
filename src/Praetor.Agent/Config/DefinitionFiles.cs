using Languages;

namespace Praetor.Agent.Config;

/// <summary>Judges a file of definitions that is meant for the API, by the rows and rules of the agent's own.</summary>
public static class DefinitionFiles
{
    /// <summary>Unknown keys and values of a wrong kind, anywhere in the file.</summary>
    public static IReadOnlyList<ConfigProblem> Undecodable(ConfigNode root)
    {
        var reader = new SettingReader();
        reader.ReadTree(root);
        var context = new DecodeContext(DecodeMode.File);
        _ = Services(reader, context).Count;
        return [.. reader.Problems, .. context.Problems];
    }

    /// <summary>What an agent would not register, although every key of it is known.</summary>
    public static IReadOnlyList<ConfigProblem> Unregistrable(ConfigNode root)
    {
        var reader = new SettingReader();
        reader.ReadTree(root);
        return
        [
            .. from service in Services(reader, new DecodeContext(DecodeMode.File))
               let what = DefinitionRules.FirstProblem(service)
               where what is not null
               select new ConfigProblem(service.At, $"service \"{service.Name}\"", what),
        ];
    }

    private static List<ServiceDefinition> Services(SettingReader reader, DecodeContext context)
    {
        var found = new List<ServiceDefinition>();
        foreach (var value in reader.Values.Where(static value => value.Row.Key is "service" or "services"))
        {
            var nodes = (IReadOnlyList<ConfigNode>)value.Value;
            for (var i = 0; i < nodes.Count; i++)
            {
                var path = value.Row.Key == "service" ? "service" : $"services[{i}]";
                if (DefinitionShapes.Service.Decode(nodes[i], context, path) is { } service)
                {
                    found.Add(service);
                }
            }
        }

        return found;
    }
}
