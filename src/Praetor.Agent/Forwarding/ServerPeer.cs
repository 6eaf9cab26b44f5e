using System.Net;

namespace Praetor.Agent.Forwarding;

/// <summary>A server as other agents reach it.</summary>
/// <param name="Name">Its node's name.</param>
/// <param name="Id">Its node's id.</param>
/// <param name="Datacenter">Its datacenter, lower case.</param>
/// <param name="Rpc">Where it takes calls of other agents.</param>
public sealed record ServerPeer(string Name, string Id, string Datacenter, IPEndPoint Rpc);

/// <summary>Says which servers there are: membership does, of both pools.</summary>
public interface IServerSource
{
    /// <summary>Tells of all servers that are alive, now and whenever they become others, until it is
    /// disposed.</summary>
    /// <param name="changed">Gets the whole list; must not block.</param>
    IDisposable Follow(Action<IReadOnlyCollection<ServerPeer>> changed);
}
