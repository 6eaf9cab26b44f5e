namespace Gossip.Wire;

/// <summary>Why bytes from the network were not understood.</summary>
public enum WireError
{
    None = 0,

    /// <summary>There is nothing, or nothing behind a header.</summary>
    Empty = 1,

    /// <summary>The bytes end before what they announce, or are not what they announce.</summary>
    Malformed = 2,

    /// <summary>A kind of message that does not exist, or not there (an exchange of state in a packet).</summary>
    UnknownType = 3,

    /// <summary>More than <see cref="WireLimits"/> allow.</summary>
    TooLarge = 4,

    /// <summary>A wrapping inside one of its kind, which no honest member sends.</summary>
    Nested = 5,

    /// <summary>Another cluster's label, none where one is due, or a broken one.</summary>
    BadLabel = 6,

    /// <summary>No key of the keyring opens it: another key, or a forgery.</summary>
    NotDecryptable = 7,

    /// <summary>It is not encrypted, and this member takes only what is.</summary>
    NotEncrypted = 8,

    /// <summary>It is encrypted, and this member has no keyring.</summary>
    NoKeyring = 9,

    /// <summary>The checksum says that it changed on its way.</summary>
    BadChecksum = 10,

    /// <summary>An unknown kind of compression, or codes that make no sense.</summary>
    BadCompression = 11,
}
