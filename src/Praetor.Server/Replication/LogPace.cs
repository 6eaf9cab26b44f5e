namespace Praetor.Server.Replication;

/// <summary>How much of the log one reading asks for, and how long it may take. Used by one reader.</summary>
/// <remarks>
/// The problem: a server that was away reads thousands of small entries, and each reading costs a round through the
/// members of etcd; on a machine that is busy, such a round takes longer than one that shall notice at once that its
/// request was lost would wait.
/// The idea: readings grow while they stay small, and wait longer once several in a row were for nothing.
/// </remarks>
internal sealed class LogPace(ReplicationOptions options)
{
    /// <summary>How many entries the first reading asks for, and the one after a failure: each may have a megabyte, or
    /// more if one command is larger.</summary>
    public const int EntriesMin = 8;

    /// <summary>How many at most: on a busy machine a reading takes 10 ms whatever it brings, so that a log of small
    /// entries that is about to be cut is read in half a second. Where large ones follow small ones an answer may be
    /// larger than is taken (<see cref="Storage.Etcd.EtcdClientOptions.AnswerBytesMax"/>): that is a failure, after
    /// which little is asked for.</summary>
    public const int EntriesMax = 512;

    // A reading of less is followed by one that asks for twice as many entries, one of more by half of them.
    private const long Small = 512 * 1024;
    private const long Large = 4 * 1024 * 1024;

    // Until then it is a leader of etcd that went, which a request that is sent anew finds replaced.
    private const int FailuresUsual = 3;
    private const int SeekFactorMax = 8;

    private int _failures;

    /// <summary>How many entries the next reading asks for.</summary>
    public int Entries { get; private set; } = EntriesMin;

    /// <summary>How long looking at the log and taking the lead may take.</summary>
    public TimeSpan SeekTime =>
        options.SeekTime * Math.Min(SeekFactorMax, 1 << Math.Clamp(_failures - FailuresUsual, 0, SeekFactorMax));

    /// <summary>Takes note of an answer. One that took longer than is waited at first lets the patience be: the next
    /// step of who looks and then takes the lead needs as much.</summary>
    public void Answered(TimeSpan after) => _failures = after <= options.SeekTime ? 0 : _failures;

    /// <summary>Takes note of what was read.</summary>
    public void Read(LogView view)
    {
        var bytes = view.Entries.Sum(static entry => (long)entry.Bytes.Length);
        Entries = bytes > Large ? Math.Max(EntriesMin, Entries / 2)
            : bytes < Small && view.HasMore ? Math.Min(EntriesMax, Entries * 2)
            : Entries;
    }

    /// <summary>Takes note that nothing was answered, or too much.</summary>
    public void Failed()
    {
        _failures++;
        Entries = EntriesMin;
    }
}
