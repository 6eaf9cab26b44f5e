namespace Codecs.Snapshots;

/// <summary>An archive cannot be read, or is not what it says; the message says what is wrong with it.</summary>
public sealed class SnapshotException(string message, Exception? inner = null) : Exception(message, inner);
