using Praetor.Server.State;

namespace Praetor.Server.Model;

/// <summary>A configuration entry: a kind, a name, and its members as canonical JSON.</summary>
public sealed record ConfigEntryRecord : StoredRecord
{
    /// <summary>service-defaults, service-intentions …</summary>
    public required string Kind { get; init; }

    /// <summary>The entry's name.</summary>
    public required string Name { get; init; }

    /// <summary>The entry as canonical JSON, without its indexes. Must not be changed.</summary>
    public required byte[] Json { get; init; }
}

/// <summary>One document of the server's own, such as the certificate authority's roots.</summary>
public sealed record DocumentRecord : StoredRecord
{
    /// <summary>The document's name.</summary>
    public required string Name { get; init; }

    /// <summary>Its content. Must not be changed.</summary>
    public required byte[] Json { get; init; }
}

/// <summary>Says when anything about a service's health last changed; derived, never stored.</summary>
public sealed record ServiceTouch : StoredRecord;
