namespace Praetor.Proxy.Control;

/// <summary>Whose turn it is: decides when a proxy that stands in serves, and when it makes room. Pure.</summary>
/// <remarks>
/// The problem: programs that were written for Consul start a sidecar for a registered service by themselves, and know
/// nothing of one that runs already; Consul's own tries to listen once and never again. Nobody tells the agent that
/// another proxy is coming, or that it has gone.
/// The idea: a proxy asks the agent for its registration before it listens, so that question is taken for a claim, and
/// is answered when there is room. Who only looked does not listen within the time of a claim, and the place is
/// taken back. Whether another is there at all, only its port tells, whoever it is and whatever it asked.
/// A claim that came to nothing makes deaf for looks, not for those who follow: so a program that looks every second
/// costs a few seconds of a minute at most.
/// </remarks>
internal sealed class StandInTurn
{
    private enum Place
    {
        Open,
        Ours,
        Left,
    }

    private Place _place;
    private TimeSpan _claimEnds = TimeSpan.MinValue;
    private TimeSpan _deafUntil = TimeSpan.MinValue;
    private bool _sawAnother;

    /// <summary>Another proxy seems to come; false: it is not believed, and nothing changes.</summary>
    /// <param name="now">Time since any fixed moment.</param>
    /// <param name="isFollowing">Whether it asked for more than a look.</param>
    public bool Claim(TimeSpan now, bool isFollowing)
    {
        if (!isFollowing && now < _deafUntil)
        {
            return false;
        }

        var ends = now + (isFollowing ? Limits.FollowerClaim : Limits.LookClaim);
        _claimEnds = ends > _claimEnds ? ends : _claimEnds;
        return true;
    }

    /// <summary>How long to wait before looking again: shortly while somebody is expected, so that one who arrives and
    /// soon ends is seen at all.</summary>
    /// <param name="now">Time since the same moment.</param>
    public TimeSpan NextLook(TimeSpan now) => now < _claimEnds ? Limits.ArrivalInterval : Limits.StandInInterval;

    /// <summary>Whether to serve from now on.</summary>
    /// <param name="now">Time since the same moment.</param>
    /// <param name="isRoleTaken">Whether somebody else listens where the mesh reaches the service.</param>
    /// <param name="isAnyTaken">Whether somebody else listens at any of the proxy's addresses.</param>
    public bool Serves(TimeSpan now, Func<bool> isRoleTaken, Func<bool> isAnyTaken)
    {
        _place = _place switch
        {
            Place.Open => now < _claimEnds || isRoleTaken() ? Place.Left : Place.Ours,
            Place.Ours => now < _claimEnds ? Place.Left : Place.Ours,
            _ => Returns(now, isRoleTaken, isAnyTaken) ? Place.Ours : Place.Left,
        };
        return _place == Place.Ours;
    }

    private bool Returns(TimeSpan now, Func<bool> isRoleTaken, Func<bool> isAnyTaken)
    {
        if (isRoleTaken())
        {
            // It has arrived, so nothing keeps us from noticing at once when it ends.
            _claimEnds = now;
            _sawAnother = true;
            return false;
        }

        if (now < _claimEnds)
        {
            return false;
        }

        if (isAnyTaken())
        {
            _sawAnother = true;
            return false;
        }

        if (!_sawAnother)
        {
            _deafUntil = now + Limits.FalseClaimPause;
        }

        _sawAnother = false;
        return true;
    }
}
