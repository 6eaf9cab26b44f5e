namespace Praetor.Agent.Http;

/// <summary>Whether this server, one of several, may answer by itself.</summary>
internal interface ILeadership
{
    /// <summary>Whether it leads, as far as it knows.</summary>
    bool Leads { get; }

    /// <summary>Whether any server leads, as far as this one knows.</summary>
    bool HasLeader { get; }

    /// <summary>Whether this server has a state of its own to answer from, be it a little behind.</summary>
    bool HasState { get; }

    /// <summary>Makes sure that no other server leads.</summary>
    /// <param name="isStrict">Whether it is to be proven by a write, and not by a lease.</param>
    /// <param name="stop">Ends the wait.</param>
    ValueTask<bool> IsNewestAsync(bool isStrict, CancellationToken stop);
}
