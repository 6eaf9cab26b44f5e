using Praetor.Server.State;

namespace Praetor.Server.Model;

/// <summary>A machine, or whatever carries services.</summary>
public sealed record NodeRecord : StoredRecord
{
    /// <summary>The node's UUID. Empty: none was given (nodes registered by hand).</summary>
    public string Id { get; init; } = "";

    /// <summary>The node's name, unique regardless of case.</summary>
    public required string Name { get; init; }

    /// <summary>Its address; services without one of their own are reached there.</summary>
    public string Address { get; init; } = "";

    /// <summary>The datacenter it is in.</summary>
    public string Datacenter { get; init; } = "";

    /// <summary>Addresses by purpose: lan, wan, lan_ipv4 … Null: none were given.</summary>
    public IReadOnlyDictionary<string, string>? TaggedAddresses { get; init; }

    /// <summary>Free metadata. Null: none was given.</summary>
    public IReadOnlyDictionary<string, string>? Meta { get; init; }

    /// <summary>Where the node is, for routing by nearness. Null: unknown.</summary>
    public Locality? Locality { get; init; }
}

/// <summary>A region and a zone in it.</summary>
public sealed record Locality(string Region, string Zone);
