using System.Globalization;
using Languages;

namespace Praetor.Agent.Http;

/// <summary>How a read wants to be answered: how fresh, and after which index.</summary>
/// <param name="Index">Wait until the answer's index is above this one. 0: answer at once.</param>
/// <param name="Wait">The longest wait, as asked for. Zero: the agent's default.</param>
/// <param name="Consistency">leader, consistent or stale, as it stands in the answer's header.</param>
internal sealed record ReadOptions(ulong Index, TimeSpan Wait, string Consistency)
{
    /// <summary>Reads the options, or says what is wrong with them.</summary>
    public static bool TryParse(QueryParameters query, out ReadOptions options, out string problem)
    {
        options = new ReadOptions(0, TimeSpan.Zero, "leader");
        problem = "";
        var stale = query.Has("stale");
        var consistent = query.Has("consistent");
        if (stale && consistent)
        {
            problem = "Cannot specify ?stale with ?consistent, conflicting semantics.";
            return false;
        }

        if (consistent && query.Has("cached"))
        {
            problem = "Cannot specify ?cached with ?consistent, conflicting semantics.";
            return false;
        }

        var wait = TimeSpan.Zero;
        if (query["wait"] is { Length: > 0 } waitText && !GoDuration.TryParse(waitText, out wait))
        {
            problem = "Invalid wait time";
            return false;
        }

        // Answers are never older than now, so that it is a duration is all there is to ask.
        if (query["max_stale"] is { Length: > 0 } staleText && !GoDuration.TryParse(staleText, out _))
        {
            problem = $"Invalid max_stale value \"{staleText}\"";
            return false;
        }

        ulong index = 0;
        if (query["index"] is { Length: > 0 } indexText
            && !ulong.TryParse(indexText, NumberStyles.None, CultureInfo.InvariantCulture, out index))
        {
            problem = "Invalid index";
            return false;
        }

        var consistency = stale ? "stale" : consistent ? "consistent" : "leader";
        options = new ReadOptions(index, wait, consistency);
        return true;
    }
}

/// <summary>Bounds of waiting reads.</summary>
/// <param name="Default">The wait when none is asked for. Default 5 minutes.</param>
/// <param name="Max">The longest wait. Default 10 minutes.</param>
internal sealed record WaitLimits(TimeSpan Default, TimeSpan Max)
{
    /// <summary>A wait grows by up to a sixteenth of itself, so that clients that began together do not return
    /// together.</summary>
    public const int JitterFraction = 16;

    public static readonly WaitLimits Usual = new(TimeSpan.FromMinutes(5), TimeSpan.FromMinutes(10));

    /// <summary>The wait that is asked for, without what is added by chance.</summary>
    public TimeSpan Longest(TimeSpan asked) => asked <= TimeSpan.Zero ? Default : asked > Max ? Max : asked;

    public TimeSpan Of(TimeSpan asked, Random random)
    {
        var wait = Longest(asked);
        lock (random)
        {
            return wait + (wait / JitterFraction * random.NextDouble());
        }
    }
}
