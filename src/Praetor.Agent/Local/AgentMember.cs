namespace Praetor.Agent.Local;

/// <summary>An agent of the cluster, as membership sees it.</summary>
public sealed record AgentMember(
    string Name, string Address, int Port, IReadOnlyDictionary<string, string> Tags, int Status);
